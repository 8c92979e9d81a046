package main

import (
	"context"

	"github.com/spf13/cobra"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/fault"
	"junctor/pkg/history"
)

func (c *cli) ipsEditCommand() *cobra.Command {
	var zone, host, notes string
	cmd := &cobra.Command{
		Use:   "edit IP",
		Short: "Change the zone, the host or the notes of an address",
		Long: `Changes the zone, the host or the notes of an address. What is not given stays
as it is; --notes "" removes the notes. If an account has the address, its copy
follows.`,
		Args: operands(1, 1),
	}
	flags := cmd.Flags()
	nameVar(flags, &zone, "zone", "the new `ZONE`")
	nameVar(flags, &host, "host", "the new `HOST`")
	flags.StringVar(&notes, "notes", "", "the new `TEXT` about the address")
	given := func(name string, value *string) *string {
		if flags.Changed(name) {
			return value
		}
		return nil
	}
	return c.storeCommand(cmd, storeTask{
		check: func(args []string) error {
			if !flags.Changed("zone") && !flags.Changed("host") && !flags.Changed("notes") {
				return usageError("--zone, --host or --notes is needed")
			}
			return checkAddresses(args)
		},
		run: func(ctx context.Context, a *app, args []string) error {
			ip, err := a.pool.Edit(ctx, dedicatedip.EditRequest{
				Address: args[0], Zone: given("zone", &zone), Host: given("host", &host), Notes: given("notes", &notes),
				By: c.actor(history.CLI),
			})
			return c.printEdited(ctx, a, ip, args[0], err)
		},
	})
}

// printEdited prints an address that was changed, or why it could not be.
func (c *cli) printEdited(ctx context.Context, a *app, ip dedicatedip.IP, text string, err error) error {
	if fault.Is(err, fault.BadIdentifier) {
		return notInPool(text)
	}
	return c.printIPs(ctx, a, []dedicatedip.IP{ip}, err)
}
