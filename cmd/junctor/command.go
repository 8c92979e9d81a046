package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// command is one subcommand. It has either define or task.
type command struct {
	name     string
	operands string // as the help shows them
	about    string
	define   func(*flag.FlagSet) action
	task     func(*flag.FlagSet) task         // works on a store
	secret   func(*flag.FlagSet) secretSource // for the task; nil is none
	read     operandReader                    // for the task; nil is none
	local    bool                             // the task looks at a CouchDB from here, whatever server there is
}

// action does what a subcommand is for, once its flags are set.
type action func(ctx context.Context, p *process, operands []string) error

func commands() []command {
	return []command{
		{name: "serve", about: "serves the API until it is told to stop", define: defineServe},
		{name: "bootstrap", task: defineBootstrap,
			about: "makes a store usable: databases, settings, signing key, master account; may be repeated"},
		{name: "account", operands: "create NAME", task: defineAccount, secret: passwordFlags,
			about: "creates an account, and with --user its first user, an administrator"},
		{name: "user", operands: "create|passwd|enable|disable ACCOUNT USERNAME", task: defineUser, secret: passwordFlags,
			about: "creates, enables or disables a user, or changes a password; passwd and disable end the user's tokens"},
		{name: "cluster", operands: "add ID URL|list|remove ID", task: defineCluster, secret: apiKeyFlags,
			about: "says which other Kazoo clusters are asked about tokens for their routing"},
		{name: "routing", operands: "show [CLUSTER_ID]|set CLUSTER_ID FILE|lookup IP",
			task: defineRouting, read: readRoutingFile,
			about: "shows and changes routing clusters, and says whose an address is"},
		{name: "ips", operands: "rebuild --from-copies|repair [--confirm]", task: defineIPs,
			about: "rebuild writes to a lost pool what the accounts' copies say, and changes no address that it has; repair " +
				"makes the copies equal to the pool, and stops if that would remove many unless it is confirmed"},
		{name: "sup", operands: "MODULE FUNCTION [ARGUMENT…]", task: defineSup,
			about: "does what Kazoo's sup does; it knows kazoo_ips_maintenance, crossbar_maintenance create_account and " +
				"kapps_maintenance refresh"},
		{name: "doctor", task: defineDoctor, local: true,
			about: "looks at a store, as a Kazoo's CouchDB, and says what would break or should be looked at; it changes " +
				"nothing, and its exit code is 1 where something would break"},
		{name: "version", about: "prints the version", define: defineVersion},
	}
}

func find(name string) (command, bool) {
	for _, c := range commands() {
		if c.name == name {
			return c, true
		}
	}
	return command{}, false
}

func (c command) action(fs *flag.FlagSet) action {
	if c.task != nil {
		return c.onStore(fs)
	}
	return c.define(fs)
}

func printOverview(w io.Writer) {
	_, _ = fmt.Fprintln(w, "Usage: junctor SUBCOMMAND [FLAG…] [OPERAND…]\n\nSubcommands:")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range commands() {
		_, _ = fmt.Fprintf(table, "  %s\t%s\n", c.name, c.about)
	}
	_ = table.Flush()
	_, _ = fmt.Fprintln(w, "\n\"junctor SUBCOMMAND --help\" shows the flags of one.")
}

func (c command) printHelp(w io.Writer, fs *flag.FlagSet) {
	usage := strings.TrimSpace("junctor " + c.name + " [FLAG…] " + c.operands)
	_, _ = fmt.Fprintf(w, "Usage: %s\n\n%s %s.\n", usage, c.name, c.about)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "\nFLAG\tVARIABLE\tDEFAULT\tWHAT IT IS")
	fs.VisitAll(func(f *flag.Flag) {
		_, _ = fmt.Fprintf(table, "--%s\t%s\t%s\t%s\n", f.Name, variable(f.Name), f.DefValue, f.Usage)
	})
	_ = table.Flush()
}
