package main

import (
	"context"

	"github.com/spf13/cobra"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/history"
)

func (c *cli) ipsReleaseCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "release ACCOUNT IP...",
		Short: "Take addresses back from an account, all or none",
		Long:  "Takes addresses back from an account, all or none.\n\n" + accountOperand,
		Args:  operands(2, anyOperands),
	}
	return c.storeCommand(cmd, storeTask{
		check: func(args []string) error { return checkAddresses(args[1:]) },
		run: func(ctx context.Context, a *app, args []string) error {
			holder, err := a.accounts.Find(ctx, args[0])
			if err != nil {
				return err
			}
			ips, err := a.pool.Release(ctx, dedicatedip.ReleaseRequest{
				Account: holder.ID, Addresses: args[1:], By: c.actor(history.CLI),
			})
			return c.printIPs(ctx, a, ips, refusedAddresses(err, args[1:]))
		},
	})
}
