package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/history"
)

func (c *cli) ipsCommand() *cobra.Command {
	commands := []*cobra.Command{
		c.ipsListCommand(), c.ipsShowCommand(), c.ipsSummaryCommand(), c.ipsAddCommand(), c.ipsImportCommand(),
		c.ipsExportCommand(), c.ipsAssignCommand(), c.ipsAllocateCommand(), c.ipsReleaseCommand(), c.ipsMoveCommand(),
		c.ipsEditCommand(), c.ipsDeleteCommand(), c.ipsHistoryCommand(), c.ipsRebuildCommand(), c.ipsRepairCommand(),
	}
	for _, cmd := range commands {
		withoutVariable(cmd)
	}
	return group(&cobra.Command{Use: "ips", Short: "Manage the pool of dedicated IPs"}, commands...)
}

func (c *cli) ipsRebuildCommand() *cobra.Command {
	var fromCopies bool
	cmd := &cobra.Command{
		Use:   "rebuild --from-copies",
		Short: "Rebuild a lost pool from the accounts' copies",
		Long: `Rebuilds a lost pool from the copies in the accounts' databases. It changes no
address that the pool has, and may be repeated.

Copies that contradict each other or the pool are listed and skipped. The exit
code is then 1.`,
		Args: operands(0, 0),
	}
	cmd.Flags().BoolVar(&fromCopies, "from-copies", false, "rebuild from the accounts' copies; required")
	return c.storeCommand(cmd, storeTask{
		check: func([]string) error {
			if !fromCopies {
				return usageError("--from-copies is missing: there is no other way to rebuild the pool")
			}
			return nil
		},
		run: func(ctx context.Context, a *app, _ []string) error { return c.rebuildPool(ctx, a) },
	})
}

// rebuildPool fails if addresses are left to the operator, after it has listed them.
func (c *cli) rebuildPool(ctx context.Context, a *app) error {
	done, err := a.pool.RebuildFromCopies(ctx, a.reconciler, a.store, c.actor(history.CLI))
	if err != nil {
		return partial{err, fmt.Sprintf("%d addresses were restored, and the command may be run again", done.Restored)}
	}
	rows := [][]string{{fmt.Sprintf("read the copies of %d accounts: %d addresses restored, %d were in the pool", done.Accounts,
		done.Restored, done.Present)}}
	rows = append(rows, claimRows("contested", done.Contested)...)
	rows = append(rows, claimRows("unclear", done.Unclear)...)
	if err := c.print(done, rows); err != nil {
		return err
	}
	if left := len(done.Contested) + len(done.Unclear); left > 0 {
		return fmt.Errorf("%d copies contradict each other or the pool, and were left out: decide who holds each address, add it to the "+
			"pool and assign it; the next full pass then removes the copies of the others", left)
	}
	return nil
}

func claimRows(kind string, claims []dedicatedip.Claim) (rows [][]string) {
	for _, claim := range claims {
		row := []string{kind, claim.IP, "copy of account " + claim.Account, "zone " + claim.Zone, "host " + claim.Host}
		if claim.Holder != "" {
			row = append(row, "the pool says "+claim.Holder)
		}
		rows = append(rows, row)
	}
	return rows
}

func (c *cli) ipsRepairCommand() *cobra.Command {
	var confirm bool
	cmd := &cobra.Command{
		Use:   "repair",
		Short: "Make the accounts' copies equal to the pool",
		Long: `Makes the accounts' copies equal to the pool. It stops before it removes many
copies that the pool does not explain, unless that is confirmed.`,
		Args: operands(0, 0),
	}
	cmd.Flags().BoolVar(&confirm, "confirm", false, "remove copies, however many they are")
	return c.storeCommand(cmd, storeTask{run: func(ctx context.Context, a *app, _ []string) error {
		if err := a.reconciler.Repair(ctx, confirm); err != nil {
			return err
		}
		return c.print(map[string]bool{"equal": true}, [][]string{{"the copies of all accounts equal the pool"}})
	}})
}
