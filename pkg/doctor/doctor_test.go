package doctor

import (
	"fmt"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/auth"
	"junctor/pkg/document"
)

// illness is something that is wrong with a store, and what is to be said about it.
type illness struct {
	name string
	make func(*patient)
	want map[string]string
}

var illnesses = []illness{
	{"none", func(*patient) {}, nil},
	{"no settings", func(p *patient) {
		p.remove("system_config", "auth")
		p.remove("system_config", "accounts")
		p.remove("system_config", "cluster")
	}, map[string]string{
		"settings": "broken: system_config/auth has no secret_for_user_signature … no system_key … no master_account_id … " +
			"no cluster_id … restart",
		"signing key":    "broken: missing: the settings name no key … restart",
		"master account": "broken: the settings name no master account … put the id",
	}},
	{"no cluster id", func(p *patient) { p.change("system_config", "cluster", nil, "default", "cluster_id") },
		map[string]string{"settings": "warning: system_config/cluster has no cluster_id … restart"}},
	{"no key document", func(p *patient) { p.remove("system_auth", "1c0ce8e3c58cd36e721a98fd5a355592") },
		map[string]string{"signing key": "broken: the key that signs tokens can't be used: key 1c0c … reset_private_key"}},
	{"no attachment", func(p *patient) {
		p.change("system_auth", "1c0ce8e3c58cd36e721a98fd5a355592", nil, "_attachments")
	}, map[string]string{"signing key": "broken: the key that signs tokens can't be used: key 1c0c … reset_private_key"}},
	{"garbage for a key", func(p *patient) {
		p.change("system_auth", "1c0ce8e3c58cd36e721a98fd5a355592", map[string]any{"private_key.pem": map[string]any{
			"content_type": "application/x-pem-file", "data": "aGVsbG8="}}, "_attachments")
	}, map[string]string{"signing key": "broken: the key that signs tokens can't be used: key 1c0c … no PEM block"}},
	{"a key of an odd name", func(p *patient) { p.change("system_config", "auth", "../x", "default", "system_key") },
		map[string]string{"signing key": "broken: the key that signs tokens can't be used … not the id"}},
	{"master account gone", func(p *patient) {
		p.change("system_config", "accounts", gone, "default", "master_account_id")
	}, map[string]string{"master account": "broken: account " + gone + " has no database … put the id"}},
	{"master account deleted", func(p *patient) { p.change(p.accountDB(master), master, true, "pvt_deleted") },
		map[string]string{"master account": "broken: account " + master + " is marked as deleted"}},
	{"master account without its copy", func(p *patient) { p.remove("accounts", master) },
		map[string]string{"master account": "broken: account " + master + " is not in the database accounts … save it"}},
	{"master account without rights", func(p *patient) {
		p.change(p.accountDB(master), master, nil, "pvt_superduper_admin")
	}, map[string]string{"master account": "warning: account " + master + " is not a superduper admin … promote_account"}},
	{"half of Kazoo's views of accounts", func(p *patient) {
		p.change("accounts", "_design/accounts", nil, "views", "listing_by_name")
		p.change("accounts", "_design/accounts", nil, "views", "listing_by_realm")
	}, map[string]string{
		"account views": "broken: _design/accounts has no listing_by_name, listing_by_realm … refresh accounts",
	}},
	{"no design document", func(p *patient) { p.remove("dedicated_ips", "_design/dedicated_ips") },
		map[string]string{"Kazoo's views": "warning: _design/dedicated_ips is missing … junctor installs"}},
	{"missing views", func(p *patient) {
		p.change("dedicated_ips", "_design/dedicated_ips", nil, "views", "summary_listing")
		p.change("dedicated_ips", "_design/dedicated_ips", nil, "views", "host_listing")
	}, map[string]string{
		"Kazoo's views": "broken: _design/dedicated_ips has no host_listing, summary_listing … refresh dedicated_ips",
	}},
	{"another text", func(p *patient) {
		p.change("dedicated_ips", "_design/dedicated_ips", "function(doc) { emit(doc.pvt_zone, null); }",
			"views", "zone_listing", "map")
	}, map[string]string{"Kazoo's views": "warning: _design/dedicated_ips is not the text of a known version of Kazoo … compare it"}},
	{"copies", func(p *patient) {
		p.put("dedicated_ips", held("192.0.2.11", child))
		p.change(p.accountDB(other), "192.0.2.2", "elsewhere", "pvt_zone")
		for i := range 4 {
			p.put(p.accountDB(master), held(fmt.Sprintf("192.0.2.2%d", i), master))
		}
	}, map[string]string{"copies": "warning: missing (1): 192.0.2.11 (" + child + "); stale (1): 192.0.2.2 (" + other + "); " +
		"left over (4): 192.0.2.20 (" + master + "), 192.0.2.21 (" + master + "), 192.0.2.22 (" + master + "), … " +
		"(examined 4 accounts) … junctor repairs them"}},
	{"spellings", func(p *patient) { p.put("dedicated_ips", free("2001:DB8:0::1")) },
		map[string]string{"spellings": "warning: in several spellings (1): 2001:DB8:0::1 = 2001:db8::1 … delete ADDRESS"}},
	{"spellings that two hold", func(p *patient) { p.give(child, "2001:DB8:0::1") }, map[string]string{
		"spellings": "broken: in several spellings, held by several accounts (1): 2001:DB8:0::1 = 2001:db8::1"}},
	{"odd entries", func(p *patient) {
		p.put("dedicated_ips", free("proxy1.example.com"))
		p.put("dedicated_ips", held("192.0.2.12", gone))
		p.put("dedicated_ips", strings.Replace(free("192.0.2.13"), "available", "assigned", 1))
	}, map[string]string{
		"addresses": "warning: not IP addresses (1): proxy1.example.com … delete TEXT",
		"holders": "warning: held by accounts that do not exist (1): 192.0.2.12 (" + gone + "); " +
			"assigned without an account (1): 192.0.2.13 … release ADDRESS",
	}},
}

