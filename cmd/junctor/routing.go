package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/routing"
)

func (c *cli) routingCommand() *cobra.Command {
	return group(&cobra.Command{Use: "routing", Short: "Show and change routing clusters, and look addresses up"},
		c.routingShowCommand(), c.routingSetCommand(), c.routingLookupCommand())
}

func (c *cli) routingShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show [CLUSTER_ID]",
		Short: "Show one routing cluster, or list all",
		Args:  operands(0, 1),
	}
	return c.storeCommand(cmd, storeTask{
		asIs: true,
		run: func(ctx context.Context, a *app, args []string) error {
			if len(args) == 0 {
				return c.listRouting(ctx, a)
			}
			return c.showRouting(ctx, a, args[0])
		},
	})
}

func (c *cli) routingSetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "set CLUSTER_ID FILE",
		Short: "Create or replace a routing cluster",
		Long: `Creates a routing cluster, or replaces it, with the JSON document in a file, as
"junctor routing show --json" prints it. The file "-" is standard input.`,
		Args: operands(2, 2),
	}
	return c.storeCommand(cmd, storeTask{
		input: func(args []string) (string, error) {
			text, err := c.readRoutingFile(args[1])
			if err == nil {
				_, err = parseRouting(args[0], text)
			}
			return text, err
		},
		run: func(ctx context.Context, a *app, args []string) error {
			data, err := parseRouting(args[0], c.input)
			if err != nil {
				return err
			}
			return c.setRouting(ctx, a, args[0], data)
		},
	})
}

func (c *cli) routingLookupCommand() *cobra.Command {
	var direction string
	cmd := &cobra.Command{
		Use:   "lookup IP",
		Short: "Print which cluster an address belongs to",
		Args:  operands(1, 1),
	}
	choiceVar(cmd.Flags(), &direction, "direction", "", "`DIRECTION` of the calls: inbound or outbound (default both)",
		routing.Inbound, routing.Outbound)
	return c.storeCommand(cmd, storeTask{
		asIs:  true,
		check: checkAddresses,
		run:   func(ctx context.Context, a *app, args []string) error { return c.lookUp(ctx, a, args[0], direction) },
	})
}

// maxRoutingFile bounds a cluster's document, in bytes.
const maxRoutingFile = 1 << 20

// readRoutingFile reads the file that holds a cluster's document; "-" is standard input.
func (c *cli) readRoutingFile(name string) (string, error) {
	from, err := c.openInput(name)
	if err != nil {
		return "", err
	}
	defer from.Close()
	if name == "-" {
		name = "standard input"
	}
	text, err := io.ReadAll(io.LimitReader(from, maxRoutingFile+1))
	if err == nil && len(text) > maxRoutingFile {
		err = fmt.Errorf("longer than %d bytes", maxRoutingFile)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return string(text), nil
}

func (c *cli) listRouting(ctx context.Context, a *app) error {
	clusters, err := a.routing.List(ctx)
	if err != nil && !neverInstalled(err) {
		return err
	}
	rows := [][]string{{"CLUSTER", "OWNER", "NAME", "RANDOMIZE"}}
	for _, listed := range clusters {
		rows = append(rows, []string{listed.ID, listed.Owner, listed.Name, strconv.FormatBool(listed.RandomizeRouting)})
	}
	return c.print(clusters, rows)
}

func (c *cli) showRouting(ctx context.Context, a *app, id string) error {
	found, err := a.routing.Get(ctx, id)
	if fault.Is(err, fault.BadIdentifier) || neverInstalled(err) {
		return fmt.Errorf("there is no routing cluster %q", id)
	}
	if err != nil {
		return err
	}
	return c.print(found, routingRows("cluster", found))
}

// setRouting replaces a cluster by data, or creates it.
func (c *cli) setRouting(ctx context.Context, a *app, id string, data document.Document) error {
	done := "replaced"
	set, err := a.routing.Replace(ctx, id, data, routing.Author{}, nil)
	if fault.Is(err, fault.BadIdentifier) {
		done = "created"
		set, err = a.routing.Create(ctx, id, data, routing.Author{})
	}
	switch {
	case fault.Is(err, fault.BadIdentifier):
		return fmt.Errorf("%q can't be the id of a cluster", id)
	case fault.Is(err, fault.Invalid):
		return errors.New("nothing is changed:\n  " + strings.Join(findings(err), "\n  "))
	case err != nil:
		return err
	}
	return c.print(set, routingRows(done, set))
}

// parseRouting parses a document as "routing show --json" prints it, or one in the envelope of the API.
func parseRouting(id, text string) (document.Document, error) {
	data, err := document.Decode([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("the file does not hold a JSON object: %w", err)
	}
	if inner, ok := data["data"].(map[string]any); ok && data["ips"] == nil {
		data = inner
	}
	if other := data.String("id"); other != "" && other != id {
		return nil, fmt.Errorf("nothing is changed: the file is about cluster %s", other)
	}
	return data, nil
}

// routingRows returns the table of a cluster's document; title stands before its id.
func routingRows(title string, c routing.Cluster) [][]string {
	doc := c.Public()
	rows := [][]string{{title, c.ID()}, {"owner", doc.String("owner")}, {"name", doc.String("name")},
		{"randomize", strconv.FormatBool(doc.Bool("randomize_routing"))}}
	ips, _ := doc["ips"].(map[string]any)
	for _, direction := range []string{routing.Inbound, routing.Outbound} {
		zones, _ := ips[direction].(map[string]any)
		for _, zone := range slices.Sorted(maps.Keys(zones)) {
			addresses := strings.Join(document.Document(zones).Strings(zone), " ")
			rows = append(rows, []string{direction, zone, cmp.Or(addresses, "no addresses")})
		}
	}
	return rows
}

// lookUp prints which clusters an address belongs to. A server has them in memory; otherwise they are read first.
func (c *cli) lookUp(ctx context.Context, a *app, ip, direction string) error {
	var err error
	if c.app == nil {
		err = a.routing.Load(ctx)
	}
	holdings := []routing.Owner{}
	if err == nil {
		holdings, err = a.routing.Lookup(ip, direction)
	}
	if err != nil && !neverInstalled(err) {
		return err
	}
	rows := [][]string{{"CLUSTER", "OWNER", "NAME", "DIRECTION", "ZONE"}}
	for _, held := range holdings {
		rows = append(rows, []string{held.ClusterID, held.Owner, held.Name, held.Direction, held.Zone})
	}
	if len(holdings) == 0 {
		rows = [][]string{{strings.TrimSpace("no cluster has " + ip + " " + direction)}}
	}
	return c.print(holdings, rows)
}
