package api_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/api"
	"junctor/pkg/auth"
	"junctor/pkg/auth/lookupkey"
	"junctor/pkg/document"
)

// role is somebody who asks.
type role struct {
	name    string
	headers []string
	account string           // the one that paths are about
	may     []right          // whatever else is forbidden
	refused *refusal         // nil where the token is good
	only    func(route) bool // what token restrictions allow; nil is everything
	config  func(*api.Config)
}

// right is what a gate asks for.
type right string

// The rights. Everybody has the first.
const (
	open        right = "nothing"
	good        right = "a good token"
	related     right = "rights on the account in the path"
	super       right = "superduper"
	master      right = "master"
	superMaster right = "super_master"
)

// refusal is an answer that says that a token is no good.
type refusal struct {
	status  int
	message string
}

var (
	unknown = &refusal{401, "invalid_credentials"}
	expired = &refusal{401, "invalid credentials"}
	over    = &refusal{400, "validation error"}
)

// restrictions let plain users read the addresses of their own account.
const restrictions = `{"cb_user_auth":{
	"user":{"ips":[{"allowed_accounts":["{AUTH_ACCOUNT_ID}"],"rules":{"#":["GET"]}}]},
	"admin":{"_":[{"rules":{"#":["_"]}}]}}}`

// population is a small world: below the master a reseller and a superduper account; below the reseller the customer,
// whom paths are about, and others; below the customer a descendant.
type population struct {
	*founded
	customer string
	roles    []role
}

func populate(t *testing.T) *population {
	t.Helper()
	p := &population{founded: found(t)}
	p.customers(p.operators())
	return p
}

// add adds somebody with a token, whose paths are about the customer.
func (p *population) add(name, token string, may ...right) *role {
	p.roles = append(p.roles, role{
		name: name, headers: []string{"X-Auth-Token", token}, account: p.customer, may: may,
	})
	return &p.roles[len(p.roles)-1]
}

// operators adds those who have rights on more than their own account, and answers the reseller's id.
func (p *population) operators() (reseller string) {
	p.Helper()
	r := p.account("reseller", "")
	p.change("services", r.ID, func(doc document.Document) { doc["pvt_reseller"] = true })
	p.customer = p.account("customer", r.ID).ID
	s := p.account("superduper", "")
	p.changeAccount(s.ID, func(doc document.Document) { doc["pvt_superduper_admin"] = true })
	_, err := p.provisioner.CreateUser(p.Context(), p.master.AccountID,
		account.NewUser{Username: "boss", Password: p.password("boss")})
	if err != nil {
		p.Fatal(err)
	}
	key := p.byKey(p.master.APIKey)
	all := []right{good, related, super, master, superMaster}
	p.add("master's API key", key, all...)
	p.add("master's user", p.byPassword("junctor.internal", "boss", ""), all...)
	p.add("master where another cluster is the master", key, good, related, super, master).config =
		func(c *api.Config) {
			c.Tokens = auth.NewAuthenticator(p.store, auth.Options{Now: c.Now, MasterCluster: "elsewhere"})
		}
	naming := p.add("master about a cluster that is not registered", key, good, related, super)
	naming.headers = append(naming.headers, "X-Kazoo-Cluster-ID", "0123456789abcdef0123456789abcdef")
	p.addLookupKey()
	p.add("superduper API key", p.byKey(s.APIKey), good, related, super)
	p.add("superduper user", p.byPassword(s.Realm, "boss", ""), good, related, super)
	p.add("reseller's API key", p.byKey(r.APIKey), good, related)
	p.add("reseller's user", p.byPassword(r.Realm, "boss", ""), good, related)
	return r.ID
}

// addLookupKey adds a look-up key, also one that asks about another cluster.
func (p *population) addLookupKey() {
	p.Helper()
	if err := p.store.CreateDatabase(p.Context(), lookupkey.Database); err != nil {
		p.Fatal(err)
	}
	key, err := lookupkey.NewRegistry(p.store, time.Now).Create(p.Context(), "proxy")
	if err != nil {
		p.Fatal(err)
	}
	keep(key)
	reads := func(rt route) bool { return rt.verb() == "GET" && strings.HasPrefix(rt.path, "/routing/") }
	p.add("look-up key", key, master, superMaster).only = reads
	naming := p.add("look-up key about a cluster that is not registered", key, master, superMaster)
	naming.headers, naming.only = append(naming.headers, "X-Kazoo-Cluster-ID", "0123456789abcdef0123456789abcdef"), reads
	p.add("look-up key that was removed", key+"x").refused = unknown
}

