package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"junctor/pkg/testutil"
)

// TestAccounts does one list of tasks through the socket of a server, on a store that nobody serves, and on a CouchDB:
// accounts and users are found by id, realm and name.
func TestAccounts(t *testing.T) {
	t.Parallel()
	const oneAsJSON = `{"id":"ID-one","name":"One","realm":"one.example.com","enabled":true,"superduper":false,` +
		`"tree":["ID-master"],"ips":[]}`
	tests := []struct {
		args string
		code int
		want []string // parts of the output
	}{
		{"account show One", 0, []string{"account    ID-one\nname       One\nrealm      one.example.com\n" +
			"parent     ID-master\nstate      enabled\naddresses  none\n"}},
		{"account show One --json", 0, []string{oneAsJSON}},
		{"account show ID-one --json", 0, []string{oneAsJSON}},
		{"account show oNE --json", 0, []string{oneAsJSON}},
		{"account show ONE.example.com --json", 0, []string{oneAsJSON}},
		{"account show Two", 0, []string{"parent     ID-one\n"}},
		{"account show Два", 0, []string{"realm      dwa.example.com\n"}},
		{"account show Twin", 0, []string{"realm      twin.example.com\n"}},
		{"account show nobody", 1, []string{`junctor: there is no account "nobody"`}},
		{"account show ----", 2, nil},
		{"account show twin", 1, []string{"junctor: 2 accounts are called \"twin\": give the id of one of them\n",
			"\n  ID-twin  Twin  twin.example.com\n", "\n  ID-other  Twin!  other.example.com\n"}},
		{"account list", 0, []string{"ACCOUNT ", "NAME ", "REALM ", "STATE\n", "ID-one ", "ID-other ", "ID-master "}},
		{"account list --search DWA --json", 0, []string{
			`[{"id":"ID-dwa","name":"Два","realm":"dwa.example.com","enabled":true}]`,
		}},
		{"account list --search nobody --json", 0, []string{"[]\n"}},
		{"account list --search ID-two", 0, []string{"Two", "two.example.com  enabled\n"}},
		{"user list one", 0, []string{"USERNAME  NAME           LEVEL  STATE     USER\n",
			"\nboss      Account Admin  admin  enabled   ", "\nrené      Account Admin  user   disabled  "}},
		{"user list one --json", 0, []string{`"username":"boss","name":"Account Admin","priv_level":"admin","enabled":true}`,
			`"username":"rené","name":"Account Admin","priv_level":"user","enabled":false}]`}},
		{"user list Two --json", 0, []string{"[]\n"}},
		{"user list nobody", 1, []string{`there is no account "nobody"`}},
	}
	for name, place := range places(t) {
		t.Run(name, func(t *testing.T) {
			ids := []string{bootstrapped(t, place.args("")...).AccountID, "ID-master"}
			for _, text := range []string{"One one", "Two two --parent One", "Два dwa", "Twin twin", "Twin! other"} {
				name, rest, _ := strings.Cut(text, " ")
				realm, flags, _ := strings.Cut(rest, " ")
				made := newAccount(t, name, place.args("--realm "+realm+".example.com "+flags)...)
				ids = append(ids, made.ID, "ID-"+realm)
			}
			env := environment{"JUNCTOR_PASSWORD": "secret"}
			for _, args := range []string{"user create One boss", "user create one.example.com René --level user",
				"user disable One rené"} {
				if o := call(t, env, place.args(args)...); o.code != 0 {
					t.Fatalf("%s: %+v", args, o)
				}
			}
			mask := strings.NewReplacer(ids...)
			slices.Reverse(ids)
			words := strings.NewReplacer(ids...)
			for _, test := range tests {
				o := call(t, nil, place.args(words.Replace(test.args))...)
				got := mask.Replace(o.stdout + o.stderr)
				for _, want := range test.want {
					if !strings.Contains(got, want) {
						t.Errorf("%s: %s\nwant %s", test.args, got, want)
					}
				}
				if o.code != test.code {
					t.Errorf("%s: exit code %d, want %d: %s", test.args, o.code, test.code, got)
				}
			}
		})
	}
}

