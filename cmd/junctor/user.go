package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"junctor/pkg/account"
)

func (c *cli) userCommand() *cobra.Command {
	return c.group(&cobra.Command{
		Use:   "user",
		Short: "Create, enable and disable users, and change passwords",
		Long: `Creates, enables and disables the users of an account, and changes their
passwords.

Where a Kazoo lives the commands refuse: users are Kazoo's to change.`,
	}, c.userCreateCommand(), c.userPasswordCommand(), c.userEnableCommand(), c.userDisableCommand())
}

func (c *cli) userCreateCommand() *cobra.Command {
	var level string
	cmd := &cobra.Command{Use: "create ACCOUNT USERNAME", Short: "Create a user", Args: operands(2, 2)}
	cmd.Flags().StringVar(&level, "level", "admin", "`LEVEL` of the user: admin or user")
	return c.storeCommand(cmd, storeTask{
		input: c.definePassword(cmd),
		check: func(args []string) error {
			if err := checkChoice(level, "admin", "user"); err != nil {
				return usageError("--level: " + err.Error())
			}
			if err := c.checkPassword(); err != nil {
				return err
			}
			return account.NewUser{Username: args[1], Password: c.input, Level: level}.Check()
		},
		run: func(ctx context.Context, a *app, args []string) error {
			id, err := a.founder.CreateUser(ctx, args[0], account.NewUser{Username: args[1], Password: c.input, Level: level})
			if err != nil {
				return err
			}
			return c.printUser(userChange{AccountID: args[0], Username: args[1], UserID: id, Done: "created", Enabled: true})
		},
	})
}

func (c *cli) userPasswordCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "passwd ACCOUNT USERNAME",
		Short: "Change a user's password, which ends the user's tokens",
		Args:  operands(2, 2),
	}
	return c.storeCommand(cmd, storeTask{
		input: c.definePassword(cmd),
		check: func([]string) error { return c.checkPassword() },
		run: func(ctx context.Context, a *app, args []string) error {
			enabled, err := a.founder.SetPassword(ctx, args[0], args[1], c.input)
			if err != nil {
				return err
			}
			return c.printUser(userChange{AccountID: args[0], Username: args[1], Done: passwordChanged, Enabled: enabled})
		},
	})
}

func (c *cli) userEnableCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "enable ACCOUNT USERNAME", Short: "Enable a user", Args: operands(2, 2)}
	return c.storeCommand(cmd, storeTask{run: func(ctx context.Context, a *app, args []string) error {
		if err := a.founder.EnableUser(ctx, args[0], args[1]); err != nil {
			return err
		}
		return c.printUser(userChange{AccountID: args[0], Username: args[1], Done: "enabled", Enabled: true})
	}})
}

func (c *cli) userDisableCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "disable ACCOUNT USERNAME",
		Short: "Disable a user, which ends the user's tokens",
		Args:  operands(2, 2),
	}
	return c.storeCommand(cmd, storeTask{run: func(ctx context.Context, a *app, args []string) error {
		if err := a.founder.DisableUser(ctx, args[0], args[1]); err != nil {
			return err
		}
		return c.printUser(userChange{AccountID: args[0], Username: args[1], Done: "disabled"})
	}})
}

// checkPassword refuses to go on without a password.
func (c *cli) checkPassword() error {
	if c.input == "" {
		return usageError("it " + needPassword)
	}
	return nil
}

// userChange is the result of a command about a user.
type userChange struct {
	AccountID string `json:"account_id"`
	Username  string `json:"username"`
	UserID    string `json:"user_id,omitempty"` // of a new user
	Done      string `json:"done"`
	Enabled   bool   `json:"enabled"` // whether the user can log in now
}

const passwordChanged = "password changed"

func (c *cli) printUser(u userChange) error {
	rows := [][]string{{"account", u.AccountID}, {"user", u.Username}}
	if u.UserID != "" {
		rows = append(rows, []string{"its id", u.UserID})
	}
	done := u.Done
	if done == passwordChanged && !u.Enabled {
		done = fmt.Sprintf("%s; the user is still disabled, \"junctor user enable\" changes that", done)
	}
	return c.print(u, append(rows, []string{"done", done}))
}
