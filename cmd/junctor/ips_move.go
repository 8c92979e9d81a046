package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/fault"
	"junctor/pkg/history"
)

func (c *cli) ipsMoveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "move IP ACCOUNT",
		Short: "Give an address that an account has to another account",
		Long: `Gives an address that an account has to another account. This is one write, so
that the address is never available in between. An address that no account has
is refused: "junctor ips assign" assigns it.

` + accountOperand,
		Args: operands(2, 2),
	}
	accept := defineAcceptCharges(cmd)
	return c.storeCommand(cmd, storeTask{
		check: func(args []string) error { return checkAddresses(args[:1]) },
		run: func(ctx context.Context, a *app, args []string) error {
			holder, err := a.accounts.Find(ctx, args[1])
			if err != nil {
				return err
			}
			ip, err := a.pool.Edit(ctx, dedicatedip.EditRequest{
				Address: args[0], AssignedTo: &holder.ID, Approve: a.approve(holder.ID, *accept), By: c.actor(history.CLI),
			})
			if isUnassigned(err) {
				return fmt.Errorf("no account has %s: \"junctor ips assign\" assigns it", args[0])
			}
			return c.printEdited(ctx, a, ip, args[0], err)
		},
	})
}

// isUnassigned reports whether a move failed because no account has the address.
func isUnassigned(err error) bool {
	f, _ := errors.AsType[*fault.Error](err)
	if f == nil {
		return false
	}
	fields, _ := f.Data.(fault.Fields)
	return fields["assigned_to"]["superfluous"] != nil
}
