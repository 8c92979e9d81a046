package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"junctor/pkg/inventory"
	"junctor/pkg/ipaddr"
	"junctor/pkg/kazoo"
)

func (c *cli) ipsListCommand() *cobra.Command {
	var filter ipsFilter
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List addresses of the pool",
		Long: `Lists the addresses of the pool, in order. With several filters an address has
to pass all.`,
		Args: operands(0, 0),
	}
	filter.define(cmd)
	return c.storeCommand(cmd, storeTask{
		asIs:  true,
		check: filter.check,
		run: func(ctx context.Context, a *app, _ []string) error {
			list := c.newListing(ipColumns, flexibleIPColumns...)
			return list.end(filter.each(ctx, a, func(r inventory.Row) error { return list.add(r, ipCells(r)...) }))
		},
	})
}

// ipColumns is the first row of a table of addresses.
var ipColumns = []string{"IP", "ZONE", "HOST", "STATUS", "ACCOUNT", "NAME", "NOTES"}

var flexibleIPColumns = []int{1, 2, 5, 6}

// ipCells returns the row of an address.
func ipCells(r inventory.Row) []string {
	return []string{r.IP, r.Zone, r.Host, r.Status, r.AssignedTo, r.AccountName, oneLine(r.Notes)}
}

// accountNames returns the names of accounts by id. Accounts that do not exist, and empty ids, have none.
func (a *app) accountNames(ctx context.Context, ids ...string) (map[string]string, error) {
	slices.Sort(ids)
	ids = slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return id == "" })
	return a.accountList.Names(ctx, ids)
}

// ipsFilter is the flags that say which addresses to list.
type ipsFilter struct {
	request inventory.SearchRequest
	account string // as the operator calls it
	cooling bool   // counts if the flag was given
	flags   *pflag.FlagSet
}

func (f *ipsFilter) define(cmd *cobra.Command) {
	flags := cmd.Flags()
	f.flags = flags
	nameVar(flags, &f.request.Zone, "zone", "`ZONE` of the addresses")
	nameVar(flags, &f.request.Host, "host", "`HOST` of the addresses")
	choiceVar(flags, &f.request.Status, "status", "", "`STATUS` of the addresses: available or assigned",
		kazoo.Available, kazoo.Assigned)
	mark(flags, "status", notEmpty)
	flags.BoolVar(&f.cooling, "cooling", false, "only addresses that cool: available, but not yet to other accounts; =false lists the others")
	nameVar(flags, &f.account, "account", "id, realm or name of the `ACCOUNT` that has the addresses")
	nameVar(flags, &f.request.CIDR, "cidr", "`NETWORK` that the addresses are in, as 192.0.2.0/24")
	flags.StringVar(&f.request.Search, "search", "", "`TEXT` that the address, the host or the account's name begins with")
}

func (f *ipsFilter) check([]string) error {
	if f.request.CIDR != "" {
		if _, err := ipaddr.ParseBlock(f.request.CIDR); err != nil {
			return usageError(fmt.Sprintf("--cidr: %q %s", f.request.CIDR, err))
		}
	}
	return nil
}

// each passes the addresses to row, in order. A store without a pool has none.
func (f *ipsFilter) each(ctx context.Context, a *app, row func(inventory.Row) error) error {
	request := f.request
	if f.flags.Changed("cooling") {
		request.Cooling = &f.cooling
	}
	if f.account != "" {
		holder, err := a.accounts.Find(ctx, f.account)
		if err != nil {
			return err
		}
		request.AssignedTo = holder.ID
	}
	request.PageSize = inventory.MaxPageSize
	for {
		page, err := a.inventory.Search(ctx, request)
		if neverInstalled(err) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, r := range page.Rows {
			if err := row(r); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		request.StartKey = page.Next
	}
}
