package main

import (
	"maps"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// TestRecord: what was recorded is what the product writes. The changes of one address, done once more without the
// product, leave every document as it was, under keys that name it.
func TestRecord(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	w := &world{dsn: folder + "/store", folder: folder, size: 2 * writers}
	script, err := w.record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	db, err := openBolt(w.file(), false)
	if err != nil {
		t.Fatal(err)
	}
	g := startGroup(db)
	for i, shares := range script {
		if len(shares) != writers {
			t.Fatalf("change %d: %d shares", i, len(shares))
		}
		touched := 0
		for _, entries := range shares {
			touched += len(entries)
			if err := g.write(entries); err != nil {
				t.Error(err)
			}
		}
		if touched < 2*writers { // a document and its place in the feed of changes, at least
			t.Errorf("change %d writes %d keys", i, touched)
		}
	}
	g.stop()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	last := map[place]string{}
	for _, shares := range script {
		for _, entries := range shares {
			for _, e := range entries {
				if delete(last, e.place); e.value != nil {
					last[e.place] = string(e.value)
				}
			}
		}
	}
	found, err := contents(w.file())
	if err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(found, func(at place, _ string) bool { _, ok := last[at]; return !ok })
	if !maps.Equal(found, last) {
		t.Errorf("%d of %d keys are as recorded", len(found), len(last))
	}
}

func TestEntryWithoutBucket(t *testing.T) {
	t.Parallel()
	db, err := openBolt(t.TempDir()+"/db", false)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, buckets := range []string{"", "a\x00", "a\x00b\x00"} {
		err := db.Update(func(tx *bbolt.Tx) error { return entry{place{buckets, "k"}, []byte("v")}.apply(tx) })
		if err == nil || !strings.HasPrefix(err.Error(), "no bucket") {
			t.Errorf("%q: %v", buckets, err)
		}
	}
}

// TestDeal: everybody gets about as much, and nothing gets lost.
func TestDeal(t *testing.T) {
	t.Parallel()
	before := map[place]string{{"a", "1"}: "x", {"a", "2"}: "x", {"b", "3"}: "x"}
	after := map[place]string{{"a", "1"}: "x", {"a", "2"}: "y", {"b", "4"}: "z"}
	got := deal(difference(before, after), 2)
	if len(got) != 2 || len(got[0]) != 2 || len(got[1]) != 1 {
		t.Fatalf("%v", got)
	}
	changed, removed, added := got[0][0], got[1][0], got[0][1]
	if string(changed.value) != "y" || changed.key != "2" || removed.value != nil || removed.key != "3" ||
		string(added.value) != "z" || added.key != "4" {
		t.Errorf("%v", got)
	}
}