func TestIllnesses(t *testing.T) {
	t.Parallel()
	for _, ill := range illnesses {
		t.Run(ill.name, func(t *testing.T) {
			t.Parallel()
			p := admit(t)
			ill.make(p)
			p.is(p.examine(Options{}), ill.want)
		})
	}
}

// TestCouchDB: a sound CouchDB, one with all that is wrong at once, and no trace of having been looked at.
func TestCouchDB(t *testing.T) {
	t.Parallel()
	p := admitCouchDB(t)
	before := p.state()
	p.is(p.examine(Options{}), nil)
	p.request(http.MethodPost, "dedicated_ips/_bulk_docs", map[string]any{"new_edits": false, "docs": []any{map[string]any{
		"_id": "192.0.2.1", "_rev": "1-" + strings.Repeat("0", 32), "pvt_type": "dedicated_ip", "pvt_status": "assigned",
		"pvt_assigned_to": child,
	}}}, nil)
	p.is(p.examine(Options{}), map[string]string{
		"conflicts": "warning: with losing revisions (1): 192.0.2.1 … which account should hold them",
	})
	p.remove("dedicated_ips", "_design/dedicated_ips")
	for _, ill := range illnesses {
		switch ill.name {
		case "no settings", "half of Kazoo's views of accounts", "copies", "odd entries", "spellings that two hold":
			ill.make(p)
		}
	}
	ill := p.state()
	if reflect.DeepEqual(ill, before) {
		t.Fatal("writes do not show")
	}
	if found := p.examine(Options{}); worstOf(found) != Broken {
		t.Errorf("found %v", found)
	}
	if after := p.state(); !reflect.DeepEqual(after, ill) {
		t.Errorf("looking at it changed it\nfrom %v\nto   %v", ill, after)
	}
}

// TestEmpty: a store that is not bootstrapped.
func TestEmpty(t *testing.T) {
	t.Parallel()
	p := visit(t, "memory:")
	p.is(p.examine(Options{}), map[string]string{
		"databases": "broken: missing: accounts, system_config, system_auth; missing: services; " +
			"missing: dedicated_ips … bootstrap … when it starts to serve",
		"settings":       "broken: ",
		"signing key":    "broken: ",
		"master account": "broken: ",
		"Kazoo's views":  "warning: ",
	})
}

