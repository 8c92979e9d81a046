package main

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"junctor/pkg/inventory"
)

func (c *cli) ipsSummaryCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "summary",
		Short: "Count the addresses by zone and host",
		Long: `Counts the addresses by zone and host. AVAILABLE includes those that
cool.`,
		Args: operands(0, 0),
	}
	return c.storeCommand(cmd, storeTask{
		readOnly: true,
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
