package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime/debug"
)

// process is what a subcommand sees of the world it was started in.
type process struct {
	getenv         func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer
	// secret is what the operator told a task in confidence, see secretSource; empty is nothing.
	secret string
	// at is the store to work on, in the server that has it open; nil elsewhere.
	at *workplace
}

// run does what args ask for, says what went wrong, if anything, and answers the exit code.
func (p *process) run(ctx context.Context, args []string) (code int) {
	defer func() {
		if cause := recover(); cause != nil {
			code = p.report(fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
		}
	}()
	return p.report(p.execute(ctx, args))
}

// execute runs the subcommand that args begins with.
func (p *process) execute(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return usageError("no subcommand is given; \"junctor help\" lists them")
	}
	name, args := args[0], args[1:]
	switch name {
	case "help", "-h", "-help", "--help":
		printOverview(p.stdout)
		return nil
	}
	c, ok := find(name)
	if !ok {
		return usageError(fmt.Sprintf("unknown subcommand %q; \"junctor help\" lists them", name))
	}
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	act := c.action(fs)
	operands, err := parse(fs, args, p.getenv)
	if errors.Is(err, flag.ErrHelp) {
		c.printHelp(p.stdout, fs)
		return nil
	}
	if err != nil {
		return usageError(name + ": " + err.Error())
	}
	return act(ctx, p, operands)
}

// usageError is a mistake in how the program was called.
type usageError string

func (e usageError) Error() string { return string(e) }

// exitCode is a failure about which everything has been said already.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

func (p *process) report(err error) int {
	if err == nil {
		return 0
	}
	if code, ok := errors.AsType[exitCode](err); ok {
		return int(code)
	}
	_, _ = fmt.Fprintln(p.stderr, "junctor: "+explain(err))
	if _, ok := errors.AsType[usageError](err); ok {
		return 2
	}
	return 1
}
