package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/ipaddr"
)

func (c *cli) ipsDeleteCommand() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "delete IP...",
		Short: "Delete addresses from the pool",
		Long: `Deletes addresses from the pool. If an account has one of them, nothing is
deleted, unless --force is given: the account then loses the address.`,
		Args: operands(1, anyOperands),
	}
	cmd.Flags().BoolVar(&force, "force", false, "delete addresses that accounts have, too")
	return c.storeCommand(cmd, storeTask{
		check: checkAddresses,
		run: func(ctx context.Context, a *app, args []string) error {
			args = distinctAddresses(args)
			revisions, err := a.deletable(ctx, args, force)
			if err != nil {
				return err
			}
			var deleted []dedicatedip.IP
			for i, text := range args {
				request := dedicatedip.DeleteRequest{Address: text, By: c.actor(history.CLI)}
				if !force { // an account may have got it since
					request.IfMatch = func(revision string) bool { return revision == revisions[i] }
				}
				ip, err := a.pool.Delete(ctx, request)
				if fault.Is(err, fault.PreconditionFailed) {
					err = errors.New("it was changed at this moment")
				}
				if err != nil {
					if len(deleted) > 0 {
						_ = c.printDeleted(deleted)
					}
					return partial{fmt.Errorf("%s: %w", text, err), fmt.Sprintf("%d of %d addresses are deleted", len(deleted), len(args))}
				}
				deleted = append(deleted, ip)
			}
			return c.printDeleted(deleted)
		},
	})
}

// distinctAddresses returns addresses each once, in whatever spelling they are given.
func distinctAddresses(texts []string) []string {
	seen := map[netip.Addr]bool{}
	return slices.DeleteFunc(slices.Clone(texts), func(text string) bool {
		addr, _ := ipaddr.Parse(text)
		known := seen[addr]
		seen[addr] = true
		return known
	})
}

// deletable returns the revisions of addresses that may be deleted: the pool has them, and, unless force is given, no
// account has them.
func (a *app) deletable(ctx context.Context, texts []string, force bool) (revisions []string, err error) {
	var problems []string
	for _, text := range texts {
		ip, err := a.pool.Read().Get(ctx, text)
		switch {
		case fault.Is(err, fault.BadIdentifier) || neverInstalled(err):
			problems = append(problems, text+": the pool does not have it")
		case err != nil:
			return nil, err
		case ip.AssignedTo != "" && !force:
			problems = append(problems, text+": account "+ip.AssignedTo+" has it; --force deletes it all the same")
		}
		revisions = append(revisions, ip.Revision)
	}
	if problems != nil {
		return nil, fmt.Errorf("nothing is deleted:\n  %s", strings.Join(problems, "\n  "))
	}
	return revisions, nil
}

// printDeleted prints addresses as they were.
func (c *cli) printDeleted(ips []dedicatedip.IP) error {
	list, rows := make([]dedicatedip.Address, len(ips)), [][]string{}
	for i, ip := range ips {
		list[i] = ip.Address()
		row := []string{"deleted", ip.ID()}
		if holder := ip.AssignedTo(); holder != "" {
			row = append(row, "which account "+holder+" had")
		}
		rows = append(rows, row)
	}
	return c.print(list, rows)
}
