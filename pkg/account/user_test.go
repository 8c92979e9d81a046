package account_test

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// Of alice, the admin of A.
const (
	userAlice = "97a0c7b50967fbbe2f9e94f7687fb33f"
	md5Alice  = "daf6e7ebe3a88f36d5cbd2564d0992fa"
	shaAlice  = "29c29317a63eead303e016041bf43f0b35952faf"
)

// TestHashPassword: names are lowered as browsers do it, who compute the hashes. These are node's, of
// name.toLowerCase() + ":secret": fault P12.
func TestHashPassword(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][2]string{
		"ΟΔΥΣΣΕΥΣ": {"fb59570186bb2cac5d4e7188232c5dea", "067398a8c11fbe873a378383ede2747626bc29c4"},
		"ΑΣ.Α":     {"42668e12c47d723e4cee93d56fd4e18e", "0918cbb341ccc369781afd6b4cfc5d37333fb96f"},
		"ΑΣ":       {"1a04887f01e9c60adfbc589274ec11af", "1658fb5e044ef5352c088175abf6a64cc8dc82a8"},
		"Σ":        {"57c158070cd9a00a3e1aaddbf7468562", "8d247ef008a8c95df3ccf0d1533a357699a4bde4"},
		"İSTANBUL": {"b2dff2a6126d6f2caa6e72d20aa6c778", "8a3502e356c2bfd0bcd01272539b75121c92574a"},
		"äöü":      {"2997e54114453e6447f561b471a7782a", "417f3bdb5f907c36a46964068df33f8153032fcd"},
		"ÄÖÜ":      {"2997e54114453e6447f561b471a7782a", "417f3bdb5f907c36a46964068df33f8153032fcd"},
	} {
		md5, sha := account.HashPassword(account.MD5, name, "secret"), account.HashPassword(account.SHA, name, "secret")
		if md5.Value != want[0] || sha.Value != want[1] {
			t.Errorf("%s: %v %v", name, md5, sha)
		}
	}
}

