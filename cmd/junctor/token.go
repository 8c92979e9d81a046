package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"junctor/pkg/account"
)

func (c *cli) tokenCommand() *cobra.Command {
	var accountName string
	var lifetime time.Duration
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Print a token for scripts",
		Long: `Prints a token of an account, as a login with the account's API key returns it:

  curl -H "X-Auth-Token: $(junctor token)" http://127.0.0.1:8000/v2/ips`,
		Args: operands(0, 0),
	}
	nameVar(cmd.Flags(), &accountName, "account", "id, realm or name of the `ACCOUNT` (default the master account)")
	cmd.Flags().DurationVar(&lifetime, "for", time.Hour, "`TIME` that the token is valid")
	withoutVariable(cmd)
	return c.storeCommand(cmd, storeTask{
		asIs: true, // nothing has to be installed for it
		check: func([]string) error {
			if lifetime < time.Second {
				return usageError("--for: must be at least a second, as in 1h or 30m")
			}
			return nil
		},
		run: func(ctx context.Context, a *app, _ []string) error {
			holder, err := a.accountOrMaster(ctx, accountName)
			if err != nil {
				return err
			}
			token, expires, err := a.issuer.Account(ctx, holder, lifetime)
			if err != nil {
				return err
			}
			printed := printedToken{Token: token, AccountID: holder.ID, Expires: expires.UTC()}
			return c.print(printed, [][]string{{token}})
		},
	})
}

// printedToken is a token as it is printed.
type printedToken struct {
	Token     string    `json:"token"`
	AccountID string    `json:"account_id"`
	Expires   time.Time `json:"expires"`
}

// accountOrMaster finds an account, or the master account if name is empty.
func (a *app) accountOrMaster(ctx context.Context, name string) (*account.Account, error) {
	if name == "" {
		master, err := a.accounts.Master(ctx)
		if err != nil {
			return nil, err
		}
		if master == "" {
			return nil, errors.New("the store is not bootstrapped yet: \"junctor bootstrap\" does it")
		}
		name = master
	}
	return a.accounts.Find(ctx, name)
}
