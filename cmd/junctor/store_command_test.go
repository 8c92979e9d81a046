package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestTasks does one list of tasks through the socket of a server, on a store that nobody serves, and on a CouchDB:
// they come to the same.
func TestTasks(t *testing.T) {
	t.Parallel()
	tasks := []task{
		{"bootstrap --json", "", nil, outcome{stdout: `{"account_id":"X","api_key":"X","cluster_id":"X"}` + "\n"}},
		{"bootstrap", "", nil, outcome{stdout: "master account  X\nits API key     X\ncluster         X\n"}},
		{"account create One --json", "", nil, outcome{stdout: `{"id":"X","api_key":"X","realm":"X.junctor.internal"}` + "\n"}},
		{"account create One --realm one.example.com", "", nil,
			outcome{stdout: "account      X\nits API key  X\nrealm        one.example.com\n"}},
		{"account create Two --realm one.example.com", "", nil,
			outcome{code: 1, stderr: "junctor: another account has the realm \"one.example.com\"\n"}},
		{"account create Two --parent 0123", "", nil, outcome{code: 1, stderr: "junctor: there is no account \"0123\"\n"}},
		{"sup kazoo_ips_maintenance add 1.2.3.4 us-east proxy1.us-east.myswitch.com", "", nil,
			outcome{stdout: "added IP 1.2.3.4 to available dedicated ips\nok\n"}},
		{"sup kazoo_ips_maintenance add", "", nil,
			outcome{stdout: "Please use: sup kazoo_ips_maintenance add <ip> <zone> <host>\n"}},
		{"sup kazoo_ips_maintenance add 1.2.3.5 z", "", nil,
			outcome{code: 2, stderr: "junctor: Please use: sup kazoo_ips_maintenance add <ip> <zone> <host>\n"}},
		{"sup kazoo_ips_maintenance refresh", "", nil, outcome{}},
		{"sup kazoo_ips_maintenance frobnicate", "", nil, outcome{code: 1,
			stderr: "junctor: unknown function \"frobnicate\": of kazoo_ips_maintenance there are add, assign, release, " +
				"delete, summary, refresh\n"}},
		{"account create", "", nil, outcome{code: 2, stderr: "junctor: account create: an operand is missing; usage: " +
			"junctor account create NAME [flags]\n"}},
		{"bootstrap x", "", nil, outcome{code: 2, stderr: "junctor: bootstrap: unexpected \"x\"\n"}},
	}
	all := places(t)
	all["not served"] = &place{dsn: t.TempDir()}
	for name, place := range all {
		t.Run(name, func(t *testing.T) { place.does(t, tasks, volatile) })
	}
}

func TestStartedAsSup(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	start(t, "--store", home)
	var stdout bytes.Buffer
	args := strings.Fields("/usr/local/bin/sup kazoo_ips_maintenance add 1.2.3.4 us-east proxy1.us-east.myswitch.com")
	if code := run(t.Context(), args, environment{"JUNCTOR_STORE": home}.get, nil, &stdout, &stdout); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if got := stdout.String(); got != "added IP 1.2.3.4 to available dedicated ips\nok\n" {
		t.Errorf("printed %q", got)
	}
}

// TestNoStore: a slip in the name of a store makes no new one.
func TestNoStore(t *testing.T) {
	t.Parallel()
	missing := t.TempDir() + "/missing"
	for _, args := range [][]string{
		{"account", "create", "A"}, {"sup", "kazoo_ips_maintenance", "add", "1.2.3.4", "z", "h"}, {"cluster", "list"},
	} {
		o := call(t, nil, append(args, "--store", missing)...)
		if o.code != 1 || !strings.Contains(o.stderr, "there is no store") || exists(missing) {
			t.Errorf("%v: %+v", args, o)
		}
	}
	ok(t, "bootstrap", "--store", missing)
}
