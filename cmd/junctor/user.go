package main

import (
	"context"
	"errors"
	"flag"

	"junctor/pkg/account"
)

// userChange is what "junctor user" did to whom.
type userChange struct {
	AccountID string `json:"account_id"`
	Username  string `json:"username"`
	UserID    string `json:"user_id,omitempty"` // of a new user
	Done      string `json:"done"`
	Enabled   bool   `json:"enabled"` // whether the user can log in now
}

func defineUser(fs *flag.FlagSet) task {
	asJSON := fs.Bool("json", false, "print a line of JSON")
	var level string
	checked(fs, "level", "admin", "what a new user is: admin or user", func(text string) error {
		if level = text; level != "admin" && level != "user" {
			return errors.New("neither admin nor user")
		}
		return nil
	})
	return func(p *process, operands []string) (job, error) {
		if len(operands) != 3 {
			return job{}, errUser
		}
		change := userChange{AccountID: operands[1], Username: operands[2]}
		if err := checkVerb(operands[0], p.secret); err != nil {
			return job{}, err
		}
		if operands[0] == "create" {
			err := account.NewUser{Username: operands[2], Password: p.secret, Level: level}.Check()
			if err != nil {
				return job{}, err
			}
		}
		return writing(func(ctx context.Context, w *workplace, p *process) error {
			if err := change.apply(ctx, operands[0], w.founder, level, p.secret); err != nil {
				return err
			}
			rows := [][]string{{"account", change.AccountID}, {"user", change.Username}}
			if change.UserID != "" {
				rows = append(rows, []string{"its id", change.UserID})
			}
			return p.print(*asJSON, change, append(rows, []string{"done", change.text()}))
		}), nil
	}
}

const errUser = usageError("user: it takes \"create\", \"passwd\", \"enable\" or \"disable\", an account's id, and a user's name")

// What a task may have done.
const (
	created         = "created"
	passwordChanged = "password changed"
	enabled         = "enabled"
	disabled        = "disabled"
)

// text is what was done, for people.
func (c *userChange) text() string {
	if c.Done == passwordChanged && !c.Enabled {
		return passwordChanged + `; the user is still disabled, "junctor user enable" changes that`
	}
	return c.Done
}

// checkVerb refuses what can't be done with a user, or not without a password.
func checkVerb(verb, password string) error {
	switch verb {
	case "enable", "disable":
		return nil
	case "create", "passwd":
		if password == "" {
			return usageError("user: " + verb + " " + needPassword)
		}
		return nil
	}
	return errUser
}

// apply does what verb asks for.
func (c *userChange) apply(ctx context.Context, verb string, f *account.Founder, level, password string) (err error) {
	switch {
	case verb == "enable":
		c.Done, c.Enabled = enabled, true
		return f.EnableUser(ctx, c.AccountID, c.Username)
	case verb == "disable":
		c.Done = disabled
		return f.DisableUser(ctx, c.AccountID, c.Username)
	case verb == "passwd":
		c.Done = passwordChanged
		c.Enabled, err = f.SetPassword(ctx, c.AccountID, c.Username, password)
		return err
	}
	c.Done, c.Enabled = created, true
	c.UserID, err = f.CreateUser(ctx, c.AccountID, account.NewUser{
		Username: c.Username, Password: password, Level: level,
	})
	return err
}
