package api_test

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/store"
)

// world is the pool as it was recorded, and the copies of its documents: database, then id.
type world map[string]map[string]document.Document

// pools are the databases that hold addresses.
var pools = []string{
	"dedicated_ips", databaseOf(accountM), databaseOf(accountA), databaseOf(accountB), databaseOf(accountA1),
}

func databaseOf(account string) string {
	return "account/" + account[:2] + "/" + account[2:4] + "/" + account[4:]
}

func (w world) put(db string, doc document.Document) {
	if w[db] == nil {
		w[db] = map[string]document.Document{}
	}
	doc = maps.Clone(doc)
	delete(doc, "_rev")
	w[db][doc.ID()] = doc
}

// follow takes over what an exchange wrote.
func (w world) follow(e exchange) {
	for db, docs := range e.Changes {
		for _, doc := range docs {
			switch {
			case doc.Bool("_deleted"):
				delete(w[db], doc.ID())
			case doc.String("pvt_type") == "dedicated_ip":
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
	same := true
	for _, db := range pools {
		for _, id := range slices.Sorted(maps.Keys(union(got[db], want[db]))) {
			if !reflect.DeepEqual(got[db][id], want[db][id]) {
				t.Errorf("%s %s: %s %s:\ngot  %s\nwant %s", e.name, e.Note, db, id, jsonText(got[db][id]), jsonText(want[db][id]))
			}
			same = same && reflect.DeepEqual(got[db][id], r.world[db][id])
		}
	}
	if !same || !reflect.DeepEqual(keysOf(want), keysOf(r.world)) {
		r.sync(t)
	}
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

// stored reads the addresses of the store: all of the pool's, and every copy of one.
func (r *replay) stored(t *testing.T, known world) world {
	t.Helper()
	got := world{}
	err := r.store.View(t.Context(), "dedicated_ips", "dedicated_ips", "summary_listing",
		store.Query{IncludeDocs: true}, func(row store.Row) error {
			doc, err := row.Doc()
			if err == nil {
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
	for _, db := range pools[1:] {
		copies, err := r.store.GetMany(t.Context(), db, ids)
		if err != nil {
			t.Fatal(err)
		}
		for _, doc := range copies {
			got.put(db, doc)
		}
	}
	return got
}

// sync makes the store what was recorded.
func (r *replay) sync(t *testing.T) {
	t.Helper()
	got := r.stored(t, r.world)
	for _, db := range pools {
		for id := range union(got[db], r.world[db]) {
			want, ok := r.world[db][id]
			if reflect.DeepEqual(got[db][id], want) {
				continue
			}
			var rev string
			if old, err := r.store.Get(t.Context(), db, id); err == nil {
				rev = old.Rev()
			}
			var err error
			if ok {
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
