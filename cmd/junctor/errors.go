package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"junctor/pkg/fault"
)

// usageError is a mistake in how the program was called.
type usageError string

func (e usageError) Error() string { return string(e) }

// misuse makes what is wrong with flags or operands an error of usage.
func misuse(err error) error {
	if _, printed := errors.AsType[exitCode](err); printed {
		return err
	}
	return usageError(explain(err))
}

// exitCode is a failure that has been printed already.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// report prints an error and returns the exit code that it stands for.
func (c *cli) report(err error) int {
	if err == nil {
		return 0
	}
	if code, ok := errors.AsType[exitCode](err); ok {
		return int(code)
	}
	_, _ = fmt.Fprintln(c.stderr, "junctor: "+explain(err))
	if _, ok := errors.AsType[usageError](err); ok {
		return 2
	}
	return 1
}

// partial is why a command has done a part of its work only.
type partial struct {
	error
	done string // what it has done, and what to do
}

func (e partial) Error() string { return e.error.Error() + "; " + e.done }
func (e partial) Unwrap() error { return e.error }

// explain words an error for the operator. Where the operator's input is at fault the message needs no more around
// it; anything else is shown with its causes.
func explain(err error) string {
	if part, ok := err.(partial); ok {
		return explain(part.error) + "; " + part.done
	}
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err.Error()
	}
	switch f.Kind {
	case fault.Conflict, fault.Forbidden, fault.BadIdentifier:
		return cmp.Or(f.Message, err.Error())
	case fault.Invalid:
		return cmp.Or(f.Message, strings.Join(findings(err), "; "), err.Error())
	}
	return err.Error()
}

// fieldsOf returns what is wrong with which field, if err is a fault that says so.
func fieldsOf(err error) fault.Fields {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return nil
	}
	fields, _ := f.Data.(fault.Fields)
	return fields
}

// findings lists what is wrong with which field.
func findings(err error) (texts []string) {
	fields := fieldsOf(err)
	for _, path := range slices.Sorted(maps.Keys(fields)) {
		for _, code := range slices.Sorted(maps.Keys(fields[path])) {
			detail, _ := fields[path][code].(map[string]any)
			text := strings.TrimPrefix(fmt.Sprintf("%s: %v", path, detail["message"]), ": ") // the whole has no path
			if value, ok := detail["value"].(string); ok && value != path {
				text += fmt.Sprintf(" (%q)", value)
			}
			texts = append(texts, text)
		}
	}
	return texts
}

// stopped adds to the error of a command that was stopped by whom it was.
func stopped(ctx context.Context, err error) error {
	_, printed := errors.AsType[exitCode](err)
	part, isPartial := errors.AsType[partial](err)
	cause := context.Cause(ctx)
	// Where a command was when it was stopped says nothing.
	only := cause != nil && (errors.Is(err, cause) || errors.Is(err, context.Canceled))
	switch {
	case err == nil || cause == nil || printed:
		return err
	case only && isPartial:
		return fmt.Errorf("stopped: %w", partial{cause, part.done})
	case only:
		return fmt.Errorf("stopped: %w", cause)
	default:
		return fmt.Errorf("stopped: %w (%w)", cause, err)
	}
}
