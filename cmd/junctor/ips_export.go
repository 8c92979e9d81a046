package main

import (
	"context"

	"github.com/spf13/cobra"

	"junctor/pkg/inventory"
	"junctor/pkg/ipfile"
)

func (c *cli) ipsExportCommand() *cobra.Command {
	var filter ipsFilter
	var format string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Print addresses of the pool as \"ips import\" reads them",
		Long: `Prints the addresses of the pool as CSV or JSON, which "junctor ips import"
reads. The output has the status and the account of each address, too; "ips
import" ignores them.`,
		Args: operands(0, 0),
	}
	filter.define(cmd)
	choiceVar(cmd.Flags(), &format, "format", "csv", "`FORMAT`: csv or json", ipfile.Formats...)
	return c.storeCommand(cmd, storeTask{
		asIs:  true,
		check: filter.check,
		run: func(ctx context.Context, a *app, _ []string) error {
			if c.asJSON {
				format = "json"
			}
			w, err := ipfile.NewWriter(c.stdout, format)
			if err != nil {
				return err
			}
			err = filter.each(ctx, a, func(r inventory.Row) error {
				return w.Write(ipfile.Address{
					IP: r.IP, Zone: r.Zone, Host: r.Host, Notes: r.Notes, Status: r.Status, AssignedTo: r.AssignedTo,
				})
			})
			if err != nil {
				return err
			}
			return w.Close()
		},
	})
}
