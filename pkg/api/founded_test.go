package api_test

import (
	"strings"
	"testing"
	"time"

	couchdbviews "junctor/couchdb-views"
	"junctor/pkg/account"
	"junctor/pkg/api"
	"junctor/pkg/auth"
	"junctor/pkg/auth/trust"
	"junctor/pkg/document"
	"junctor/pkg/history"
	"junctor/pkg/pooldb"
	"junctor/pkg/routing"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

// founded is a store of our own making, in which no Kazoo lives, and a server of it.
type founded struct {
	*service
	provisioner *account.Provisioner
	master      account.Bootstrapped
}

// found serves a bootstrapped store.
func found(t testing.TB, changes ...func(*api.Config)) *founded {
	t.Helper()
	s := storetest.Open(t, "memory:")
	f := &founded{provisioner: account.NewProvisioner(s, auth.NewKeyDocument, func() time.Time { return recorded })}
	var err error
	f.master, err = f.provisioner.Bootstrap(t.Context())
	design, designErr := store.Design(couchdbviews.Files, "junctor_accounts.json")
	for _, err := range []error{
		err, designErr,
		s.Install(t.Context(), "accounts", design),
		pooldb.Install(t.Context(), s), history.Install(t.Context(), s),
		routing.Install(t.Context(), s), s.CreateDatabase(t.Context(), trust.Database),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	keep(f.master.APIKey)
	f.service = newService(t, s, changes...)
	return f
}

// account makes an account below another, with an admin.
func (f *founded) account(name, parent string) account.Created {
	f.Helper()
	created, err := f.provisioner.Create(f.Context(), account.NewAccount{
		Name: name, Parent: parent, Realm: strings.ReplaceAll(name, " ", "-") + ".test",
		Admin: &account.NewUser{Username: "boss", Password: f.password("boss")},
	})
	if err != nil {
		f.Fatal(err)
	}
	keep(created.APIKey)
	return created
}

// user makes a user who is no admin.
func (f *founded) user(accountID, name string) (id string) {
	f.Helper()
	id, err := f.provisioner.CreateUser(f.Context(), accountID,
		account.NewUser{Username: name, Password: f.password(name), Level: "user"})
	if err != nil {
		f.Fatal(err)
	}
	return id
}

func (f *founded) password(name string) string {
	password := "the password of " + name
	keep(password)
	return password
}

// byKey returns a token for an API key.
func (f *founded) byKey(key string) string {
	f.Helper()
	return f.granted(f.send("PUT", "/v2/api_auth", `{"data":{"api_key":"`+key+`"}}`))
}

// byPassword returns a token for a user; more is what stands in data besides.
func (f *founded) byPassword(realm, name, more string) string {
	f.Helper()
	hash := account.HashPassword(account.MD5, name, f.password(name)).Value
	keep(hash)
	return f.granted(f.send("PUT", "/v2/user_auth",
		`{"data":{"credentials":"`+hash+`","account_realm":"`+realm+`"`+more+`}}`))
}

func (f *founded) granted(a answer) string {
	f.Helper()
	token, _ := f.want(a, 201).envelope["auth_token"].(string)
	keep(token)
	return token
}

// change alters a document.
func (f *founded) change(db, id string, change func(document.Document)) {
	f.Helper()
	_, err := f.store.Update(f.Context(), db, id, func(doc document.Document) error {
		change(doc)
		return nil
	})
	if err != nil {
		f.Fatal(err)
	}
}

// changeAccount alters both documents of an account.
func (f *founded) changeAccount(id string, change func(document.Document)) {
	f.Helper()
	f.change(databaseOf(id), id, change)
	f.change("accounts", id, change)
}
