package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"junctor/pkg/adminsocket"
	"junctor/pkg/history"
)

// cli is one call of the program: what a command reads and writes, and the flags that commands share.
type cli struct {
	getenv         func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer
	terminal       adminsocket.Terminal

	store  storeFlags
	asJSON bool
	given  map[string]bool // flags with a value of the command line or the environment, see completeFlags
	// input is what a storeTask has read on the operator's side, see storeTask.input.
	input string
	// app is the store to work on in the server that has it open. It is nil elsewhere.
	app *app
	// peer is the operating-system user who typed the command, in that server; empty if the system does not tell.
	peer string
}

// actor returns who typed the command, for the history of what it changes.
func (c *cli) actor(source history.Source) history.Actor {
	name := c.peer
	if c.app == nil {
		name = userName()
	}
	return history.Actor{UserID: name, Source: source}
}

// userName returns the name of the user of this process, or the number of one without a name.
func userName() string {
	id := strconv.Itoa(os.Getuid())
	if known, err := user.LookupId(id); err == nil {
		return known.Username
	}
	return id
}

// run executes args, prints an error if there is one, and returns the exit code.
func (c *cli) run(ctx context.Context, args []string) (code int) {
	defer func() {
		if cause := recover(); cause != nil {
			code = c.report(fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
		}
	}()
	return c.report(stopped(ctx, c.execute(ctx, args)))
}

func (c *cli) execute(ctx context.Context, args []string) error {
	root := c.rootCommand()
	root.SetArgs(append([]string{}, withNumbers(args)...)) // nil would be os.Args
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		offerCompletions(root)
	}
	cmd, err := root.ExecuteContextC(ctx)
	_, name, below := strings.Cut(cmd.CommandPath(), " ")
	if _, ok := errors.AsType[usageError](err); ok && below {
		return usageError(name + ": " + err.Error())
	}
	return err
}

// rootCommand returns the command tree. A server that executes the commands of others has only those that work on its
// store.
func (c *cli) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "junctor",
		Short: "Serve Kazoo's dedicated IPs and routing clusters",
		Long: `Serves the modules "ips" and "routing" of Kazoo's Crossbar API, on a CouchDB or
on an embedded store.

Where the description of a flag names an environment variable, that sets the
flag, too. The flag wins. The exit code is 0 (done), 1 (failed) or 2 (wrong
usage).`,
		Version:           version(),
		SilenceErrors:     true, // run prints them
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		PersistentPreRunE: c.completeFlags,
	}
	if c.app == nil {
		root.AddCommand(c.serveCommand(), c.versionCommand(), manCommand(), c.onStore(c.restoreCommand()))
	}
	for _, cmd := range []*cobra.Command{c.bootstrapCommand(), c.accountCommand(), c.userCommand(), c.tokenCommand(),
		c.lookupKeyCommand(), c.clusterCommand(), c.routingCommand(), c.ipsCommand(), c.supCommand(), c.doctorCommand(),
		c.historyCommand(), c.backupCommand(), c.exportCommand(), c.importCommand()} {
		root.AddCommand(c.onStore(cmd))
	}
	root.SetIn(c.stdin)
	root.SetOut(c.stdout)
	root.SetErr(c.stderr)
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(printHelp)
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Run, cmd.RunE = nil, helpOf
			cmd.Short, cmd.Long = "Describe a command", ""
		case "completion":
			cmd.Short, cmd.Long = "Print a script that completes commands and flags in a shell", ""
			for _, shell := range cmd.Commands() {
				shell.Args, shell.Long = operands(0, 0), "" // cobra's lines are too long
			}
		}
	}
	finish(root)
	return root
}

// finish completes a command and those below it: flags name their variables, and commands that only hold others refuse
// to run.
func finish(cmd *cobra.Command) {
	nameVariables(cmd)
	if cmd.HasSubCommands() {
		cmd.Args = cobra.ArbitraryArgs
		cmd.FParseErrWhitelist.UnknownFlags = true // the command is what is wrong
		cmd.RunE = refuseGroup
	}
	for _, sub := range cmd.Commands() {
		finish(sub)
	}
}

// onStore gives a command on a store, and those below it, the flags that such commands share.
func (c *cli) onStore(cmd *cobra.Command) *cobra.Command {
	c.store.define(cmd.PersistentFlags())
	if cmd.Name() != "sup" { // it prints Kazoo's texts
		c.defineJSON(cmd.PersistentFlags())
	}
	return cmd
}

// group returns a command that only holds others.
func group(cmd *cobra.Command, commands ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(commands...)
	return cmd
}

// refuseGroup says which commands there are below a command that only holds others.
func refuseGroup(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknownCommand(cmd, args[0])
	}
	return usageError(fmt.Sprintf("a command is missing; \"%s --help\" lists them", cmd.CommandPath()))
}

func unknownCommand(cmd *cobra.Command, name string) error {
	return usageError(fmt.Sprintf("unknown command %q; \"%s --help\" lists the commands", name, cmd.CommandPath()))
}

// operands refuses fewer or more operands than a command takes.
func operands(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usageError("an operand is missing; usage: " + cmd.UseLine())
		case len(args) <= most:
			return nil
		}
		extra := args[most]
		text := fmt.Sprintf("unexpected %q", extra)
		if extra == "true" || extra == "false" {
			text += "; the value of such a flag follows =, as in --json=" + extra
		}
		return usageError(text)
	}
}