// customers adds everybody else.
func (p *population) customers(reseller string) {
	p.Helper()
	const realm = "customer.test"
	plain := p.user(p.customer, "plain")
	doc, err := p.store.Get(p.Context(), "accounts", p.customer)
	if err != nil {
		p.Fatal(err)
	}
	p.add("customer's API key", p.byKey(doc.String("pvt_api_key")), good, related)
	p.add("customer's admin", p.byPassword(realm, "boss", ""), good, related)
	p.add("customer's user", p.byPassword(realm, "plain", ""), good, related)
	hash := account.HashPassword(account.MD5, "plain", p.password("plain")).Value
	basic := base64.StdEncoding.EncodeToString([]byte(p.customer + ":" + hash))
	keep(basic)
	p.add("customer's user by Basic", "", good, related).headers = []string{"Authorization", "Basic " + basic}

	p.add("sibling", p.byKey(p.account("sibling", reseller).APIKey), good)
	p.add("descendant", p.byKey(p.account("descendant", p.customer).APIKey), good)
	as := `,"as":{"account_id":"` + p.customer + `","owner_id":"` + plain + `"}`
	p.add("reseller's user as customer's user", p.byPassword("reseller.test", "boss", as), good, related)
	demoted := p.user(reseller, "demoted")
	level := func(level string) {
		p.change(databaseOf(reseller), demoted, func(doc document.Document) { doc["priv_level"] = level })
	}
	level("admin")
	p.add("reseller's user who was an admin as customer's user", p.byPassword("reseller.test", "demoted", as)).refused = unknown
	level("user")
	p.nobodies(reseller)
}

// nobodies adds those whose token is restricted, or no good any more, or was none.
func (p *population) nobodies(reseller string) {
	p.Helper()
	var rules document.Document
	p.parse(restrictions, &rules)
	restricted := p.account("restricted", reseller).ID
	p.user(restricted, "plain")
	r := p.add("restricted user", p.byPassword("restricted.test", "plain", ""), good, related)
	r.account = restricted
	r.only = func(rt route) bool { return rt.right == related && rt.verb() == "GET" }
	p.change(databaseOf(restricted), "token_restrictions", func(doc document.Document) {
		doc["pvt_type"], doc["restrictions"] = "token_restrictions", rules
	})
	p.add("admin where users are restricted", p.byPassword("restricted.test", "boss", ""), good, related).
		account = restricted

	disabled := p.account("disabled", reseller)
	for name, token := range map[string]string{
		"disabled account": p.byPassword(disabled.Realm, "boss", ""), "disabled account's API key": p.byKey(disabled.APIKey),
	} {
		r := p.add(name, token)
		r.account, r.refused = disabled.ID, unknown
	}
	p.add("master about a disabled account", p.byKey(p.master.APIKey), good, related, super, master, superMaster).
		account = disabled.ID
	p.changeAccount(disabled.ID, func(doc document.Document) { doc["pvt_enabled"] = false })

	gone := p.user(p.customer, "gone")
	p.add("deleted user", p.byPassword("customer.test", "gone", "")).refused = unknown
	p.change(databaseOf(p.customer), gone, func(doc document.Document) { doc["pvt_deleted"] = true })

	off := p.user(p.customer, "off")
	p.add("disabled user", p.byPassword("customer.test", "off", "")).refused = unknown
	p.change(databaseOf(p.customer), off, func(doc document.Document) { doc["enabled"] = false })

	closed := p.account("closed", reseller)
	p.add("deleted account", p.byKey(closed.APIKey)).refused = unknown
	p.changeAccount(closed.ID, func(doc document.Document) { doc["pvt_deleted"] = true })

	trial := p.account("trial", reseller)
	p.add("account whose trial is over", p.byKey(trial.APIKey)).refused = over
	p.changeAccount(trial.ID, func(doc document.Document) { doc["pvt_trial_expires"] = 63900000000 })

	p.clock.set(recorded.Add(-2 * time.Hour))
	p.add("expired token", p.byPassword("customer.test", "plain", "")).refused = expired
	p.clock.set(recorded)
	p.add("garbage", "garbage").refused = unknown
	p.add("empty token", "").refused = unknown
	p.add("no token", "").headers = nil
	p.roles[len(p.roles)-1].refused = unknown
}
