package main

import (
	"fmt"
	"strings"
	"testing"

	"junctor/pkg/account"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// The master of the recorded Kazoo with its API key, and another account.
const (
	kazooMaster = "0766c6d3a0cf0a0f293e7c8cf0bdcab5"
	kazooKey    = "742db687e10725fa8baee2bc7067393451d0b4eeb2f29b2cd0d44607ee6556d8"
	kazooOther  = "20d27928305e257782655b7896c79f14"
)

// beside is a junctor beside a Kazoo.
type beside struct {
	*testing.T
	place
	kazoo *store.Store
}

func besideKazoo(t *testing.T) *beside {
	t.Helper()
	dsn := storetest.FreshCouch(t)
	return &beside{T: t, place: place{dsn: dsn, stateDir: t.TempDir()}, kazoo: loadKazoo(t, dsn)}
}

// restart stops the server, lets something happen, and starts it again.
func (b *beside) restart(meanwhile func()) *served {
	b.Helper()
	b.server.stop()
	b.server = nil
	meanwhile()
	return b.serve(b.T)
}

// assign adds addresses and gives them to an account.
func (b *beside) assign(accountID string, n int) (ids []string) {
	b.Helper()
	for i := range n {
		ids = append(ids, fmt.Sprintf("192.0.2.%d", i))
	}
	ok(b.T, b.args(fmt.Sprintf("ips add 192.0.2.0-%s --zone us-east --host proxy1.example.com", ids[n-1]))...)
	s := b.serve(b.T)
	s.must("POST", "/v2/accounts/"+accountID+"/ips", s.login(kazooKey), `{"data":{"ips":["`+strings.Join(ids, `","`)+`"]}}`)
	testutil.Eventually(b.T, "all copies", func() bool { return len(b.copies(accountID, ids)) == n })
	return ids
}

func (b *beside) copies(accountID string, ids []string) map[string]document.Document {
	b.Helper()
	db, err := account.Database(accountID)
	if err != nil {
		b.Fatal(err)
	}
	copies, err := b.kazoo.GetMany(b.Context(), db, ids)
	if err != nil {
		b.Fatal(err)
	}
	return copies
}

// dropPool deletes the database of the pool.
func (b *beside) dropPool() {
	b.Helper()
	(&faultyCouch{direct: b.dsn}).send(b.T, "DELETE", "/"+dedicatedip.Database)
}

// TestLostPool: a pool whose database is gone is not made anew by a start, its copies stay, and the operator makes it
// again from them through the running server (fault R1).
func TestLostPool(t *testing.T) {
	t.Parallel()
	b := besideKazoo(t)
	ids := b.assign(kazooOther, 12)
	before := b.copies(kazooOther, ids)
	s := b.restart(b.dropPool)

	token := s.login(kazooKey)
	missing := func(s *served) {
		t.Helper()
		for _, path := range []string{"/v2/ips", "/v2/ips/192.0.2.1", "/v2/accounts/" + kazooOther + "/ips/assigned"} {
			if status, envelope := s.request("GET", path, token, ""); status != 503 || envelope["message"] != "datastore_missing" {
				t.Errorf("%s without a pool: %d %v", path, status, envelope)
			}
		}
	}
	missing(s)
	if log := s.stderr.String(); !strings.Contains(log, "junctor ips rebuild --from-copies") {
		t.Errorf("the log does not say what to do:\n%s", log)
	}
	missing(b.restart(func() {}))
	if exists, err := b.kazoo.DatabaseExists(t.Context(), dedicatedip.Database); exists || err != nil {
		t.Fatalf("the pool was made anew: %t, %v", exists, err)
	}
	if got := b.copies(kazooOther, ids); len(got) != len(before) {
		t.Fatalf("%d of %d copies are left", len(got), len(before))
	}
	for _, args := range []string{"sup kazoo_ips_maintenance refresh", "ips add 192.0.2.99 --zone z --host h",
		"ips add 192.0.2.99 --zone z --host h --dry-run"} {
		if o := call(t, nil, b.args(args)...); o.code == 0 || !strings.Contains(o.stderr, "rebuild") {
			t.Errorf("%s: %+v", args, o)
		}
	}

	for want := range strings.SplitSeq("12 addresses restored, 0 were in the pool|0 addresses restored, 12 were in the pool", "|") {
		if text := ok(t, b.args("ips rebuild --from-copies")...); !strings.Contains(text, want) {
			t.Errorf("rebuild said %q, want %s", text, want)
		}
	}
	check := func(s *served) {
		t.Helper()
		status, envelope := s.request("GET", "/v2/ips/"+ids[7], token, "")
		data, _ := envelope["data"].(map[string]any)
		if status != 200 || data["assigned_to"] != kazooOther || data["zone"] != "us-east" {
			t.Errorf("after the rebuild: %d %v", status, envelope)
		}
		for id, doc := range b.copies(kazooOther, ids) {
			if doc.Rev() != before[id].Rev() {
				t.Errorf("the copy of %s was written: %v", id, doc)
			}
		}
	}
	check(b.server)
	s = b.restart(func() {})
	s.awaitFullPass()
	check(s)
}

// TestManyRemovals: a full pass stops before it removes many copies that the pool does not explain, after a restart as
// well, until the operator confirms it (fault R1).
func TestManyRemovals(t *testing.T) {
	t.Parallel()
	b := besideKazoo(t)
	ids := b.assign(kazooOther, 20)
	s := b.restart(func() {
		for _, id := range ids[:15] {
			doc, err := b.kazoo.Get(t.Context(), dedicatedip.Database, id)
			if err == nil {
				err = b.kazoo.Delete(t.Context(), dedicatedip.Database, id, doc.Rev())
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	stopped := func() bool { return s.metric(fullPasses("stopped")) >= "1" }
	testutil.Eventually(t, "a stopped pass", stopped)
	testutil.Eventually(t, "it is logged", func() bool {
		log := s.stderr.String()
		return strings.Contains(log, "15 of the accounts' 20 copies") && strings.Contains(log, "junctor ips repair --confirm")
	})
	s = b.restart(func() {})
	testutil.Eventually(t, "another one", stopped)
	o := call(t, nil, b.args("ips repair")...)
	if o.code != 1 || !strings.Contains(o.stderr, "15 of the accounts' 20 copies") || len(b.copies(kazooOther, ids)) != 20 {
		t.Errorf("repair without confirmation: %+v", o)
	}
	if text := ok(t, b.args("ips repair --confirm")...); !strings.Contains(text, "equal the pool") {
		t.Errorf("repair said %q", text)
	}
	if got := b.copies(kazooOther, ids); len(got) != 5 {
		t.Errorf("%d copies are left", len(got))
	}
	for series, want := range map[string]string{
		fullPasses("completed"): "1", `junctor_copies_repaired_total{kind="removed"}`: "15", "junctor_addresses_abandoned_total": "0",
	} {
		if got := b.server.metric(series); got != want {
			t.Errorf("%s is %s, want %s", series, got, want)
		}
	}
}

// TestRebuildContested: what it leaves to the operator is listed, and the exit code says so.
func TestRebuildContested(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s, err := store.Open(home, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{kazooMaster, kazooOther} {
		db, err := account.Database(id)
		if err == nil {
			err = s.CreateDatabase(t.Context(), db)
		}
		if err == nil {
			_, err = s.Put(t.Context(), db, document.Document{"_id": "192.0.2.1", "pvt_type": "dedicated_ip",
				"pvt_status": "assigned", "pvt_assigned_to": id, "pvt_zone": "us-east"})
		}
		if err == nil {
			err = s.CreateDatabase(t.Context(), "accounts")
		}
		if err == nil {
			_, err = s.Put(t.Context(), "accounts", document.Document{"_id": id, "pvt_type": "account"})
		}
		if err != nil && !fault.Is(err, fault.Conflict) {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	o := call(t, nil, "ips", "rebuild", "--from-copies", "--store", home)
	for _, id := range []string{kazooMaster, kazooOther} {
		if !strings.Contains(o.stdout, "contested  192.0.2.1  copy of account "+id+"  zone us-east") {
			t.Errorf("%s is not listed in\n%s", id, o.stdout)
		}
	}
	if o.code != 1 || !strings.Contains(o.stderr, "2 copies contradict each other") {
		t.Errorf("%+v", o)
	}
}
