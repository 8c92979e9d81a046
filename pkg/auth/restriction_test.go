package auth_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/auth"
	"junctor/pkg/doccache"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// The accounts of kazoo-db; adam is a plain user of A, alice its admin.
const (
	kazooA     = "20d27928305e257782655b7896c79f14"
	kazooB     = "09c766718e5cfdbc70c929dccb4e00fc"
	kazooA1    = "3a583234b29d88662d41c309f3dfa1e1"
	kazooM     = "0766c6d3a0cf0a0f293e7c8cf0bdcab5"
	kazooAdam  = "cb44be27cfeb26cdf7d2aa76e31f3b8d"
	kazooAlice = "97a0c7b50967fbbe2f9e94f7687fb33f"
)

// kazooIdentities are those that were recorded.
var kazooIdentities = map[string]*auth.Identity{
	"adam":  {AccountID: kazooA, OwnerID: kazooAdam, Method: "cb_user_auth"},
	"alice": {AccountID: kazooA, OwnerID: kazooAlice, Method: "cb_user_auth"},
	"A":     {AccountID: kazooA, Method: "cb_api_auth"},
	"M":     {AccountID: kazooM, Method: "cb_api_auth", Superduper: true},
}

func getAccount(t testing.TB, s *store.Store, id string) *account.Account {
	t.Helper()
	got, err := account.Get(t.Context(), s, id)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// restrict writes the restrictions of an account; nil takes them away.
func restrict(t testing.TB, s *store.Store, id string, restrictions any) {
	t.Helper()
	if restrictions != nil {
		update(t, s, database(t, id), "token_restrictions", document.Document{
			"pvt_type": "token_restrictions", "restrictions": restrictions,
		})
		return
	}
	doc, err := s.Get(t.Context(), database(t, id), "token_restrictions")
	if err == nil {
		err = s.Delete(t.Context(), database(t, id), doc.ID(), doc.Rev())
	}
	if err != nil && !fault.Is(err, fault.BadIdentifier) {
		t.Fatal(err)
	}
}

// parse reads JSON text into what a store takes.
func parse(t testing.TB, text string) map[string]any {
	t.Helper()
	doc, err := document.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestRestrictionPatterns(t *testing.T) {
	t.Parallel()
	s := openKazoo(t)
	a := strict(s)
	for pattern, want := range map[string]string{ // of the parameters below, those that fit
		"":        "-",
		"/":       "-",
		"*":       "a b",
		"#":       "- a b a/b a/a",
		"a":       "a",
		"a/":      "a",
		"/a":      "",
		"*/b":     "a/b",
		"a/*":     "a/b a/a",
		"*/*":     "a/b a/a",
		"#/b":     "b a/b",
		"a/#":     "a a/b a/a",
		"#/*":     "a b a/b a/a",
		"*/#":     "a b a/b a/a",
		"#/#":     "- a b a/b a/a",
		"#/a/#":   "a a/b a/a",
		"#/a/#/a": "a/a",
		"#/#/a/#": "a a/b a/a",
		"A":       "",
	} {
		restrict(t, s, kazooA, parse(t, `{"_":{"_":{"_":[{"rules":{"`+pattern+`":["_"]}}]}}}`))
		var got []string
		for _, path := range []string{"-", "a", "b", "a/b", "a/a"} {
			wanted := auth.Access{Path: []string{"ips"}, Verb: "GET"}
			if path != "-" {
				wanted.Path = append([]string{"ips"}, strings.Split(path, "/")...)
			}
			if a.CheckRestrictions(t.Context(), kazooIdentities["adam"], wanted) == nil {
				got = append(got, path)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q fits %q, want %q", pattern, got, want)
		}
	}
}

// TestManyWildcards: a customer writes the restrictions of the own account, and must not keep the server busy with them.
func TestManyWildcards(t *testing.T) {
	t.Parallel()
	s := openKazoo(t)
	restrict(t, s, kazooA, parse(t, `{"_":{"_":{"_":[{"rules":{"`+strings.Repeat("#/", 100_000)+`x":["_"]}}]}}}`))
	wanted := auth.Access{Path: strings.Split("ips"+strings.Repeat("/a", 20), "/"), Verb: "GET"}
	if err := strict(s).CheckRestrictions(t.Context(), kazooIdentities["adam"], wanted); !fault.Is(err, fault.Forbidden) {
		t.Errorf("got %v", err)
	}
}

// TestLongRestrictions: restrictions are cached up to a number of bytes, and longer ones hold as well.
func TestLongRestrictions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := observe(openExample(t))
		documents := doccache.New(c, doccache.Options{Staleness: time.Hour})
		defer documents.Close()
		a := auth.NewAuthenticator(c, auth.Options{Now: at(now), Documents: documents})
		rules := map[string]any{"#": []any{"PUT"}}
		for n := range 20_000 { // 1.2 MB, of which the cache has room for one
			rules[strings.Repeat("long/", 10)+fmt.Sprint(n)] = []any{}
		}
		for _, id := range []string{customerA, customerB} {
			restrict(t, c.Store, id, map[string]any{"_": map[string]any{"_": map[string]any{"_": []any{
				map[string]any{"rules": rules}}}}})
		}
		deny := func(id string) (reads int64) {
			t.Helper()
			before := c.reads.Load()
			i, wanted := &auth.Identity{AccountID: id}, auth.Access{Path: []string{"ips"}, Verb: "GET"}
			if err := a.CheckRestrictions(t.Context(), i, wanted); !fault.Is(err, fault.Forbidden) {
				t.Errorf("got %v", err)
			}
			synctest.Wait()
			return c.reads.Load() - before
		}
		deny(customerA)
		if n := deny(customerA); n != 0 {
			t.Errorf("%d reads of restrictions that are cached", n)
		}
		deny(customerB)
		if deny(customerA)+deny(customerB) == 0 {
			t.Error("both are cached")
		}
	})
}

