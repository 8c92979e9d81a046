package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"junctor/pkg/cluster"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/ipaddr"
)

const errRouting = usageError(`routing: it takes "show [CLUSTER_ID]", "set CLUSTER_ID FILE", ` +
	`where - is standard input, or "lookup IP"`)

func defineRouting(fs *flag.FlagSet) task {
	asJSON := fs.Bool("json", false, "print a line of JSON")
	var direction string
	checked(fs, "direction", "", "of a lookup: inbound or outbound; none is both", func(text string) error {
		if direction = text; text != "" && text != cluster.Inbound && text != cluster.Outbound {
			return errors.New("neither inbound nor outbound")
		}
		return nil
	})
	return func(p *process, operands []string) (job, error) {
		switch verb := first(operands); {
		case verb == "show" && len(operands) == 1:
			return reading(func(ctx context.Context, w *workplace, p *process) error {
				return listRouting(ctx, w, p, *asJSON)
			}), nil
		case verb == "show" && len(operands) == 2:
			return reading(func(ctx context.Context, w *workplace, p *process) error {
				return showRouting(ctx, w, p, operands[1], *asJSON)
			}), nil
		case verb == "set" && len(operands) == 3:
			data, err := readRouting(operands[1], operands[2])
			if err != nil {
				return job{}, err
			}
			return writing(func(ctx context.Context, w *workplace, p *process) error {
				return setRouting(ctx, w, p, operands[1], data, *asJSON)
			}), nil
		case verb == "lookup" && len(operands) == 2:
			if _, ok := ipaddr.Parse(operands[1]); !ok {
				return job{}, fmt.Errorf("%q is no IP address", operands[1])
			}
			return reading(func(ctx context.Context, w *workplace, p *process) error {
				return lookUp(ctx, w, p, operands[1], direction, *asJSON)
			}), nil
		}
		return job{}, errRouting
	}
}

// maxRoutingFile bounds what is read as a cluster's document, in bytes. It has to fit into a socketRequest.
const maxRoutingFile = 1 << 20

// readRoutingFile puts the content of the file in its place among the operands.
func readRoutingFile(p *process, operands []string) ([]string, error) {
	if first(operands) != "set" || len(operands) != 3 {
		return operands, nil
	}
	from, name := p.stdin, "standard input"
	if operands[2] != "-" {
		file, err := os.Open(operands[2])
		if err != nil {
			return nil, err
		}
		defer file.Close()
		from, name = file, operands[2]
	}
	text, err := io.ReadAll(io.LimitReader(from, maxRoutingFile+1))
	if err == nil && len(text) > maxRoutingFile {
		err = fmt.Errorf("longer than %d bytes", maxRoutingFile)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return []string{operands[0], operands[1], string(text)}, nil
}

func listRouting(ctx context.Context, w *workplace, p *process, asJSON bool) error {
	clusters, err := w.routing.List(ctx)
	if err != nil && !neverInstalled(err) {
		return err
	}
	rows := [][]string{{"CLUSTER", "OWNER", "NAME", "RANDOMIZE"}}
	for _, c := range clusters {
		rows = append(rows, []string{c.ID, c.Owner, c.Name, strconv.FormatBool(c.RandomizeRouting)})
	}
	return p.print(asJSON, clusters, rows)
}

func showRouting(ctx context.Context, w *workplace, p *process, id string, asJSON bool) error {
	c, err := w.routing.Get(ctx, id)
	if fault.Is(err, fault.BadIdentifier) || neverInstalled(err) {
		return fmt.Errorf("there is no routing cluster %q", id)
	}
	if err != nil {
		return err
	}
	return p.print(asJSON, c, routingRows("cluster", c))
}

// setRouting makes a cluster what data says, whether there was one or not.
func setRouting(
	ctx context.Context, w *workplace, p *process, id string, data document.Document, asJSON bool,
) error {
	done := "replaced"
	c, err := w.routing.Replace(ctx, id, data, cluster.Author{}, nil)
	if fault.Is(err, fault.BadIdentifier) {
		done = "created"
		c, err = w.routing.Create(ctx, id, data, cluster.Author{})
	}
	switch {
	case fault.Is(err, fault.BadIdentifier):
		return fmt.Errorf("%q can't be the id of a cluster", id)
	case fault.Is(err, fault.Invalid):
		return errors.New("nothing is changed:\n  " + strings.Join(findings(err), "\n  "))
	case err != nil:
		return err
	}
	return p.print(asJSON, c, routingRows(done, c))
}

// readRouting reads a document as "show --json" prints it, or one in an envelope, as the API takes and answers it.
func readRouting(id, text string) (document.Document, error) {
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

// routingRows is a cluster's document for people; title is what its id stands behind.
func routingRows(title string, c cluster.Cluster) [][]string {
	doc := c.Public()
	rows := [][]string{{title, c.ID()}, {"owner", doc.String("owner")}, {"name", doc.String("name")},
		{"randomize", strconv.FormatBool(doc.Bool("randomize_routing"))}}
	ips, _ := doc["ips"].(map[string]any)
	for _, direction := range []string{cluster.Inbound, cluster.Outbound} {
		zones, _ := ips[direction].(map[string]any)
		for _, zone := range slices.Sorted(maps.Keys(zones)) {
			addresses := strings.Join(document.Document(zones).Strings(zone), " ")
			rows = append(rows, []string{direction, zone, cmp.Or(addresses, "no addresses")})
		}
	}
	return rows
}

// lookUp says whose an address is. A server knows; anybody else has to read the clusters first.
func lookUp(ctx context.Context, w *workplace, p *process, ip, direction string, asJSON bool) error {
	var err error
	if p.at == nil {
		err = w.routing.Load(ctx)
	}
	holdings := []cluster.Holding{}
	if err == nil {
		holdings, err = w.routing.Lookup(ip, direction)
	}
	if err != nil && !neverInstalled(err) {
		return err
	}
	rows := [][]string{{"CLUSTER", "OWNER", "NAME", "DIRECTION", "ZONE"}}
	for _, h := range holdings {
		rows = append(rows, []string{h.ClusterID, h.Owner, h.Name, h.Direction, h.Zone})
	}
	if len(holdings) == 0 {
		rows = [][]string{{strings.TrimSpace("no cluster has " + ip + " " + direction)}}
	}
	return p.print(asJSON, holdings, rows)
}