// TestUserInGreekCapitals: a user is found, and can log in, by the name as it was given and as a browser lowers it.
func TestUserInGreekCapitals(t *testing.T) {
	t.Parallel()
	s, f, acme := newAcme(t)
	id, err := f.CreateUser(t.Context(), acme, account.NewUser{Username: "ΟΔΥΣΣΕΥΣ", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := account.NewDirectory(s).UsersByHash(t.Context(), acme,
		account.Hash{Kind: account.MD5, Value: "fb59570186bb2cac5d4e7188232c5dea"})
	if err != nil || !slices.Equal(got, []string{id}) {
		t.Errorf("by the browser's hash: %v, %v", got, err)
	}
	for _, name := range []string{"ΟΔΥΣΣΕΥΣ", "οδυσσευς", "Οδυσσευς"} {
		if _, err := f.SetPassword(t.Context(), acme, name, "secret"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := f.CreateUser(t.Context(), acme, account.NewUser{Username: name, Password: "x"}); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s again: %v", name, err)
		}
	}
	if doc := get(t, s, database(t, acme), id); doc.String("username") != "οδυσσευς" {
		t.Errorf("stored as %s", doc.String("username"))
	}
}

func TestHashOpens(t *testing.T) {
	t.Parallel()
	alice := get(t, openKazoo(t), database(t, accountA), userAlice)
	for _, c := range []struct {
		hash   account.Hash
		change document.Document
		want   bool
	}{
		{account.Hash{Kind: account.MD5, Value: md5Alice}, nil, true},
		{account.Hash{Kind: account.SHA, Value: shaAlice}, nil, true},
		{account.Hash{Kind: account.SHA, Value: md5Alice}, nil, false},
		{account.Hash{Kind: account.MD5, Value: ""}, document.Document{"pvt_md5_auth": ""}, false},
		{account.Hash{Kind: account.MD5, Value: md5Alice}, document.Document{"enabled": false}, false},
		{account.Hash{Kind: account.MD5, Value: md5Alice}, document.Document{"pvt_deleted": true}, false},
		{account.Hash{Kind: account.MD5, Value: md5Alice}, document.Document{"pvt_type": "device"}, false},
	} {
		user := alice.Clone()
		for key, value := range c.change {
			user[key] = value
		}
		if c.hash.Opens(user) != c.want {
			t.Errorf("%v %v", c.hash.Kind, c.change)
		}
	}
}

// openOn returns what a real Kazoo wrote in each kind of store.
func openOn(t *testing.T) map[string]func(*testing.T) *store.Store {
	t.Helper()
	return map[string]func(*testing.T) *store.Store{
		"embedded": openKazoo,
		"HTTP": func(t *testing.T) *store.Store {
			s := storetest.Open(t, storetest.FreshCouch(t))
			testutil.LoadKazooDocuments(t, s)
			return s
		},
	}
}

func TestUsersByHash(t *testing.T) {
	t.Parallel()
	for kind, open := range openOn(t) {
		for _, kazoos := range []bool{false, true} {
			name := map[bool]string{false: " ours", true: " Kazoo's"}[kazoos]
			t.Run(kind+name, func(t *testing.T) {
				t.Parallel()
				s := open(t)
				if kazoos {
					testutil.InstallKazooViews(t, s, database(t, accountA), testutil.AccountViews)
				}
				checkUsersByHash(t, s)
				_, err := s.Get(t.Context(), database(t, accountA), "_design/junctor")
				if kazoos != fault.Is(err, fault.BadIdentifier) {
					t.Errorf("our views beside Kazoo's: %v", err)
				}
			})
		}
	}
}

func checkUsersByHash(t *testing.T, s *store.Store) {
	t.Helper()
	d := account.NewDirectory(s)
	for _, c := range []struct {
		account, kind, value string
		want                 []string
	}{
		{accountA, account.MD5, md5Alice, []string{userAlice}},
		{accountA, account.SHA, shaAlice, []string{userAlice}},
		{accountA, account.MD5, shaAlice, nil},
		{accountA, account.MD5, strings.ToUpper(md5Alice), nil},
		{accountA, account.MD5, "\u200d" + md5Alice, nil},
		{accountA, account.MD5, "", nil},
		{accountA1, account.MD5, md5Alice, nil},
		{strings.Repeat("9", 32), account.MD5, md5Alice, nil},
		{"../../../../../../system_config", account.MD5, md5Alice, nil},
		{"", account.MD5, md5Alice, nil},
	} {
		got, err := d.UsersByHash(t.Context(), c.account, account.Hash{Kind: c.kind, Value: c.value})
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s %s %q: %v, %v", c.account, c.kind, c.value, got, err)
		}
	}
	change(t, s, database(t, accountA), userAlice, document.Document{"enabled": false})
	got, err := d.UsersByHash(t.Context(), accountA, account.Hash{Kind: account.MD5, Value: md5Alice})
	if err != nil || len(got) != 0 {
		t.Errorf("a disabled user: %v, %v", got, err)
	}
}

func TestByRealmOrName(t *testing.T) {
	t.Parallel()
	s := openKazoo(t)
	ownViews(t, s)
	d := account.NewDirectory(s)
	ids := func(accounts []*account.Account, err error) (found []string) {
		if err != nil {
			t.Error(err)
		}
		for _, a := range accounts {
			found = append(found, a.ID)
		}
		return found
	}
	change(t, s, "accounts", accountB, document.Document{"name": "ACCOUNT-a"})
	for name, c := range map[string]struct{ got, want []string }{
		"realm":        {ids(d.ByRealmOrName(t.Context(), "A.Example.com", "")), []string{accountA}},
		"no realm":     {ids(d.ByRealmOrName(t.Context(), "", "")), nil},
		"another":      {ids(d.ByRealmOrName(t.Context(), "x.example.com", "")), nil},
		"name":         {ids(d.ByRealmOrName(t.Context(), "", "Account A1")), []string{accountA1}},
		"two":          {ids(d.ByRealmOrName(t.Context(), "", "account, a")), []string{accountB, accountA}},
		"no name":      {ids(d.ByRealmOrName(t.Context(), "", "")), nil},
		"realm first":  {ids(d.ByRealmOrName(t.Context(), "a.example.com", "Account A1")), []string{accountA}},
		"else by name": {ids(d.ByRealmOrName(t.Context(), "x.example.com", "Account A1")), []string{accountA1}},
		"neither":      {ids(d.ByRealmOrName(t.Context(), "x.example.com", "x")), nil},
		"nothing left": {ids(d.ByRealmOrName(t.Context(), "", "№")), nil},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	change(t, s, database(t, accountB), accountB, document.Document{"pvt_deleted": true})
	if got := ids(d.ByRealmOrName(t.Context(), "", "accounta")); !slices.Equal(got, []string{accountA}) {
		t.Errorf("with a deleted one: %v", got)
	}
}

// newAcme returns a store with an account of junctor's own.
func newAcme(t *testing.T) (*store.Store, *account.Provisioner, string) {
	t.Helper()
	s, _ := openBootstrapped(t)
	f := newProvisioner(s)
	created, err := f.Create(t.Context(), account.NewAccount{Name: "Acme"})
	if err != nil {
		t.Fatal(err)
	}
	return s, f, created.ID
}

// logsIn reports whether the account has exactly this user with that password.
func logsIn(t *testing.T, s *store.Store, accountID, user, name, password string) bool {
	t.Helper()
	for _, kind := range []string{account.MD5, account.SHA} {
		got, err := account.NewDirectory(s).UsersByHash(t.Context(), accountID, account.HashPassword(kind, name, password))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, []string{user}) {
			return false
		}
	}
	return true
}

func TestCreateUser(t *testing.T) {
	t.Parallel()
	s, f, acme := newAcme(t)
	id, err := f.CreateUser(t.Context(), acme, account.NewUser{Username: "Wile.E@acme.test", Password: "pass:word"})
	if err != nil || !hex32.MatchString(id) {
		t.Fatalf("got %q, %v", id, err)
	}
	if !logsIn(t, s, acme, id, "wile.e@ACME.test", "pass:word") {
		t.Error("can't log in")
	}
	doc, like := get(t, s, database(t, acme), id), get(t, openKazoo(t), database(t, accountA), userAlice)
	for field := range doc {
		if field == "pvt_node" || field == "_rev" {
			continue // what another module of Kazoo puts on documents
		}
		if _, ok := like[field]; !ok || reflect.TypeOf(like[field]) != reflect.TypeOf(doc[field]) {
			t.Errorf("%s is %v, Kazoo has %v", field, doc[field], like[field])
		}
	}
	for field, want := range map[string]any{
		"username": "wile.e@acme.test", "priv_level": "admin", "enabled": true, "pvt_account_id": acme,
		"pvt_type": "user", "first_name": "Account", "last_name": "Admin", "pvt_alphanum_name": "accountadmin",
	} {
		if doc[field] != want {
			t.Errorf("%s is %v, want %v", field, doc[field], want)
		}
	}
	if !hex32.MatchString(doc.String("pvt_signature_secret")) {
		t.Errorf("secret %q", doc.String("pvt_signature_secret"))
	}
	for field := range like { // what Kazoo has and we have not
		if _, ok := doc[field]; !ok && !slices.Contains([]string{
			"pvt_auth_account_id", "pvt_is_authenticated", "pvt_request_id"}, field) {
			t.Errorf("no %s", field)
		}
	}
}

func TestCreateWithAdmin(t *testing.T) {
	t.Parallel()
	s, _ := openBootstrapped(t)
	f := newProvisioner(s)
	created, err := f.Create(t.Context(), account.NewAccount{Name: "Acme", Admin: &account.NewUser{
		Username: "wile", Password: "secret", Level: "user"}})
	if err != nil || !logsIn(t, s, created.ID, created.UserID, "wile", "secret") {
		t.Fatalf("got %+v, %v", created, err)
	}
	user := get(t, s, database(t, created.ID), created.UserID)
	if user["priv_level"] != "user" {
		t.Errorf("user %v", user)
	}
	nameless := account.NewAccount{Name: "x", Admin: &account.NewUser{}}
	_, err = newProvisioner(cutAfter(s, 0, false)).Create(t.Context(), nameless)
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("a nameless admin: %v", err)
	}
}

