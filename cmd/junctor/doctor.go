package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"junctor/pkg/account"
	"junctor/pkg/billing"
	"junctor/pkg/doctor"
	"junctor/pkg/store"
)

func (c *cli) doctorCommand() *cobra.Command {
	var zone, amqpURL, kazooURL string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Examine a store, such as a Kazoo's CouchDB, and change nothing",
		Long: `Examines a store, such as a Kazoo's CouchDB, and says what to do about what it
finds. It changes nothing. The exit code is 1 if something is broken.`,
		Args: operands(0, 0),
	}
	cmd.Flags().StringVar(&zone, "zone", "", "Kazoo `ZONE` of the node that is to serve")
	cmd.Flags().StringVar(&amqpURL, "amqp-url", "", amqpUsage)
	mark(cmd.Flags(), "amqp-url", isSecret)
	cmd.Flags().StringVar(&kazooURL, "kazoo-url", "", kazooUsage)
	return c.storeCommand(cmd, storeTask{
		asIs:  true,
		local: true, // it looks at a CouchDB from this machine
		check: func([]string) error {
			return checkFlags([]flagCheck{
				{"zone", checkZone(zone)},
				{"amqp-url", optional(amqpURL, checkBroker)},
				{"kazoo-url", optional(kazooURL, checkKazoo)},
			})
		},
		run: func(ctx context.Context, a *app, _ []string) error {
			o := doctor.Options{AMQP: amqpURL, Node: account.Node{Name: nodeName(), Zone: zone}}
			if kazooURL != "" {
				kazoo, err := newKazoo(kazooURL, a.store, o.Node, billing.KazooOptions{})
				if err != nil {
					return err
				}
				defer kazoo.Close()
				o.Kazoo = kazoo.Check
			}
			if store.IsCouchDB(c.store.dsn) {
				o.CouchDB = c.store.dsn
			} else {
				o.Alone = true
			}
			findings := doctor.Examine(ctx, a.store, o)
			if err := c.print(findings, doctorRows(findings)); err != nil {
				return err
			}
			if doctor.Worst(findings) == doctor.Broken {
				return exitCode(1)
			}
			return nil
		},
	})
}

// textWidth keeps the table readable: two columns of it are texts.
const textWidth = 46

// doctorRows returns a table with texts folded within their columns.
func doctorRows(findings []doctor.Finding) [][]string {
	rows := [][]string{{"CHECK", "STATE", "FOUND", "WHAT TO DO"}}
	for _, f := range findings {
		row := []string{f.Check, string(f.State)}
		found, remedy := fold(f.Found, textWidth), fold(f.Remedy, textWidth)
		for len(found) > 0 || len(remedy) > 0 {
			var left, right string
			left, found = cutFirst(found)
			right, remedy = cutFirst(remedy)
			rows = append(rows, append(row, left, right))
			row = []string{"", ""}
		}
	}
	return rows
}

// cutFirst returns the first line, if there is one, and the rest.
func cutFirst(lines []string) (first string, rest []string) {
	if len(lines) == 0 {
		return "", nil
	}
	return lines[0], lines[1:]
}

// fold breaks a text at its spaces into lines of at most width bytes. A word that is longer has a line of its own.
func fold(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}
