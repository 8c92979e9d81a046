package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"junctor/pkg/history"
	"junctor/pkg/pooldb"
	"junctor/pkg/sup"
)

func (c *cli) supCommand() *cobra.Command {
	var call *sup.Call
	cmd := &cobra.Command{
		Use:   "sup MODULE FUNCTION [ARGUMENT...]",
		Short: "Run a maintenance function, as Kazoo's sup does",
		Long: `Runs a function of Kazoo's maintenance modules, with Kazoo's texts and exit
codes. These are known:

  kazoo_ips_maintenance add IP ZONE HOST
  kazoo_ips_maintenance assign IP ACCOUNT
  kazoo_ips_maintenance release IP
  kazoo_ips_maintenance delete IP
  kazoo_ips_maintenance summary [HOST]
  kazoo_ips_maintenance refresh
  crossbar_maintenance create_account NAME REALM USERNAME PASSWORD
  kapps_maintenance refresh dedicated_ips
  kapps_config get CATEGORY KEY [DEFAULT]
  kapps_config set_default CATEGORY KEY VALUE`,
		Args: cobra.ArbitraryArgs, // sup.Parse counts them
	}
	return c.storeCommand(cmd, storeTask{
		asIs: true, // run installs what a call needs
		check: func(args []string) error {
			var text string
			var code int
			if call, text, code = sup.Parse(args); call != nil {
				return nil
			}
			c.printSup(text, code)
			return exitCode(code)
		},
		run: func(ctx context.Context, a *app, _ []string) error {
			if !call.ReadOnly() {
				if err := installWithoutPool(ctx, a.store); err != nil {
					return err
				}
			}
			text, code := call.Run(ctx, sup.Deps{
				Pool:        a.pool,
				Views:       a.store,
				Accounts:    a.accounts,
				By:          c.actor(history.Sup),
				Provisioner: a.provisioner,
				Install:     func(ctx context.Context) error { return pooldb.Install(ctx, a.store) },
				Reconcile:   func(ctx context.Context) error { return a.reconciler.Repair(ctx, false) },
			})
			c.printSup(text, code)
			return exitCode(code)
		},
	})
}

// withNumbers returns the arguments of "sup" in an order in which a negative number is an operand, such as the -1 of
// "max_per_account -1", which Kazoo's sup takes: flags, "--" and operands. Other arguments stay as they are.
func withNumbers(args []string) []string {
	number := func(arg string) bool { return len(arg) > 1 && arg[0] == '-' && arg[1] >= '0' && arg[1] <= '9' }
	if len(args) == 0 || args[0] != "sup" || slices.Contains(args, "--") || !slices.ContainsFunc(args, number) {
		return args
	}
	flags, operands := []string{"sup"}, []string{"--"}
	for rest := args[1:]; len(rest) > 0; {
		n := 1
		if !strings.HasPrefix(rest[0], "-") || number(rest[0]) {
			operands = append(operands, rest[0])
		} else {
			if name := strings.TrimPrefix(rest[0], "--"); name == "store" || name == "state-dir" {
				n = min(2, len(rest)) // with the value
			}
			flags = append(flags, rest[:n]...)
		}
		rest = rest[n:]
	}
	return append(flags, operands...)
}

// printSup prints the result of a function.
func (c *cli) printSup(text string, code int) {
	switch {
	case code != 0:
		_, _ = fmt.Fprintln(c.stderr, "junctor: "+text)
	case text != "":
		_, _ = fmt.Fprintln(c.stdout, text)
	}
}
