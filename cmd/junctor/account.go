package main

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"junctor/pkg/account"
)

func (c *cli) accountCommand() *cobra.Command {
	return group(&cobra.Command{Use: "account", Short: "Create, list and show accounts"},
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

func (c *cli) accountListCommand() *cobra.Command {
	var search string
	cmd := &cobra.Command{Use: "list", Short: "List the accounts", Args: operands(0, 0)}
	cmd.Flags().StringVar(&search, "search", "", "`TEXT` that the name or the realm contains, or the id begins with")
	return c.storeCommand(cmd, storeTask{
		asIs: true,
		run: func(ctx context.Context, a *app, _ []string) error {
			list := c.newListing([]string{"ACCOUNT", "NAME", "REALM", "STATE"}, 1, 2)
			return list.end(a.accounts.List(ctx, func(found *account.Account) error {
				if !found.Matches(search) {
					return nil
				}
				l := listedAccount{ID: found.ID, Name: found.Name, Realm: found.Realm, Enabled: found.Enabled}
				return list.add(l, l.ID, l.Name, l.Realm, state(l.Enabled))
			}))
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

func (c *cli) accountShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show ACCOUNT",
		Short: "Show an account and its addresses",
		Long:  "Shows an account and its addresses.\n\n" + accountOperand,
		Args:  operands(1, 1),
	}
	return c.storeCommand(cmd, storeTask{
		asIs: true,
		run: func(ctx context.Context, a *app, args []string) error {
			found, err := a.accounts.Find(ctx, args[0])
			if err != nil {
				return err
			}
			held, err := a.pool.Read().Assigned(ctx, found.ID)
			if err != nil && !neverInstalled(err) {
				return err
			}
			shown := shownAccount{
				listedAccount: listedAccount{ID: found.ID, Name: found.Name, Realm: found.Realm, Enabled: found.Enabled},
				Superduper:    found.Superduper, Tree: append([]string{}, found.Tree...), IPs: []string{},
			}
			for _, item := range held {
				shown.IPs = append(shown.IPs, item.IP)
			}
			return c.printShownAccount(shown)
		},
	})
}

// accountOperand explains the operand ACCOUNT in help.
const accountOperand = `ACCOUNT is the id of an account, its realm, or its name if no other account has
the same.`

// shownAccount is an account as it is printed by itself.
type shownAccount struct {
	listedAccount
	Superduper bool     `json:"superduper"`
	Tree       []string `json:"tree"` // ids of the ancestors, the root first
	IPs        []string `json:"ips"`
}

func (c *cli) printShownAccount(a shownAccount) error {
	parent := "none"
	if len(a.Tree) > 0 {
		parent = a.Tree[len(a.Tree)-1]
	}
	kind := state(a.Enabled)
	if a.Superduper {
		kind += ", superduper admin"
	}
	return c.print(a, [][]string{
		{"account", a.ID}, {"name", a.Name}, {"realm", a.Realm}, {"parent", parent}, {"state", kind},
		{"addresses", cmp.Or(strings.Join(a.IPs, " "), "none")},
	})
}