func TestUserRefuses(t *testing.T) {
	t.Parallel()
	s, f, acme := newAcme(t)
	if _, err := f.CreateUser(t.Context(), acme, account.NewUser{Username: "wile", Password: "x"}); err != nil {
		t.Fatal(err)
	}
	nobody := strings.Repeat("9", 32)
	passwd := func(id, name, password string) error {
		_, err := f.SetPassword(t.Context(), id, name, password)
		return err
	}
	create := func(id string, n account.NewUser) error { _, err := f.CreateUser(t.Context(), id, n); return err }
	for name, c := range map[string]struct {
		err  error
		kind fault.Kind
	}{
		"taken":            {create(acme, account.NewUser{Username: "WILE", Password: "y"}), fault.Conflict},
		"no name":          {create(acme, account.NewUser{Password: "y"}), fault.Invalid},
		"long name":        {create(acme, account.NewUser{Username: strings.Repeat("x", 257), Password: "y"}), fault.Invalid},
		"space":            {create(acme, account.NewUser{Username: "a b", Password: "y"}), fault.Invalid},
		"colon":            {create(acme, account.NewUser{Username: "a:b", Password: "y"}), fault.Invalid},
		"no password":      {create(acme, account.NewUser{Username: "a"}), fault.Invalid},
		"odd level":        {create(acme, account.NewUser{Username: "a", Password: "y", Level: "root"}), fault.Invalid},
		"no account":       {create(nobody, account.NewUser{Username: "a", Password: "y"}), fault.Invalid},
		"odd account":      {create("../x", account.NewUser{Username: "a", Password: "y"}), fault.Invalid},
		"unknown, passwd":  {passwd(acme, "road", "x"), fault.Invalid},
		"empty, passwd":    {passwd(acme, "wile", ""), fault.Invalid},
		"account, passwd":  {passwd(nobody, "wile", "x"), fault.Invalid},
		"unknown, disable": {f.DisableUser(t.Context(), acme, "road"), fault.Invalid},
		"unknown, enable":  {f.EnableUser(t.Context(), acme, "road"), fault.Invalid},
	} {
		if !fault.Is(c.err, c.kind) {
			t.Errorf("%s: %v", name, c.err)
		}
	}
	change(t, s, database(t, acme), acme, document.Document{"pvt_deleted": true})
	if err := f.DisableUser(t.Context(), acme, "wile"); !fault.Is(err, fault.Invalid) {
		t.Errorf("of a deleted account: %v", err)
	}
}

