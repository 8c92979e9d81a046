package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"strings"
	"text/tabwriter"
)

func defineBootstrap(fs *flag.FlagSet) task {
	asJSON := fs.Bool("json", false, "print a line of JSON")
	return func(p *process, operands []string) (job, error) {
		if err := noOperands("bootstrap", operands); err != nil {
			return job{}, err
		}
		return writing(func(ctx context.Context, w *workplace, p *process) error {
			b, err := w.bootstrap(ctx)
			if err != nil {
				return err
			}
			return p.print(*asJSON, b, [][]string{
				{"master account", b.AccountID}, {"its API key", b.APIKey}, {"cluster", b.ClusterID},
			})
		}), nil
	}
}

// print shows a result: value as a line of JSON, or rows for people.
func (p *process) print(asJSON bool, value any, rows [][]string) error {
	if asJSON {
		return json.NewEncoder(p.stdout).Encode(value)
	}
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		_, _ = fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	return table.Flush()
}
