package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"junctor/pkg/history"
	"junctor/pkg/pooldb"
	"junctor/pkg/sup"
)

func (c *cli) supCommand() *cobra.Command {
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
	c.store.define(cmd.Flags())
	return c.storeCommand(cmd, storeTask{
		readOnly: true, // run installs what a call needs
		check: func(args []string) error {
			call, text, code := sup.Parse(args)
			if call != nil {
				return nil
			}
			c.printSup(text, code)
			return exitCode(code)
		},
		run: func(ctx context.Context, a *app, args []string) error {
			call, _, _ := sup.Parse(args)
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
				Settings:    a.accounts,
				Install:     func(ctx context.Context) error { return pooldb.Install(ctx, a.store) },
				Reconcile:   a.reconciler.Refresh,
			})
			c.printSup(text, code)
			return exitCode(code)
		},
	})
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