// TestToken: the token of an account is good for what the account may do.
func TestToken(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	place := &place{dsn: home, server: start(t, "--store", home)}
	ok(t, place.args("bootstrap")...)
	one := newAccount(t, "One", place.args("")...)
	master := strings.TrimSpace(ok(t, place.args("token")...))
	var printed printedToken
	decode(t, ok(t, place.args("token --account One --for 30m --json")...), &printed)
	if printed.AccountID != one.ID || printed.Expires.IsZero() {
		t.Errorf("printed %+v", printed)
	}
	for args, code := range map[string]int{"token --for 0s": 2, "token --for x": 2, "token --account none": 1} {
		if o := call(t, nil, place.args(args)...); o.code != code || o.stdout != "" {
			t.Errorf("%s: %+v", args, o)
		}
	}
	s := place.serve(t)
	for _, test := range []struct {
		token, path string
		want        int
	}{
		{master, "/v2/ips", 200}, {printed.Token, "/v2/ips", 403},
		{printed.Token, "/v2/accounts/" + one.ID + "/ips", 200},
	} {
		if status, envelope := s.request("GET", test.path, test.token, ""); status != test.want {
			t.Errorf("%s: %d %v, want %d", test.path, status, envelope, test.want)
		}
	}
}

// TestLookupKeys: a look-up key reads routing until it is removed, and does nothing else.
func TestLookupKeys(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	place := &place{dsn: home, server: start(t, "--store", home)}
	master := bootstrapped(t, place.args("")...)
	if got := ok(t, place.args("lookup-key list --json")...); got != "[]\n" {
		t.Errorf("at first: %s", got)
	}
	var made struct{ Name, Key string }
	decode(t, ok(t, place.args("lookup-key create proxy-1 --json")...), &made)
	document := `{"owner":"o","name":"n","ips":{"inbound":{"z":["192.0.2.1"]},"outbound":{}}}`
	if o := tell(t, nil, document, place.args("routing set "+otherCluster+" -")...); o.code != 0 {
		t.Fatalf("%+v", o)
	}
	for args, want := range map[string]int{
		"lookup-key create proxy-1": 1, "lookup-key create A": 2, "lookup-key remove none": 1, "lookup-key create": 2,
	} {
		if o := call(t, nil, place.args(args)...); o.code != want || strings.Contains(o.stdout, "lookup.") {
			t.Errorf("%s: %+v", args, o)
		}
	}
	s := place.serve(t)
	for request, want := range map[string]int{
		"GET /v2/routing/lookup?ip=192.0.2.1": 200, "GET /v2/routing/customer_clusters": 200,
		"GET /v2/routing/customer_cluster/addresses?direction=inbound&kazoo_cluster_id=" + otherCluster: 200,
		"GET /v2/routing/customer_cluster?kazoo_cluster_id=" + otherCluster:                             200,
		"DELETE /v2/routing/customer_cluster?kazoo_cluster_id=" + otherCluster:                          403,
		"GET /v2/ips": 403, "GET /v2/accounts/" + master.AccountID + "/ips": 403, "PUT /v2/auth": 403,
		"GET /v2/token_auth": 403, "GET /v2/accounts/" + otherCluster + "/ips": 403,
	} {
		method, path, _ := strings.Cut(request, " ")
		status, envelope := s.request(method, path, made.Key, "")
		if status != want {
			t.Errorf("%s: %d %v, want %d", request, status, envelope["data"], want)
		}
		if list, _ := envelope["data"].([]any); strings.Contains(path, "addresses") && len(list) != 1 {
			t.Errorf("%s: %v", request, envelope["data"])
		}
	}
	testutil.Eventually(t, "the name of the key in the log", func() bool {
		return s.logs(`"lookup_key":"proxy-1"`)
	})
	if s.logs(made.Key) {
		t.Error("the log has the key")
	}
	if got := ok(t, place.args("lookup-key list")...); !strings.Contains(got, "\nproxy-1  20") {
		t.Errorf("listed %s", got)
	}
	ok(t, place.args("lookup-key remove proxy-1")...)
	testutil.Eventually(t, "the key to end", func() bool {
		status, _ := s.request("GET", "/v2/routing/customer_clusters", made.Key, "")
		return status == http.StatusUnauthorized
	})
}
