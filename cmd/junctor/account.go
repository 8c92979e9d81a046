package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"junctor/pkg/account"
)

func (c *cli) accountCommand() *cobra.Command {
	return c.group(&cobra.Command{Use: "account", Short: "Create, list and show accounts"},
		c.accountCreateCommand(), withoutVariable(c.accountListCommand()), c.accountShowCommand())
}

func (c *cli) accountCreateCommand() *cobra.Command {
	var wanted account.NewAccount
	var username string
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Create an account, and with --user its first user",
		Long: `Creates an account, and with --user its first user, who is an administrator.
Prints the account's id, API key and realm.

Where a Kazoo lives the command refuses: accounts are Kazoo's to create.`,
		Args: operands(1, 1),
	}
	var parent string
	nameVar(cmd.Flags(), &parent, "parent",
		"id, realm or name of the parent `ACCOUNT` (default the master account)")
	nameVar(cmd.Flags(), &wanted.Realm, "realm",
		"SIP `REALM` (default a random one below that of the master account)")
	nameVar(cmd.Flags(), &username, "user", "`NAME` of the first user")
	return c.storeCommand(cmd, storeTask{
		input: c.definePassword(cmd),
		check: func(args []string) (err error) {
			wanted.Name = args[0]
			wanted.Admin, err = firstUser(username, c.input)
			return err
		},
		run: func(ctx context.Context, a *app, _ []string) error {
			if parent != "" {
				found, err := a.accounts.Find(ctx, parent)
				if err != nil {
					return err
				}
				wanted.Parent = found.ID
			}
			created, err := a.provisioner.Create(ctx, wanted)
			if created.ID == "" {
				return err
			}
			return errors.Join(c.printAccount(created), err) // the account is there, the user may be missing
		},
	})
}

// firstUser returns the user to create with an account, or nil if there is to be none.
func firstUser(username, password string) (*account.NewUser, error) {
	switch {
	case username == "" && password == "":
		return nil, nil
	case username == "":
		return nil, usageError("there is a password, but no --user")
	case password == "":
		return nil, usageError("the user " + needPassword)
	}
	user := &account.NewUser{Username: username, Password: password}
	return user, user.Check()
}

func (c *cli) printAccount(created account.Created) error {
	rows := [][]string{{"account", created.ID}, {"its API key", created.APIKey}, {"realm", created.Realm}}
	if created.UserID != "" {
		rows = append(rows, []string{"its user", created.UserID})
	}
	return c.print(created, rows)
}
