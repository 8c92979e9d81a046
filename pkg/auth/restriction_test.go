package auth_test

import (
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"junctor/pkg/account"
	"junctor/pkg/auth"
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

// recordedAccess is a request to a real Crossbar.
type recordedAccess struct {
	Who, Verb, Account, Endpoint string
	Parameters                   []string
	N                            int
	Denied                       bool
}

// TestRecordedRestrictions replays what a real Crossbar let pass under which restrictions.
func TestRecordedRestrictions(t *testing.T) {
	t.Parallel()
	var recorded []struct {
		Note         string
		Restrictions any // nil is none
		Requests     []recordedAccess
	}
	decode(t, read(t, "testdata/restrictions.json"), &recorded)
	s := openKazoo(t)
	a := strict(s)
	for _, step := range recorded {
		restrict(t, s, kazooA, step.Restrictions)
		for _, r := range step.Requests {
			err := a.CheckRestrictions(t.Context(), kazooIdentities[r.Who], r.access(t, s))
			if r.Denied {
				checkDenied(t, err)
			}
			if r.Denied != (err != nil) {
				t.Errorf("%s: n=%d %s %s %s %v: %v", step.Note, r.N, r.Who, r.Verb, r.Endpoint, r.Parameters, err)
			}
		}
	}
}

func (r recordedAccess) access(t *testing.T, s *store.Store) auth.Access {
	t.Helper()
	wanted := auth.Access{Path: append([]string{r.Endpoint}, r.Parameters...), Verb: r.Verb}
	if r.Account != "" {
		wanted.Account = getAccount(t, s, r.Account)
	}
	return wanted
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

func checkDenied(t testing.TB, err error) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	want := map[string]any{"cause": "access denied by token restrictions", "message": "forbidden"}
	if !ok || f.Kind != fault.Forbidden || !reflect.DeepEqual(f.Data, want) {
		t.Errorf("got %v", err)
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

func TestRestrictionChoices(t *testing.T) {
	t.Parallel()
	s := openKazoo(t)
	a := strict(s)
	const get = `[{"rules":{"#":["GET"]}}]`
	for _, c := range []struct {
		own, system string
		who         string
		denied      bool // a POST of ips
	}{
		{own: `{}`, who: "adam"},
		{own: `{"cb_user_auth":{"_":{"ips":` + get + `}}}`, who: "adam", denied: true},
		{own: `{"cb_user_auth":{"_":{"ips":` + get + `}}}`, who: "A"},
		{own: `{"cb_user_auth":{},"_":{"_":{"ips":` + get + `}}}`, who: "adam"}, // the method's own count alone
		{own: `{"cb_user_auth":{"user":{}}}`, who: "adam", denied: true},        // nothing is allowed
		{own: `{"_":{"admin":{"ips":` + get + `}}}`, who: "adam"},
		{own: `{"_":{"admin":{"ips":` + get + `}}}`, who: "alice", denied: true},
		{own: `{"_":{"admin":{"ips":` + get + `}}}`, who: "A", denied: true}, // default_priv_level
		{own: `{"_":{"_":{"ips":[],"_":[{"rules":{"#":["_"]}}]}}}`, who: "A", denied: true},
		{own: `{"_":{"_":{"ips":[{"allowed_accounts":[],"rules":{"#":["_"]}}]}}}`, who: "A", denied: true},
		{own: `{"_":{"_":{"ips":[{"allowed_accounts":["x","_"],"rules":{"#":["_"]}}]}}}`, who: "A"},
		{own: `{"_":{"_":{"ips":[{}]}}}`, who: "A", denied: true},
		{own: `{"_":{"_":{"ips":[{"rules":{"#":["post"]}}]}}}`, who: "A", denied: true},
		{own: `{"_":{"_":{"ips":[{"rules":{"#":["GET","_"]}}]}}}`, who: "A"},
		{system: `{"_":{"_":{"ips":` + get + `}}}`, who: "adam", denied: true},
		{system: `{"_":{"_":{"ips":` + get + `}}}`, who: "M"},
		{system: `{"cb_api_auth":{"_":{"ips":` + get + `}}}`, who: "adam"},
		{system: `{"_":{"x":{"ips":` + get + `}},"default_priv_level":"x"}`, who: "A", denied: true},
		{system: `{"_":{"x":{"ips":` + get + `}},"default_priv_level":"x"}`, who: "adam"},
		{own: `{"cb_user_auth":{"_":{"_":[{"rules":{"#":["_"]}}]}}}`, system: `{"_":{"_":{"ips":` + get + `}}}`, who: "adam"},
		{own: `{"cb_api_auth":{}}`, system: `{"_":{"_":{"ips":` + get + `}}}`, who: "adam", denied: true},
	} {
		restrict(t, s, kazooA, nil)
		if c.own != "" {
			restrict(t, s, kazooA, parse(t, c.own))
		}
		system := parse(t, `{}`)
		if c.system != "" {
			system = parse(t, c.system)
		}
		update(t, s, "system_config", "crossbar.token_restrictions", document.Document{"default": system})
		wanted := auth.Access{Path: []string{"ips"}, Verb: "POST", Account: getAccount(t, s, kazooA)}
		err := a.CheckRestrictions(t.Context(), kazooIdentities[c.who], wanted)
		if c.denied != (err != nil) || err != nil && !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s, own %s, system %s: %v", c.who, c.own, c.system, err)
		}
	}
}

// TestRestrictionsThatCannotBeRead forbid.
func TestRestrictionsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	s := openKazoo(t)
	for _, restrictions := range []string{
		`{"_":{"_":[]}}`, `{"_":{"_":{"ips":{}}}}`, `{"_":{"_":{"ips":[{"rules":[]}]}}}`,
		`{"_":{"_":{"ips":[{"rules":{"#":"GET"}}]}}}`, `{"_":{"_":{"ips":[{"allowed_accounts":"_"}]}}}`,
	} {
		restrict(t, s, kazooA, parse(t, restrictions))
		err := strict(s).CheckRestrictions(t.Context(), kazooIdentities["A"], auth.Access{Path: []string{"ips"}, Verb: "GET"})
		if !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s: %v", restrictions, err)
		}
	}
	restrict(t, s, kazooA, "x")
	err := strict(s).CheckRestrictions(t.Context(), kazooIdentities["A"], auth.Access{Path: []string{"ips"}, Verb: "GET"})
	if !fault.Is(err, fault.Forbidden) {
		t.Errorf("a text: %v", err)
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

// putText writes a document as it is spelt, and answers what its next version has to begin with.
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

// TestRestrictionsOfOthers: identities of another cluster are not subject to documents of this one.
func TestRestrictionsOfOthers(t *testing.T) {
	t.Parallel()
	s := openKazoo(t)
	restrict(t, s, kazooA, parse(t, `{"_":{"_":{}}}`))
	remote := &auth.Identity{AccountID: kazooA, Remote: true, ClusterID: "c"}
	if err := strict(s).CheckRestrictions(t.Context(), remote, auth.Access{Path: []string{"routing"}}); err != nil {
		t.Error(err)
	}
}

// TestRestrictionsHoldHoweverTheTokenWasMade: what users may do after a login counts after a refresh by Kazoo and with
// Basic, too, and what API keys may do after a refresh: fault S7.
func TestRestrictionsHoldHoweverTheTokenWasMade(t *testing.T) {
	t.Parallel()
	const readOnly, all = `{"_":{"ips":[{"rules":{"#":["GET"]}}]}}`, `{"_":{"ips":[{"rules":{"#":["_"]}}]}}`
	user := func(method string) *auth.Identity {
		return &auth.Identity{AccountID: kazooA, OwnerID: kazooAdam, Method: method}
	}
	key := func(method string) *auth.Identity { return &auth.Identity{AccountID: kazooA, Method: method} }
	for name, c := range map[string]struct {
		own, system string // "" is none
		who         *auth.Identity
		denied      bool
	}{
		"login":                         {own: `{"cb_user_auth":` + readOnly + `}`, who: user("cb_user_auth"), denied: true},
		"refreshed":                     {own: `{"cb_user_auth":` + readOnly + `}`, who: user("cb_auth"), denied: true},
		"Basic":                         {own: `{"cb_user_auth":` + readOnly + `}`, who: user("cb_basic_auth"), denied: true},
		"any other method":              {own: `{"cb_user_auth":` + readOnly + `}`, who: user("cb_sso"), denied: true},
		"no method":                     {own: `{"cb_user_auth":` + readOnly + `}`, who: user(""), denied: true},
		"key, refreshed":                {own: `{"cb_api_auth":` + readOnly + `}`, who: key("cb_auth"), denied: true},
		"key and users' restrictions":   {own: `{"cb_user_auth":` + readOnly + `}`, who: key("cb_auth")},
		"user and keys' restrictions":   {own: `{"cb_api_auth":` + readOnly + `}`, who: user("cb_auth")},
		"the method's own hold, too":    {own: `{"cb_basic_auth":` + readOnly + `,"cb_user_auth":` + all + `}`, who: user("cb_basic_auth"), denied: true},
		"the method is named":           {own: `{"cb_basic_auth":` + all + `,"_":` + readOnly + `}`, who: user("cb_basic_auth")},
		"of all methods":                {own: `{"_":` + readOnly + `}`, who: user("cb_basic_auth"), denied: true},
		"of the system":                 {system: `{"cb_user_auth":` + readOnly + `}`, who: user("cb_auth"), denied: true},
		"account's before the system's": {own: `{"cb_user_auth":` + all + `}`, system: `{"cb_user_auth":` + readOnly + `}`, who: user("cb_auth")},
		"account's of all methods":      {own: `{"_":` + all + `}`, system: `{"cb_user_auth":` + readOnly + `}`, who: user("cb_auth")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openKazoo(t)
			if c.own != "" {
				restrict(t, s, kazooA, parse(t, c.own))
			}
			if c.system != "" {
				update(t, s, "system_config", "crossbar.token_restrictions", document.Document{"default": parse(t, c.system)})
			}
			a := strict(s)
			wanted := auth.Access{Path: []string{"ips"}, Verb: "POST", Account: getAccount(t, s, kazooA)}
			err := a.CheckRestrictions(t.Context(), c.who, wanted)
			if c.denied {
				checkDenied(t, err)
			} else if err != nil {
				t.Error(err)
			}
			wanted.Verb = "GET"
			if err := a.CheckRestrictions(t.Context(), c.who, wanted); err != nil {
				t.Errorf("GET: %v", err)
			}
		})
	}
}

// TestRestrictionsOfBothHold: of a token that acts as a user both who logged in and that user have to be allowed it:
// fault S4.
func TestRestrictionsOfBothHold(t *testing.T) {
	t.Parallel()
	readOnly := `{"_":{"_":{"ips":[{"rules":{"#":["GET"]}}]}}}`
	for name, restricted := range map[string]string{"who logged in": reseller, "as whom": customerA, "neither": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openExample(t)
			if restricted != "" {
				restrict(t, s, restricted, parse(t, readOnly))
			}
			a := strict(s)
			i, err := authenticate(t, a, tokenOf(t, reseller, userOfReseller, secretOfUserOfReseller, asA))
			if err != nil {
				t.Fatal(err)
			}
			target := getAccount(t, s, customerA)
			err = a.CheckRestrictions(t.Context(), i, auth.Access{Path: []string{"ips"}, Verb: "POST", Account: target})
			if restricted != "" {
				checkDenied(t, err)
			} else if err != nil {
				t.Error(err)
			}
			if err := a.CheckRestrictions(t.Context(), i, auth.Access{Path: []string{"ips"}, Verb: "GET", Account: target}); err != nil {
				t.Error(err)
			}
		})
	}
}
