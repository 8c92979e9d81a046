package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"junctor/pkg/account"
)

func (c *cli) userCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "user",
		Short: "Create, list, enable and disable users, and change passwords",
		Long: `Creates, lists, enables and disables the users of an account, and changes their
passwords.

` + accountOperand + `

Where a Kazoo lives the commands that change a user refuse: users are Kazoo's to
change.`,
	}, c.userCreateCommand(), c.userListCommand(), c.userPasswordCommand(), c.userEnableCommand(), c.userDisableCommand())
}

func (c *cli) userCreateCommand() *cobra.Command {
	var level string
	cmd := &cobra.Command{Use: "create ACCOUNT USERNAME", Short: "Create a user"}
	choiceVar(cmd.Flags(), &level, "level", "admin", "`LEVEL` of the user: admin or user", "admin", "user")
	return c.userTask(cmd, storeTask{
		input: c.definePassword(cmd),
		check: func(args []string) error {
			if err := c.checkPassword(nil); err != nil {
				return err
			}
			return account.NewUser{Username: args[1], Password: c.input, Level: level}.Check()
		},
	}, func(ctx context.Context, f *account.Provisioner, u *userChange) (err error) {
		u.Done = "created"
		u.UserID, err = f.CreateUser(ctx, u.AccountID,
			account.NewUser{Username: u.Username, Password: c.input, Level: level})
		return err
	})
}

func (c *cli) userPasswordCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "passwd ACCOUNT USERNAME", Short: "Change a user's password, which ends the user's tokens"}
	return c.userTask(cmd, storeTask{input: c.definePassword(cmd), check: c.checkPassword},
		func(ctx context.Context, f *account.Provisioner, u *userChange) (err error) {
			u.Done = passwordChanged
			u.Enabled, err = f.SetPassword(ctx, u.AccountID, u.Username, c.input)
			return err
		})
}

func (c *cli) userEnableCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "enable ACCOUNT USERNAME", Short: "Enable a user"}
	return c.userTask(cmd, storeTask{}, func(ctx context.Context, f *account.Provisioner, u *userChange) error {
		u.Done = "enabled"
		return f.EnableUser(ctx, u.AccountID, u.Username)
	})
}

func (c *cli) userDisableCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "disable ACCOUNT USERNAME", Short: "Disable a user, which ends the user's tokens"}
	return c.userTask(cmd, storeTask{}, func(ctx context.Context, f *account.Provisioner, u *userChange) error {
		u.Done, u.Enabled = "disabled", false
		return f.DisableUser(ctx, u.AccountID, u.Username)
	})
}

// userTask makes cmd a command that changes a user and prints the change.
func (c *cli) userTask(
	cmd *cobra.Command, t storeTask, change func(context.Context, *account.Provisioner, *userChange) error,
) *cobra.Command {
	cmd.Args = operands(2, 2)
	t.run = func(ctx context.Context, a *app, args []string) error {
		holder, err := a.accounts.Find(ctx, args[0])
		if err != nil {
			return err
		}
		u := userChange{AccountID: holder.ID, Username: args[1], Enabled: true}
		if err := change(ctx, a.provisioner, &u); err != nil {
			return err
		}
		return c.printUser(u)
	}
	return c.storeCommand(cmd, t)
}

// checkPassword refuses to go on without a password.
func (c *cli) checkPassword([]string) error {
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

func (c *cli) userListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list ACCOUNT",
		Short: "List the users of an account",
		Long:  "Lists the users of an account.\n\n" + accountOperand,
		Args:  operands(1, 1),
	}
	return c.storeCommand(cmd, storeTask{
		asIs: true,
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
