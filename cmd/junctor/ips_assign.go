package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"junctor/pkg/billing"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/inventory"
	"junctor/pkg/kazoo"
)

func (c *cli) ipsAssignCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "assign ACCOUNT IP...",
		Short: "Assign addresses to an account, all or none",
		Long: `Assigns addresses to an account, all or none. An address that another
account had until recently (it cools) is refused, unless --ignore-cooling is
given.

` + accountOperand,
		Args: operands(2, anyOperands),
	}
	accept := defineAcceptCharges(cmd)
	ignoreCooling := cmd.Flags().Bool("ignore-cooling", false, "assign addresses that cool, too")
	return c.storeCommand(cmd, storeTask{
		check: func(args []string) error { return checkAddresses(args[1:]) },
		run: func(ctx context.Context, a *app, args []string) error {
			holder, err := a.accounts.Find(ctx, args[0])
			if err != nil {
				return err
			}
			ips, err := a.pool.Assign(ctx, dedicatedip.AssignRequest{
				Account: holder.ID, Addresses: args[1:], Approve: a.approve(holder.ID, *accept), By: c.actor(history.CLI),
				IgnoreCooling: *ignoreCooling,
			})
			return c.printIPs(ctx, a, ips, refusedAddresses(err, args[1:]))
		},
	})
}

// anyOperands is how many operands a command takes at most that takes any number.
const anyOperands = 1 << 20

// defineAcceptCharges defines the flag of commands that the billing hook is asked about.
func defineAcceptCharges(cmd *cobra.Command) *bool {
	return cmd.Flags().Bool("accept-charges", false, "accept the charges that the billing hook of the server names")
}

// approve returns what asks the billing hook, nil if there is none.
func (a *app) approve(accountID string, accept bool) dedicatedip.Approve {
	if a.billing == nil {
		return nil
	}
	return func(ctx context.Context, quantity int) error {
		return a.billing.Approve(ctx, billing.Proposal{
			AccountID: accountID, AcceptCharges: accept,
			Items: []billing.Item{{Category: "ips", Item: "dedicated", Quantity: quantity}},
		})
	}
}

// printIPs prints addresses that were changed, as "ips list" does.
func (c *cli) printIPs(ctx context.Context, a *app, ips []dedicatedip.IP, err error) error {
	if err != nil {
		return err
	}
	holders := make([]string, len(ips))
	for i, ip := range ips {
		holders[i] = ip.AssignedTo()
	}
	names, _ := a.accountNames(ctx, holders...) // the change is made, with or without the names
	list, rows := make([]inventory.Row, len(ips)), [][]string{ipColumns}
	for i, ip := range ips {
		list[i] = inventory.Row{Address: ip.Address(), Notes: ip.Notes(), AccountName: names[ip.AssignedTo()]}
		rows = append(rows, ipCells(list[i]))
	}
	return c.print(list, rows, flexibleIPColumns...)
}

// refusedAddresses words the error of a request for several addresses. A rule that some break says so of each.
func refusedAddresses(err error, addresses []string) error {
	if !fault.Is(err, fault.Invalid) {
		return err
	}
	f, _ := errors.AsType[*fault.Error](err)
	fields, _ := f.Data.(fault.Fields)
	texts := []string{}
	for _, path := range slices.Sorted(maps.Keys(fields)) {
		number, found := strings.CutPrefix(path, "ips%2E")
		index, notNumber := strconv.Atoi(number)
		if !found || notNumber != nil || index >= len(addresses) {
			return err
		}
		for _, code := range slices.Sorted(maps.Keys(fields[path])) {
			detail, _ := fields[path][code].(map[string]any)
			text := fmt.Sprintf("\n  %s: %v", addresses[index], detail["message"])
			if until, ok := detail["until"].(int64); ok {
				text += ", and it cools until " + kazoo.FromGregorian(until).Format(time.RFC3339)
			}
			if code == "cooling" {
				text += "; --ignore-cooling assigns it all the same"
			}
			texts = append(texts, text)
		}
	}
	if len(texts) == 0 {
		return err
	}
	return fmt.Errorf("nothing is changed:%s", strings.Join(texts, ""))
}
