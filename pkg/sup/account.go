package sup

import (
	"context"
	"fmt"
	"strings"

	"junctor/pkg/account"
)

// createAccount creates an account and its administrator. Kazoo's first account becomes the master; here there is
// one already, and the account is a child of it.
func createAccount(ctx context.Context, d Deps, args []string) (string, int) {
	created, err := d.Provisioner.Create(ctx, account.NewAccount{
		Name: args[0], Realm: args[1], Admin: &account.NewUser{Username: args[2], Password: args[3]},
	})
	var lines []string
	if created.ID != "" {
		lines = append(lines, fmt.Sprintf("created new account '%s' in db '%s'",
			created.ID, account.EncodedDatabase(created.ID)))
	}
	if err != nil {
		lines = append(lines, fmt.Sprintf("failed to create '%s': %s", args[0], said(err)))
		return strings.Join(lines, "\n"), failed
	}
	return strings.Join(append(lines, fmt.Sprintf("created new account admin user '%s'", created.UserID)), "\n"), 0
}
