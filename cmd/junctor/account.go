package main

import (
	"context"
	"errors"
	"flag"

	"junctor/pkg/account"
)

func defineAccount(fs *flag.FlagSet) task {
	asJSON := fs.Bool("json", false, "print a line of JSON")
	wanted := account.NewAccount{}
	fs.StringVar(&wanted.Parent, "parent", "", "id of the parent account; none is the master account")
	fs.StringVar(&wanted.Realm, "realm", "", "SIP realm; none is a random one below the master account's")
	username := fs.String("user", "", "name of the first user, an administrator; none is no user")
	return func(p *process, operands []string) (job, error) {
		if len(operands) != 2 || operands[0] != "create" {
			return job{}, usageError("account: the one thing to do is \"account create NAME\"")
		}
		admin, err := firstUser(*username, p.secret)
		if err != nil {
			return job{}, err
		}
		wanted.Name, wanted.Admin = operands[1], admin
		return writing(func(ctx context.Context, w *workplace, p *process) error {
			created, err := w.founder.Create(ctx, wanted)
			if created.ID == "" {
				return err
			}
			return errors.Join(p.printAccount(*asJSON, created), err) // only the user may be missing
		}), nil
	}
}

// firstUser answers the user to create with an account, nil where there is to be none.
func firstUser(username, password string) (*account.NewUser, error) {
	switch {
	case username == "" && password == "":
		return nil, nil
	case username == "":
		return nil, usageError("account: there is a password, but no --user")
	case password == "":
		return nil, usageError("account: the user " + needPassword)
	}
	user := &account.NewUser{Username: username, Password: password}
	return user, user.Check()
}

func (p *process) printAccount(asJSON bool, created account.Created) error {
	rows := [][]string{{"account", created.ID}, {"its API key", created.APIKey}, {"realm", created.Realm}}
	if created.UserID != "" {
		rows = append(rows, []string{"its user", created.UserID})
	}
	return p.print(asJSON, created, rows)
}
