package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"junctor/pkg/ipaddr"
	"junctor/pkg/ipbatch"
	"junctor/pkg/progress"
)

func (c *cli) ipsAddCommand() *cobra.Command {
	var entry ipbatch.Entry
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "add IP|CIDR|RANGE --zone ZONE --host HOST",
		Short: "Add an address, a network or a range to the pool",
		Long: `Adds an address, a network (192.0.2.0/24) or a range (192.0.2.10-192.0.2.20) to
the pool. Of an IPv4 network the network and the broadcast address are left out,
unless --all is given.

An address that the pool has with the same zone and host stays as it is. One
that it has with another zone or host is refused, and the exit code is then 1.`,
		Args: operands(1, 1),
	}
	nameVar(cmd.Flags(), &entry.Zone, "zone", "`ZONE` of the addresses")
	nameVar(cmd.Flags(), &entry.Host, "host", "`HOST` of the addresses")
	cmd.Flags().StringVar(&entry.Notes, "notes", "", "`TEXT` about the addresses")
	cmd.Flags().BoolVar(&entry.All, "all", false, "add the network and the broadcast address, too")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print what would be done, and do nothing")
	return c.storeCommand(cmd, storeTask{
		check: func(args []string) error {
			if entry.Zone == "" || entry.Host == "" {
				return usageError("--zone and --host are needed")
			}
			return readAddresses(args[0], &entry)
		},
		dryRun: &dryRun,
		run: func(ctx context.Context, a *app, _ []string) error {
			block, _ := entry.Block() // check has parsed it
			size := block.Size(maxBlock)
			return c.createInBulk(ctx, a, dryRun, func(b *bulk) error {
				shown := progress.New(c.stderr, c.terminal.Interactive)
				defer shown.End()
				b.created = func() {
					done := b.Done.Created + b.Done.Unchanged
					shown.Show(int64(done), int64(size), fmt.Sprintf("%d addresses", done))
				}
				if err := b.add(ctx, 0, entry); err != nil {
					return err
				}
				return b.flush(ctx)
			})
		},
	})
}

// readAddresses reads an address, a network or a range.
func readAddresses(text string, into *ipbatch.Entry) error {
	var err error
	switch {
	case strings.Contains(text, "/"):
		into.CIDR = text
		_, err = ipaddr.ParseCIDR(text, into.All)
	case strings.Contains(text, "-"):
		into.Range = text
		_, err = ipaddr.ParseRange(text)
	default:
		into.IP = text
		return checkAddresses([]string{text})
	}
	if err != nil {
		return fmt.Errorf("%q %w", text, err)
	}
	return nil
}