// rival is a store in which another process writes just before the first document is put.
type rival struct {
	*store.Store
	write func()
}

func (r *rival) Put(ctx context.Context, db string, doc document.Document) (string, error) {
	if write := r.write; write != nil {
		r.write = nil
		write()
	}
	return r.Store.Put(ctx, db, doc)
}

// TestCreateUserOvertaken: a name that another process takes after it was found to be free is refused.
func TestCreateUserOvertaken(t *testing.T) {
	t.Parallel()
	s, f, acme := newAcme(t)
	user := account.NewUser{Username: "wile", Password: "x"}
	var first string
	r := &rival{Store: s, write: func() {
		var err error
		if first, err = f.CreateUser(t.Context(), acme, user); err != nil {
			t.Error(err)
		}
	}}
	if id, err := newProvisioner(r).CreateUser(t.Context(), acme, user); !fault.Is(err, fault.Conflict) {
		t.Errorf("got %q, %v", id, err)
	}
	if !logsIn(t, s, acme, first, "wile", "x") {
		t.Error("the first one can't log in")
	}
}

func TestEnsureSecret(t *testing.T) {
	t.Parallel()
	s := openKazoo(t)
	d := account.NewDirectory(s)
	secret, err := d.EnsureSecret(t.Context(), accountA, userAlice)
	if err != nil || secret != "78f5a3fed0428403d907fb37a364d749" {
		t.Errorf("a secret that was there: %q, %v", secret, err)
	}
	change(t, s, database(t, accountA), userAlice, document.Document{"pvt_signature_secret": nil})
	secret, err = d.EnsureSecret(t.Context(), accountA, userAlice)
	if err != nil || get(t, s, database(t, accountA), userAlice)["pvt_signature_secret"] != secret || secret == "" {
		t.Errorf("a new one: %q, %v", secret, err)
	}
	change(t, s, database(t, accountA), userAlice, document.Document{"pvt_deleted": true})
	put(t, s, database(t, accountA), document.Document{"_id": "menu", "pvt_type": "menu"})
	put(t, s, database(t, accountA), document.Document{"_id": "_design/x", "views": map[string]any{}})
	for _, id := range []string{userAlice, "nobody", "menu", "_design/x"} {
		if secret, err := d.EnsureSecret(t.Context(), accountA, id); !fault.Is(err, fault.BadIdentifier) || secret != "" {
			t.Errorf("%s: %q, %v", id, secret, err)
		}
	}
}
