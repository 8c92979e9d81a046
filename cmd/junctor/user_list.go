package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"junctor/pkg/account"
)

func (c *cli) userListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list ACCOUNT",
		Short: "List the users of an account",
		Long:  "Lists the users of an account.\n\n" + accountOperand,
		Args:  operands(1, 1),
	}
	return c.storeCommand(cmd, storeTask{
		readOnly: true,
		run: func(ctx context.Context, a *app, args []string) error {
			found, err := a.accounts.Find(ctx, args[0])
			if err != nil {
				return err
			}
			users := []listedUser{}
			err = a.accounts.Users(ctx, found.ID, func(u account.User) error {
				users = append(users, listedUser{
					ID: u.ID, Username: u.Username, Name: strings.TrimSpace(u.FirstName + " " + u.LastName),
					Level: u.Level, Enabled: u.Enabled,
				})
				return nil
			})
			if err != nil {
				return err
			}
			slices.SortFunc(users, func(a, b listedUser) int {
				return strings.Compare(a.Username+" "+a.ID, b.Username+" "+b.ID)
			})
			rows := [][]string{{"USERNAME", "NAME", "LEVEL", "STATE", "USER"}}
			for _, u := range users {
				rows = append(rows, []string{u.Username, u.Name, u.Level, state(u.Enabled), u.ID})
			}
			return c.print(users, rows, 0, 1)
		},
	})
}

// listedUser is a user as it is printed.
type listedUser struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Name     string `json:"name"`
	Level    string `json:"priv_level"`
	Enabled  bool   `json:"enabled"`
}
