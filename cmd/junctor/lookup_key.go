package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"junctor/pkg/auth/lookupkey"
	"junctor/pkg/kazoo"
)

func (c *cli) lookupKeyCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "lookup-key",
		Short: "Create and remove keys with which SIP proxies look up routing",
		Long: `Creates and removes look-up keys. A SIP proxy sends one as X-Auth-Token; it may
GET what is under /v2/routing, and nothing else. It does not expire.`,
	}, c.lookupKeyCreateCommand(), c.lookupKeyListCommand(), c.lookupKeyRemoveCommand())
}

func (c *cli) lookupKeyCreateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a look-up key and print it, this once",
		Args:  operands(1, 1),
	}
	return c.storeCommand(cmd, storeTask{
		check: func(args []string) error { return lookupkey.CheckName(args[0]) },
		run: func(ctx context.Context, a *app, args []string) error {
			key, err := a.lookupKeys.Create(ctx, args[0])
			if err != nil {
				return err
			}
			return c.print(map[string]string{"name": args[0], "key": key}, [][]string{{"name", args[0]}, {"its key", key}})
		},
	})
}

func (c *cli) lookupKeyListCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List the look-up keys", Args: operands(0, 0)}
	return c.storeCommand(cmd, storeTask{
		asIs: true,
		run: func(ctx context.Context, a *app, _ []string) error {
			keys, err := a.lookupKeys.List(ctx)
			if err != nil {
				return err
			}
			list, rows := []listedKey{}, [][]string{{"NAME", "CREATED"}}
			for _, key := range keys {
				l := listedKey{Name: key.Name, Created: kazoo.FromGregorian(key.Created).UTC()}
				list, rows = append(list, l), append(rows, []string{l.Name, l.Created.Format(time.RFC3339)})
			}
			return c.print(list, rows)
		},
	})
}

func (c *cli) lookupKeyRemoveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "remove NAME",
		Short: "Remove a look-up key: it is then refused",
		Args:  operands(1, 1),
	}
	return c.storeCommand(cmd, storeTask{run: func(ctx context.Context, a *app, args []string) error {
		if err := a.lookupKeys.Remove(ctx, args[0]); err != nil {
			return err
		}
		return c.printRemoved(args[0])
	}})
}

// listedKey is a look-up key as it is printed.
type listedKey struct {
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
}
