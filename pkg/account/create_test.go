package account_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// openBootstrapped returns a store that is ready for accounts, and its master's id.
func openBootstrapped(t *testing.T) (*store.Store, string) {
	t.Helper()
	s := open(t)
	b := bootstrap(t, s)
	ownViews(t, s)
	return s, b.AccountID
}

func TestCreate(t *testing.T) {
	t.Parallel()
	s, master := openBootstrapped(t)
	f, d := newProvisioner(s), account.NewDirectory(s)

	child, err := f.Create(t.Context(), account.NewAccount{Name: " Acme & Söhne 1 ", Realm: "ACME.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	if child.Realm != "acme.example.com" || !hex32.MatchString(child.ID) || !hex64.MatchString(child.APIKey) {
		t.Errorf("created %+v", child)
	}
	found, err := d.ByAPIKey(t.Context(), child.APIKey)
	if err != nil || found.ID != child.ID || found.Name != "Acme & Söhne 1" || found.Superduper {
		t.Errorf("found %+v, %v", found, err)
	}
	grandchild, err := f.Create(t.Context(), account.NewAccount{Name: "Acme & Söhne 1", Parent: child.ID})
	if err != nil {
		t.Fatal(err)
	}
	found, err = d.Get(t.Context(), grandchild.ID)
	if err != nil || !reflect.DeepEqual(found.Tree, []string{master, child.ID}) {
		t.Errorf("found %+v, %v", found, err)
	}
	if !regexp.MustCompile(`^[0-9a-f]{6}\.sip\.junctor\.internal$`).MatchString(grandchild.Realm) {
		t.Errorf("realm %q", grandchild.Realm)
	}
	checkDocuments(t, s, grandchild.ID, child.ID, master)
}

// checkDocuments compares the documents of an account with what Kazoo's look like.
func checkDocuments(t *testing.T, s *store.Store, id, parent, master string) {
	t.Helper()
	own := get(t, s, database(t, id), id)
	copied, services := get(t, s, "accounts", id), get(t, s, "services", id)
	delete(own, "_rev")
	delete(copied, "_rev")
	if !reflect.DeepEqual(own, copied) {
		t.Errorf("the account is %v, its copy %v", own, copied)
	}
	if own.String("pvt_alphanum_name") != "acmeshne1" || own.String("pvt_parent_id") != parent {
		t.Errorf("account %v", own)
	}
	like := get(t, openKazoo(t), "services", accountA1)
	for field := range services {
		if _, ok := like[field]; !ok || reflect.TypeOf(like[field]) != reflect.TypeOf(services[field]) {
			t.Errorf("services: %s is %v, Kazoo has %v", field, services[field], like[field])
		}
	}
	if services.String("pvt_reseller_id") != master || services["pvt_reseller"] != nil {
		t.Errorf("services %v", services)
	}
	like = get(t, openKazoo(t), "accounts", accountA1)
	for field := range own {
		if _, ok := like[field]; !ok || reflect.TypeOf(like[field]) != reflect.TypeOf(own[field]) {
			t.Errorf("account: %s is %v, Kazoo has %v", field, own[field], like[field])
		}
	}
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	s, _ := openBootstrapped(t)
	f := newProvisioner(s)
	first, err := f.Create(t.Context(), account.NewAccount{Name: "first", Realm: "first.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	f = newProvisioner(cutAfter(s, 0, false)) // nothing is written
	for name, c := range map[string]struct {
		account.NewAccount
		kind fault.Kind
		text string
	}{
		"no name":        {account.NewAccount{Name: " "}, fault.Invalid, "a name has"},
		"long name":      {account.NewAccount{Name: strings.Repeat("é", 129)}, fault.Invalid, "a name has"},
		"unknown parent": {account.NewAccount{Name: "x", Parent: accountA}, fault.Invalid, "no parent account"},
		"no id":          {account.NewAccount{Name: "x", Parent: "../x"}, fault.Invalid, "no parent account"},
		"no realm":       {account.NewAccount{Name: "x", Realm: "a b.example.com"}, fault.Invalid, "not a host name"},
		"short realm":    {account.NewAccount{Name: "x", Realm: "abc"}, fault.Invalid, "not a host name"},
		"taken realm": {account.NewAccount{Name: "x", Realm: "First.Example.com"}, fault.Conflict,
			"another account has the realm"},
	} {
		_, err := f.Create(t.Context(), c.NewAccount)
		if !fault.Is(err, c.kind) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
	change(t, s, database(t, first.ID), first.ID, document.Document{"pvt_deleted": true})
	_, err = f.Create(t.Context(), account.NewAccount{Name: "x", Parent: first.ID})
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("deleted parent: %v", err)
	}
	_, err = newProvisioner(open(t)).Create(t.Context(), account.NewAccount{Name: "x"})
	if !fault.Is(err, fault.DatastoreFault) || !strings.Contains(err.Error(), "run \"junctor bootstrap\" first") {
		t.Errorf("empty store: %v", err)
	}
}

// overtaken is a store in which another process takes a realm just after it was found to be free.
type overtaken struct {
	*store.Store
	realm string
	by    account.Created
}

func (o *overtaken) CreateDatabase(ctx context.Context, db string) (err error) {
	if o.by.ID == "" {
		o.by, err = newProvisioner(o.Store).Create(ctx, account.NewAccount{Name: "faster", Realm: o.realm})
	}
	return errors.Join(err, o.Store.CreateDatabase(ctx, db))
}

func TestCreateOvertaken(t *testing.T) {
	t.Parallel()
	s, _ := openBootstrapped(t)
	o := &overtaken{Store: s, realm: "one.example.com"}
	slower, err := newProvisioner(o).Create(t.Context(), account.NewAccount{Name: "slower", Realm: o.realm})
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("got %+v, %v", slower, err)
	}
	if n := countAccounts(t, s); n != 2 {
		t.Errorf("%d accounts", n)
	}
	if found, err := account.NewDirectory(s).ByAPIKey(t.Context(), o.by.APIKey); err != nil || found.Name != "faster" {
		t.Errorf("found %+v, %v", found, err)
	}
}

// TestCreateCutOff ends a creation after each of its writes: look-ups find the account whole or not at all.
func TestCreateCutOff(t *testing.T) {
	t.Parallel()
	s, _ := openBootstrapped(t)
	finished := false
	for writes := 0; !finished; writes++ {
		before := countAccounts(t, s)
		realm := fmt.Sprintf("n%d.example.com", writes)
		_, err := newProvisioner(cutAfter(s, writes, false)).Create(t.Context(), account.NewAccount{Name: "x", Realm: realm})
		if finished = err == nil; finished {
			break
		}
		if !errors.Is(err, errCut) || countAccounts(t, s) != before {
			t.Fatalf("after %d writes: %v, %d accounts, before %d", writes, err, countAccounts(t, s), before)
		}
		if _, err := newProvisioner(s).Create(t.Context(), account.NewAccount{Name: "x", Realm: realm}); err != nil {
			t.Errorf("again after %d writes: %v", writes, err)
		}
	}
}
