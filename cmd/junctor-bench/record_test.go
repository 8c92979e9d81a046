package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// TestRecord: what was recorded is what the product writes. The changes, done once more without the product, leave
// the file as it was, and nothing is left of the copies.
func TestRecord(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	w := &world{dsn: folder + "/store", folder: folder, size: 2 * writers}
	if err := w.seed(t.Context()); err != nil {
		t.Fatal(err)
	}
	script, err := w.record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(w.dsn + "/*"); err != nil || len(left) != 1 || left[0] != w.file() {
		t.Errorf("%v, left: %q", err, left)
	}
	recorded := folder + "/recorded"
	if err := copyFile(recorded, w.file()); err != nil {
		t.Fatal(err)
	}
	for i, shares := range script {
		if len(shares) != writers {
			t.Fatalf("change %d: %d shares", i, len(shares))
		}
		touched := len(slices.Concat(shares...))
		if touched < 2*writers { // a document and its place in the feed of changes, at least
			t.Errorf("change %d writes %d keys", i, touched)
		}
		replay(t, w.file(), shares)
		changed, err := difference(recorded, w.file())
		if last := i == len(script)-1; err != nil || (len(changed) == 0) != last {
			t.Errorf("after change %d there are %d keys that differ, %v", i, len(changed), err)
		}
	}
}

// replay does a recorded change.
func replay(t *testing.T, file string, shares [][]entry) {
	t.Helper()
	db, err := openBolt(file, false)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	g := startGroup(db)
	defer g.stop()
	for _, entries := range shares {
		if err := g.write(entries); err != nil {
			t.Error(err)
		}
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
		err := db.Update(func(tx *bbolt.Tx) error { return entry{bucketKey{buckets, "k"}, []byte("v")}.apply(tx) })
		if err == nil || !strings.HasPrefix(err.Error(), "no bucket") {
			t.Errorf("%q: %v", buckets, err)
		}
	}
}

// boltFile makes a file of keys in buckets; a key without a value is a bucket.
func boltFile(t *testing.T, entries ...entry) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "db")
	db, err := openBolt(file, false)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, e := range entries {
			in := tx.Cursor().Bucket()
			for name := range strings.SplitSeq(strings.TrimSuffix(e.buckets, "\x00"), "\x00") {
				if in, err = in.CreateBucketIfNotExists([]byte(name)); err != nil {
					return err
				}
			}
			if err := in.Put([]byte(e.key), e.value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func at(buckets, key, value string) entry { return entry{bucketKey{buckets, key}, []byte(value)} }

func TestDifference(t *testing.T) {
	t.Parallel()
	before := boltFile(t, at("a\x00", "1", "x"), at("a\x00", "2", "x"), at("a\x00b\x00", "3", "x"),
		at("a\x00b\x00", "5", "x"), at("c\x00", "9", "x"))
	after := boltFile(t, at("a\x00", "1", "x"), at("a\x00", "2", "y"), at("a\x00b\x00", "4", ""),
		at("a\x00b\x00", "5", "x"), at("c\x00", "8", "z"), at("c\x00", "9", "x"))
	got, err := difference(before, after)
	want := []entry{at("a\x00", "2", "y"), {bucketKey: bucketKey{"a\x00b\x00", "3"}}, at("a\x00b\x00", "4", ""),
		at("c\x00", "8", "z")}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := difference(after, after); err != nil || len(got) > 0 {
		t.Errorf("%v, %v", got, err)
	}
}

// TestDifferenceOfBuckets: a script of keys can't make or remove a bucket.
func TestDifferenceOfBuckets(t *testing.T) {
	t.Parallel()
	files := []string{
		boltFile(t, at("a\x00", "1", "x")),
		boltFile(t, at("a\x00", "1", "x"), at("a\x002\x00", "k", "v")),
		boltFile(t, at("a\x001\x00", "k", "v")),
		boltFile(t, at("a\x00", "1", "x"), at("b\x00", "k", "v")),
	}
	for i, before := range files {
		for j, after := range files {
			if _, err := difference(before, after); (err == nil) != (i == j) {
				t.Errorf("%d, %d: %v", i, j, err)
			}
		}
	}
}

// TestDeal: everybody gets about as much, and nothing gets lost.
func TestDeal(t *testing.T) {
	t.Parallel()
	got := deal([]entry{at("a", "1", "x"), at("a", "2", "y"), at("b", "3", "z")}, 2)
	if want := "[[{{a 1} [120]} {{b 3} [122]}] [{{a 2} [121]}]]"; fmt.Sprint(got) != want {
		t.Errorf("%v", got)
	}
}
