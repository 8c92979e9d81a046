package main

import (
	"cmp"
	"context"
	"strings"

	"github.com/spf13/cobra"
)

func (c *cli) accountShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show ACCOUNT",
		Short: "Show an account and its addresses",
		Long:  "Shows an account and its addresses.\n\n" + accountOperand,
		Args:  operands(1, 1),
	}
	return c.storeCommand(cmd, storeTask{
		readOnly: true,
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
