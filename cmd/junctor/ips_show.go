package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"junctor/pkg/inventory"
	"junctor/pkg/ipaddr"
	"junctor/pkg/kazoo"
)

func (c *cli) ipsShowCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "show IP", Short: "Show an address of the pool", Args: operands(1, 1)}
	return c.storeCommand(cmd, storeTask{
		asIs:  true,
		check: checkAddresses,
		run: func(ctx context.Context, a *app, args []string) error {
			page, err := a.inventory.Search(ctx, inventory.SearchRequest{CIDR: args[0]})
			if err == nil && len(page.Rows) == 0 || neverInstalled(err) {
				return notInPool(args[0])
			}
			if err != nil {
				return err
			}
			return c.print(page.Rows[0], shownIP(page.Rows[0]))
		},
	})
}

func notInPool(text string) error { return fmt.Errorf("the pool has no address %s", text) }

func shownIP(r inventory.Row) [][]string {
	rows := [][]string{{"address", r.IP}, {"zone", r.Zone}, {"host", r.Host}, {"status", r.Status}}
	if r.AssignedTo != "" {
		rows = append(rows, []string{"account", strings.TrimSpace(r.AssignedTo + " " + r.AccountName)})
	}
	if r.CoolingUntil != 0 {
		rows = append(rows, []string{"cooling", "until " + kazoo.FromGregorian(r.CoolingUntil).Format(time.RFC3339)})
	}
	return append(rows, []string{"notes", cmp.Or(oneLine(r.Notes), "none")})
}

// oneLine returns a text without line breaks, for a cell of a table.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// checkAddresses refuses what is not an address.
func checkAddresses(texts []string) error {
	for _, text := range texts {
		if _, ok := ipaddr.Parse(text); !ok {
			return fmt.Errorf("%q is not an IP address", text)
		}
	}
	return nil
}

func (c *cli) ipsSummaryCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "summary",
		Short: "Count the addresses by zone and host",
		Long: `Counts the addresses by zone and host. AVAILABLE includes those that
cool.`,
		Args: operands(0, 0),
	}
	return c.storeCommand(cmd, storeTask{
		asIs: true,
		run: func(ctx context.Context, a *app, _ []string) error {
			s, err := a.inventory.Summary(ctx)
			if err != nil && !neverInstalled(err) {
				return err
			}
			return c.print(s, summaryRows(s), 0, 1)
		},
	})
}

func summaryRows(s inventory.Summary) [][]string {
	rows := [][]string{{"ZONE", "HOST", "AVAILABLE", "ASSIGNED", "COOLING"}}
	add := func(zone, host string, n inventory.Counts) {
		rows = append(rows, []string{cmp.Or(zone, "none"), cmp.Or(host, "none"), strconv.Itoa(n.Available),
			strconv.Itoa(n.Assigned), strconv.Itoa(n.Cooling)})
	}
	for _, zone := range slices.Sorted(maps.Keys(s.Zones)) {
		for _, host := range slices.Sorted(maps.Keys(s.Zones[zone].Hosts)) {
			add(zone, host, *s.Zones[zone].Hosts[host])
		}
	}
	add("all", "all", s.Total)
	return rows
}