// TestKazooTexts: which of Kazoo's texts a design document is. That of 4.3 is that of master, written on one line.
func TestKazooTexts(t *testing.T) {
	t.Parallel()
	p := admit(t)
	is := func(want string) {
		t.Helper()
		if f := p.examine(Options{})["Kazoo's views"]; f.State != OK || !strings.HasPrefix(f.Found, want) {
			t.Errorf("got %+v, want %s", f, want)
		}
	}
	is("as Kazoo's master writes them")
	p.rewrite(func(text string) string {
		text = strings.ReplaceAll(strings.Join(strings.Fields(text), " "), ";}", "; }")
		return strings.NewReplacer("{ '", "{'", "zone });", "zone});").Replace(text)
	})
	is("as Kazoo 4.0 to 4.3 writes them")
	p.rewrite(func(text string) string { return text + " " })
	p.is(p.examine(Options{}), map[string]string{"Kazoo's views": "warning: "})
	design, err := p.Get(p.Context(), "dedicated_ips", "_design/dedicated_ips")
	p.ok(err)
	p.ok(p.CreateDatabase(p.Context(), "system_data"))
	delete(design, "_rev")
	_, err = p.Put(p.Context(), "system_data", document.Document{
		"_id": "dedicated_ips-kazoo_apps-dedicated_ips", "view_definition": map[string]any(design),
	})
	p.ok(err)
	is("as this Kazoo writes them")
}

// rewrite changes every function of Kazoo's design document.
func (p *patient) rewrite(change func(text string) string) {
	p.Helper()
	_, err := p.Update(p.Context(), "dedicated_ips", "_design/dedicated_ips", func(doc document.Document) error {
		for _, view := range doc["views"].(map[string]any) {
			for name, text := range view.(map[string]any) {
				view.(map[string]any)[name] = change(text.(string))
			}
		}
		return nil
	})
	p.ok(err)
}

// TestSettingsOfANode: what counts is what serve would read.
func TestSettingsOfANode(t *testing.T) {
	t.Parallel()
	p := admit(t)
	p.change("system_config", "accounts", map[string]any{"master_account_id": gone}, "east")
	for zone, want := range map[string]State{"": OK, "west": OK, "east": Broken} {
		if f := p.examine(Options{Node: account.Node{Zone: zone}})["master account"]; f.State != want {
			t.Errorf("zone %q: %+v", zone, f)
		}
	}
}

// TestBounds: no more accounts are looked at than asked for, and that is said.
func TestBounds(t *testing.T) {
	t.Parallel()
	p := admit(t)
	for n, want := range map[int]string{
		2: "equal to the pool (examined 2 accounts, and there are more)", 4: "equal to the pool (examined 4 accounts)",
	} {
		if f := p.examine(Options{Accounts: n})["copies"]; f.Found != want {
			t.Errorf("%d: %s", n, f.Found)
		}
	}
}

// TestWords: no secret is in what is said.
func TestWords(t *testing.T) {
	t.Parallel()
	p := admit(t)
	raw, err := os.ReadFile("../testutil/testdata/kazoo-db/system_config.json")
	p.ok(err)
	const secret = "e3bf6409fc0bd932b18d67f2b8ec316a"
	if !strings.Contains(string(raw), secret) {
		t.Fatal("the sample has another secret")
	}
	text := fmt.Sprint(p.examine(Options{}))
	if strings.Contains(text, secret) {
		t.Error(text)
	}
}

// TestAlone: N8. An embedded store is looked at for what fits it, and no remedy names a Kazoo or a command of its own.
func TestAlone(t *testing.T) {
	t.Parallel()
	known := regexp.MustCompile(`"(junctor bootstrap|sup kazoo_ips_maintenance [a-z]+ ?[A-Z]*)"`)
	for name, spoil := range map[string]func(*patient){
		"whole":       func(*patient) {},
		"no settings": func(p *patient) { p.remove("system_config", "auth"); p.remove("system_config", "accounts") },
		"empty":       nil,
	} {
		p := visit(t, "memory:")
		provisioner := account.NewProvisioner(p.Store, auth.NewKeyDocument, time.Now)
		if spoil != nil {
			if _, err := provisioner.Bootstrap(t.Context()); err != nil {
				t.Fatal(err)
			}
			spoil(p)
		}
		for check, f := range p.examine(Options{Alone: true}) {
			if slices.Contains([]string{"Kazoo's views", "account views", "broker", "reconciliation"}, check) {
				t.Errorf("%s: it looks at %s", name, check)
			}
			if name == "whole" && f.State != OK && check != "databases" {
				t.Errorf("%s: %+v", name, f)
			}
			rest := known.ReplaceAllString(f.Remedy, "")
			if strings.Contains(f.Remedy, "Kazoo") || strings.Contains(rest, `"`) || f.State != OK && f.Remedy == "" {
				t.Errorf("%s: %s: %s", name, check, f.Remedy)
			}
		}
	}
}
