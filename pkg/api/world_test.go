package api_test

import (
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"junctor/pkg/document"
	"junctor/pkg/history"
	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

// world is what was recorded to be written, as far as it counts here: database, then id. A document that was deleted
// is nil.
type world map[string]map[string]document.Document

// kept are the types of documents that count: the pool and its copies in account databases, accounts, and what
// their tokens are restricted to. The latter are written by other requests than those that are served here.
var kept = map[string]bool{"dedicated_ip": true, "account": true, "token_restrictions": true}

// watched are the databases that hold such documents, the pool first.
var watched = []string{
	"dedicated_ips", "accounts",
	databaseOf(accountM), databaseOf(accountA), databaseOf(accountB), databaseOf(accountA1), databaseOf(accountD),
}

func databaseOf(account string) string {
	return "account/" + account[:2] + "/" + account[2:4] + "/" + account[4:]
}

// beginning returns the accounts that there are before the first exchange, and makes room for the one to come.
func beginning(t *testing.T, s *store.Store) world {
	t.Helper()
	w := world{}
	for _, id := range accountIDs {
		for _, db := range []string{"accounts", databaseOf(id)} {
			doc, err := s.Get(t.Context(), db, id)
			if err != nil {
				t.Fatal(err)
			}
			w.put(db, doc)
		}
	}
	if err := s.CreateDatabase(t.Context(), databaseOf(accountD)); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w world) put(db string, doc document.Document) {
	doc = maps.Clone(doc)
	delete(doc, "_rev")
	w.set(db, doc.ID(), doc)
}

func (w world) set(db, id string, doc document.Document) {
	if w[db] == nil {
		w[db] = map[string]document.Document{}
	}
	w[db][id] = doc
}

// drop empties a database.
func (w world) drop(db string) {
	for id := range w[db] {
		w[db][id] = nil
	}
}

// assign gives an address to an account.
func (w world) assign(id, account string) {
	doc := maps.Clone(w["dedicated_ips"][id])
	doc["pvt_status"], doc["pvt_assigned_to"] = "assigned", account
	w.put("dedicated_ips", doc)
	w.put(databaseOf(account), doc)
}

// address returns the document of an address that is free.
func address(id, zone, host string) document.Document {
	return document.Document{
		"_id": id, "pvt_type": "dedicated_ip", "pvt_vsn": "1", "pvt_status": "available",
		"pvt_zone": zone, "pvt_host": host,
	}
}

// follow takes over what an exchange wrote.
func (w world) follow(e exchange) {
	for db, docs := range e.Changes {
		for _, doc := range docs {
			switch {
			case doc.Bool("_deleted"):
				w.set(db, doc.ID(), nil)
				if db == "accounts" {
					w.drop(databaseOf(doc.ID()))
				}
			case kept[doc.String("pvt_type")]:
				w.put(db, doc)
			}
		}
	}
}

func (w world) clone() world {
	c := world{}
	for db, docs := range w {
		c[db] = maps.Clone(docs)
	}
	return c
}

// compareDocuments checks what the store holds, and then makes it what was recorded, so that a deliberate
// difference has no others for its consequence.
func (r *replay) compareDocuments(t *testing.T, e exchange, want world) {
	t.Helper()
	got := r.stored(t, want)
	// A request waits for the accounts' copies for 2 s at most.
	for end := time.Now().Add(testutil.Patience); !equal(got, want) && !t.Failed() && time.Now().Before(end); {
		got = r.stored(t, want)
	}
	same := true
	for _, db := range watched {
		for _, id := range slices.Sorted(maps.Keys(union(got[db], want[db]))) {
			if !reflect.DeepEqual(got[db][id], want[db][id]) {
				t.Errorf("%s %s: %s %s:\ngot  %s\nwant %s", e.name, e.Note, db, id, jsonText(got[db][id]), jsonText(want[db][id]))
			}
			same = same && reflect.DeepEqual(got[db][id], r.world[db][id])
		}
	}
	if !same || !reflect.DeepEqual(keysOf(want), keysOf(r.world)) {
		r.sync(t, got)
	}
}

// equal reports whether two worlds hold the same where somebody watches.
func equal(a, b world) bool {
	for _, db := range watched {
		for id := range union(a[db], b[db]) {
			if !reflect.DeepEqual(a[db][id], b[db][id]) {
				return false
			}
		}
	}
	return true
}

func keysOf(w world) map[string][]string {
	keys := map[string][]string{}
	for db, docs := range w {
		if len(docs) > 0 {
			keys[db] = slices.Sorted(maps.Keys(docs))
		}
	}
	return keys
}

func union(a, b map[string]document.Document) map[string]document.Document {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]document.Document{}
	}
	maps.Copy(all, b)
	return all
}

// stored reads the store: all addresses of the pool, every copy of one, and the other documents that are known.
func (r *replay) stored(t *testing.T, known world) world {
	t.Helper()
	got := world{}
	err := r.store.View(t.Context(), "dedicated_ips", "dedicated_ips", "summary_listing",
		store.Query{IncludeDocs: true}, func(row store.Row) error {
			doc, err := row.Doc()
			if err == nil {
				delete(doc, history.Field) // which Crossbar does not write
				got.put("dedicated_ips", doc)
			}
			return err
		})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, w := range []world{got, known, r.world} {
		for _, docs := range w {
			ids = slices.AppendSeq(ids, maps.Keys(docs))
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	found := make([]map[string]document.Document, len(watched))
	var reading errgroup.Group // at once: most of the time of a replay over HTTP goes by here
	for i, db := range watched[1:] {
		reading.Go(func() (err error) {
			found[i], err = r.store.GetMany(t.Context(), db, ids)
			return err
		})
	}
	if err := reading.Wait(); err != nil {
		t.Fatal(err)
	}
	for i, db := range watched[1:] {
		for _, doc := range found[i] {
			got.put(db, doc)
		}
	}
	return got
}

// sync makes the store, which holds what it got, what was recorded.
func (r *replay) sync(t *testing.T, got world) {
	t.Helper()
	for _, db := range watched {
		for id := range union(got[db], r.world[db]) {
			want := r.world[db][id]
			if reflect.DeepEqual(got[db][id], want) {
				continue
			}
			var rev string
			if old, err := r.store.Get(t.Context(), db, id); err == nil {
				rev = old.Rev()
			}
			var err error
			if want != nil {
				want = maps.Clone(want)
				if rev != "" {
					want["_rev"] = rev
				}
				_, err = r.store.Put(t.Context(), db, want)
			} else {
				err = r.store.Delete(t.Context(), db, id, rev)
			}
			if err != nil {
				t.Fatalf("%s %s: %v", db, id, err)
			}
		}
	}
}