func TestRestrictionChoices(t *testing.T) {
	t.Parallel()
	s := openKazoo(t)
	a := strict(s)
	const (
		get      = `[{"rules":{"#":["GET"]}}]`
		readOnly = `{"_":{"ips":` + get + `}}`
		all      = `{"_":{"ips":[{"rules":{"#":["_"]}}]}}`
	)
	adam, alice := kazooIdentities["adam"], kazooIdentities["alice"]
	apiKey, super := kazooIdentities["A"], kazooIdentities["M"]
	user := func(method string) *auth.Identity {
		return &auth.Identity{AccountID: kazooA, OwnerID: kazooAdam, Method: method}
	}
	refreshedKey := &auth.Identity{AccountID: kazooA, Method: "cb_auth"}
	for _, c := range []struct {
		own, system string
		who         *auth.Identity
		denied      bool // a POST of ips
	}{
		{own: `{}`, who: adam},
		{own: `{"cb_user_auth":` + readOnly + `}`, who: adam, denied: true},
		{own: `{"cb_user_auth":` + readOnly + `}`, who: apiKey},
		{own: `{"cb_user_auth":{},"_":` + readOnly + `}`, who: adam},   // the method's own count alone
		{own: `{"cb_user_auth":{"user":{}}}`, who: adam, denied: true}, // nothing is allowed
		{own: `{"_":{"admin":{"ips":` + get + `}}}`, who: adam},
		{own: `{"_":{"admin":{"ips":` + get + `}}}`, who: alice, denied: true},
		{own: `{"_":{"admin":{"ips":` + get + `}}}`, who: apiKey, denied: true}, // default_priv_level
		{own: `{"_":{"_":{"ips":[],"_":[{"rules":{"#":["_"]}}]}}}`, who: apiKey, denied: true},
		{own: `{"_":{"_":{"ips":[{"allowed_accounts":[],"rules":{"#":["_"]}}]}}}`, who: apiKey, denied: true},
		{own: `{"_":{"_":{"ips":[{"allowed_accounts":["x","_"],"rules":{"#":["_"]}}]}}}`, who: apiKey},
		{own: `{"_":{"_":{"ips":[{}]}}}`, who: apiKey, denied: true},
		{own: `{"_":{"_":{"ips":[{"rules":{"#":["post"]}}]}}}`, who: apiKey, denied: true},
		{own: `{"_":{"_":{"ips":[{"rules":{"#":["GET","_"]}}]}}}`, who: apiKey},
		{system: `{"_":` + readOnly + `}`, who: adam, denied: true},
		{system: `{"_":` + readOnly + `}`, who: super},
		{system: `{"cb_api_auth":` + readOnly + `}`, who: adam},
		{system: `{"_":{"x":{"ips":` + get + `}},"default_priv_level":"x"}`, who: apiKey, denied: true},
		{system: `{"_":{"x":{"ips":` + get + `}},"default_priv_level":"x"}`, who: adam},
		{own: `{"cb_user_auth":{"_":{"_":[{"rules":{"#":["_"]}}]}}}`, system: `{"_":` + readOnly + `}`, who: adam},
		{own: `{"cb_api_auth":{}}`, system: `{"_":` + readOnly + `}`, who: adam, denied: true},

		// What can't be read forbids.
		{own: `{"_":{"_":[]}}`, who: apiKey, denied: true},
		{own: `{"_":{"_":{"ips":{}}}}`, who: apiKey, denied: true},
		{own: `{"_":{"_":{"ips":[{"rules":[]}]}}}`, who: apiKey, denied: true},
		{own: `{"_":{"_":{"ips":[{"rules":{"#":"GET"}}]}}}`, who: apiKey, denied: true},
		{own: `{"_":{"_":{"ips":[{"allowed_accounts":"_"}]}}}`, who: apiKey, denied: true},
		{own: `"x"`, who: apiKey, denied: true},

		// What users may do after a login counts after a refresh by Kazoo and with Basic, too, and what API keys may do
		// after a refresh: fault S7.
		{own: `{"cb_user_auth":` + readOnly + `}`, who: user("cb_auth"), denied: true},
		{own: `{"cb_user_auth":` + readOnly + `}`, who: user("cb_basic_auth"), denied: true},
		{own: `{"cb_user_auth":` + readOnly + `}`, who: user("cb_sso"), denied: true},
		{own: `{"cb_user_auth":` + readOnly + `}`, who: user(""), denied: true},
		{own: `{"cb_api_auth":` + readOnly + `}`, who: refreshedKey, denied: true},
		{own: `{"cb_user_auth":` + readOnly + `}`, who: refreshedKey},
		{own: `{"cb_api_auth":` + readOnly + `}`, who: user("cb_auth")},
		{own: `{"cb_basic_auth":` + readOnly + `,"cb_user_auth":` + all + `}`, who: user("cb_basic_auth"), denied: true},
		{own: `{"cb_basic_auth":` + all + `,"_":` + readOnly + `}`, who: user("cb_basic_auth")},
		{own: `{"_":` + readOnly + `}`, who: user("cb_basic_auth"), denied: true},
		{system: `{"cb_user_auth":` + readOnly + `}`, who: user("cb_auth"), denied: true},
		{own: `{"cb_user_auth":` + all + `}`, system: `{"cb_user_auth":` + readOnly + `}`, who: user("cb_auth")},
		{own: `{"_":` + all + `}`, system: `{"cb_user_auth":` + readOnly + `}`, who: user("cb_auth")},

		// Identities of another cluster have been asked theirs there.
		{own: `{"_":{"_":{}}}`, who: &auth.Identity{AccountID: kazooA, Remote: true, ClusterID: "c"}},
	} {
		var own any
		if c.own != "" {
			own = parse(t, `{"own":`+c.own+`}`)["own"]
		}
		restrict(t, s, kazooA, own)
		system := map[string]any{}
		if c.system != "" {
			system = parse(t, c.system)
		}
		update(t, s, "system_config", "crossbar.token_restrictions", document.Document{"default": system})
		wanted := auth.Access{Path: []string{"ips"}, Verb: "POST", Account: getAccount(t, s, kazooA)}
		err := a.CheckRestrictions(t.Context(), c.who, wanted)
		if c.denied != (err != nil) || err != nil && !fault.Is(err, fault.Forbidden) {
			t.Errorf("%+v, own %s, system %s: %v", *c.who, c.own, c.system, err)
		}
		wanted.Verb = "GET"
		if strings.Contains(c.own+c.system, readOnly) && a.CheckRestrictions(t.Context(), c.who, wanted) != nil {
			t.Errorf("%+v, own %s, system %s: a GET is denied", *c.who, c.own, c.system)
		}
	}
}

