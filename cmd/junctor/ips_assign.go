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
	fields := fieldsOf(err)
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

// maxAllocated bounds one allocation, as in the API.
const maxAllocated = 1000

func (c *cli) ipsAllocateCommand() *cobra.Command {
	var request dedicatedip.AllocateRequest
	cmd := &cobra.Command{
		Use:   "allocate ACCOUNT NUMBER",
		Short: "Assign a number of available addresses to an account",
		Long:  "Assigns a NUMBER of available addresses to an account, all or none. junctor\nchooses them.\n\n" + accountOperand,
		Args:  operands(2, 2),
	}
	nameVar(cmd.Flags(), &request.Zone, "zone", "`ZONE` of the addresses")
	cmd.Flags().BoolVar(&request.Spread, "spread", false, "take about as many from each zone")
	accept := defineAcceptCharges(cmd)
	return c.storeCommand(cmd, storeTask{
		check: func(args []string) (err error) {
			request.Quantity, err = strconv.Atoi(args[1])
			if err != nil || request.Quantity < 1 || request.Quantity > maxAllocated {
				return usageError("NUMBER must be from 1 to " + strconv.Itoa(maxAllocated))
			}
			if request.Spread && request.Zone != "" {
				return usageError("--zone and --spread exclude each other")
			}
			return nil
		},
		run: func(ctx context.Context, a *app, args []string) error {
			holder, err := a.accounts.Find(ctx, args[0])
			if err != nil {
				return err
			}
			request.Account, request.Approve, request.By = holder.ID, a.approve(holder.ID, *accept), c.actor(history.CLI)
			ips, err := a.pool.Allocate(ctx, request)
			return c.printIPs(ctx, a, ips, tooFew(err, request))
		},
	})
}

// tooFew words the error of an allocation that asked for more than there is.
func tooFew(err error, r dedicatedip.AllocateRequest) error {
	f, _ := errors.AsType[*fault.Error](err)
	if f == nil || f.Kind != fault.Conflict {
		return err
	}
	data, _ := f.Data.(map[string]any)
	available, known := data["available"]
	if !known {
		return err
	}
	where := ""
	if r.Zone != "" {
		where = " in zone " + r.Zone
	}
	return fmt.Errorf("nothing is assigned: of the %d addresses asked for %v are available%s", r.Quantity, available, where)
}

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
			if fieldsOf(err)["assigned_to"]["superfluous"] != nil {
				return fmt.Errorf("no account has %s: \"junctor ips assign\" assigns it", args[0])
			}
			return c.printEdited(ctx, a, ip, args[0], err)
		},
	})
}
