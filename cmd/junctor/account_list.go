package main

import (
	"context"

	"github.com/spf13/cobra"

	"junctor/pkg/account"
)

func (c *cli) accountListCommand() *cobra.Command {
	var search string
	cmd := &cobra.Command{Use: "list", Short: "List the accounts", Args: operands(0, 0)}
	cmd.Flags().StringVar(&search, "search", "", "`TEXT` that the name or the realm contains, or the id begins with")
	return c.storeCommand(cmd, storeTask{
		readOnly: true,
		run: func(ctx context.Context, a *app, _ []string) error {
			list, err := c.newListing([]string{"ACCOUNT", "NAME", "REALM", "STATE"}, 1, 2)
			if err != nil {
				return err
			}
			err = a.accounts.List(ctx, func(found *account.Account) error {
				if !found.Matches(search) {
					return nil
				}
				l := listedAccount{ID: found.ID, Name: found.Name, Realm: found.Realm, Enabled: found.Enabled}
				return list.add(l, l.ID, l.Name, l.Realm, state(l.Enabled))
			})
			if err != nil {
				return err
			}
			return list.end()
		},
	})
}

// listedAccount is an account as it is printed in a list.
type listedAccount struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Realm   string `json:"realm"`
	Enabled bool   `json:"enabled"`
}

func state(enabled bool) string {
	if enabled {
		return "enabled"
	}
	return "disabled"
}