// TestRestrictionOrder: of two rules that fit, the one that Kazoo wrote first counts, which a CouchDB keeps.
func TestRestrictionOrder(t *testing.T) {
	t.Parallel()
	dsn := storetest.FreshCouch(t)
	s := storetest.Open(t, dsn)
	testutil.LoadKazoo(t, s)
	home := dsn + "/" + url.PathEscape(database(t, kazooA)) + "/token_restrictions"
	rev := ""
	for _, c := range []struct{ rules, allowed string }{
		{`{"zones":["_"],"*":["DELETE"]}`, "GET"},
		{`{"*":["DELETE"],"zones":["_"]}`, "DELETE"},
		{`{"*":["GET"],"#":["DELETE"]}`, "GET"},
		{`{"#":["DELETE"],"*":["GET"]}`, "DELETE"},
	} {
		rev = putText(t, home, `{`+rev+`"restrictions":{"_":{"_":{"ips":[{"rules":`+c.rules+`}]}}}}`)
		for _, verb := range []string{"GET", "DELETE"} {
			wanted := auth.Access{Path: []string{"ips", "zones"}, Verb: verb}
			err := strict(s).CheckRestrictions(t.Context(), kazooIdentities["adam"], wanted)
			allowed := verb == c.allowed || strings.HasPrefix(c.rules, `{"zones"`)
			if allowed != (err == nil) || err != nil && !fault.Is(err, fault.Forbidden) {
				t.Errorf("%s %s: %v", c.rules, verb, err)
			}
		}
	}
}

// putText writes a document as it is spelled, and returns what its next version has to begin with.
func putText(t *testing.T, address, text string) (rev string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, address, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	rev = strings.Trim(response.Header.Get("ETag"), `"`)
	if response.StatusCode != http.StatusCreated || rev == "" {
		t.Fatalf("status %d, ETag %q", response.StatusCode, rev)
	}
	return `"_rev":"` + rev + `",`
}
