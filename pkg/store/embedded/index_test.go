package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-kivik/kivik/v4"
	"github.com/rs/zerolog"
	bolt "go.etcd.io/bbolt"
)

// wordsDesign emits every word of a document, some more than once, and its number.
const wordsDesign = `{"views":{
	"words":{"map":"function (doc) { (doc.words || []).forEach(function (w) { emit([w, doc.n], doc.n); }); }"},
	"numbers":{"map":"function (doc) { if (doc.n % 2) { emit(doc.n, null); } }","reduce":"_count"}}}`

func randomDoc(r *rand.Rand) map[string]any {
	words := make([]string, r.IntN(4))
	for i := range words {
		words[i] = []string{"a", "B", "ä", "b", "", "a b"}[r.IntN(6)]
	}
	return map[string]any{"n": r.IntN(10), "words": words}
}

// randomWrites creates, changes and deletes documents, with conflicts among them.
func randomWrites(t *testing.T, db *kivik.DB, r *rand.Rand, n int) {
	ctx := context.Background()
	for range n {
		id := fmt.Sprint("doc", r.IntN(30))
		doc := randomDoc(r)
		rev, err := db.GetRev(ctx, id)
		if err == nil {
			doc["_rev"] = rev
		}
		if err == nil && r.IntN(4) == 0 {
			_, err = db.Delete(ctx, id, rev)
		} else {
			_, err = db.Put(ctx, id, doc)
		}
		if status := kivik.HTTPStatus(err); err != nil && status != 409 && status != 404 { // others write too
			t.Errorf("write: %v", err)
			return
		}
	}
}

// checkIndexes updates every index of every database, and compares it with one made anew from the documents.
func checkIndexes(t *testing.T, c *client) {
	t.Helper()
	names, err := c.AllDBs(t.Context(), kivik.Params(nil))
	if err != nil {
		t.Error(err)
	}
	for _, name := range names {
		d := &database{client: c, name: name}
		err := d.refresh(t.Context(), d.indexes)
		if err == nil {
			err = d.read(t.Context(), func(c contents) error {
				list, err := d.indexes(c)
				for _, ix := range list {
					checkIndex(t, c, ix)
				}
				return err
			})
		}
		if err != nil {
			t.Error(err)
		}
	}
}

func checkIndex(t *testing.T, c contents, ix index) {
	t.Helper()
	if ix.reached != c.updateSeq() {
		t.Errorf("the index is updated up to %d of %d", ix.reached, c.updateSeq())
	}
	want := map[string][]byte{}
	docs := c.part(docsBucket)
	_ = docs.ForEach(func(id, raw []byte) error {
		r, err := decodeRecord(raw)
		if err != nil {
			t.Error(err)
			return err
		}
		rows, err := ix.rows(context.Background(), string(id), r)
		for _, row := range rows {
			want[row.view+string(row.key)] = row.value
		}
		return err
	})
	got := 0
	for _, view := range ix.program.views {
		rows := c.index(ix.name).view(view)
		_ = rows.ForEach(func(k, v []byte) error {
			got++
			if !bytes.Equal(want[view+string(k)], v) {
				t.Errorf("view %s: row %q is %q, want %q", view, k, v, want[view+string(k)])
			}
			return nil
		})
	}
	if got != len(want) {
		t.Errorf("%d rows, want %d", got, len(want))
	}
}

// kivikOver gives a driver's database the face that callers see.
func kivikOver(t testing.TB, d *database) *kivik.DB {
	t.Helper()
	client, err := d.overKivik()
	if err != nil {
		t.Fatal(err)
	}
	return client.DB(d.name)
}

// fillBatches writes more documents than are mapped in one batch.
func fillBatches(t *testing.T, db *kivik.DB) {
	t.Helper()
	docs := make([]any, 1200)
	r := rand.New(rand.NewPCG(7, 7))
	for i := range docs {
		docs[i] = randomDoc(r)
		docs[i].(map[string]any)["_id"] = fmt.Sprint("doc", i)
	}
	if _, err := db.BulkDocs(t.Context(), docs); err != nil {
		t.Fatal(err)
	}
}

// TestIndexBuiltWhileWriting installs design documents, one over the other, in the middle of writes.
func TestIndexBuiltWhileWriting(t *testing.T) {
	t.Parallel()
	d := driverDB(t)
	db := kivikOver(t, d)
	fillBatches(t, db)
	var writers sync.WaitGroup
	for seed := range uint64(2) {
		writers.Go(func() { randomWrites(t, db, rand.New(rand.NewPCG(seed, 2)), 100) })
	}
	rev := put(t, db, "_design/d", wordsDesign)
	rev = put(t, db, "_design/d", strings.Replace(wordsDesign, `{`, `{"_rev":"`+rev+`","note":1,`, 1))
	other := strings.Replace(wordsDesign, "% 2", "% 3", 1)
	rev = put(t, db, "_design/d", strings.Replace(other, `{`, `{"_rev":"`+rev+`",`, 1))
	put(t, db, "_design/e", wordsDesign)
	writers.Wait()
	checkIndexes(t, d.client)
	countIndexes := func() (n int) {
		_ = d.read(t.Context(), func(c contents) error {
			list, err := d.indexes(c)
			n = len(list)
			return err
		})
		return n
	}
	if n := countIndexes(); n != 2 {
		t.Errorf("%d indexes, want 2", n)
	}
	if _, err := db.Delete(t.Context(), "_design/d", rev); err != nil {
		t.Fatal(err)
	}
	if n := countIndexes(); n != 1 {
		t.Errorf("%d indexes after one was deleted, want 1", n)
	}
}

func TestRefusedDesignLeavesNoIndex(t *testing.T) {
	t.Parallel()
	d := driverDB(t)
	db := kivikOver(t, d)
	_, err := db.Put(t.Context(), "_design/d", json.RawMessage(`{"views":{"v":{"map":"function ("}}}`))
	wantError(t, err, 400, "v")
	_, err = db.Put(t.Context(), "_design/d", json.RawMessage(`{"views":{"v":{"map":"function (doc) {}"}},"_rev":"1-a"}`))
	wantError(t, err, 409, "conflict")
	wantError(t, db.Get(t.Context(), "_design/d").Err(), 404, "missing")
	_ = d.read(t.Context(), func(c contents) error {
		if list, _ := d.indexes(c); len(list) > 0 {
			t.Errorf("indexes left: %v", list)
		}
		return nil
	})
}

func TestUnusualRows(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	put(t, db, "_design/d", `{"views":{
		"":{"map":"function (doc) { emit(doc.k, doc.v); }"},
		"seen":{"map":"function (doc) { emit(doc._rev.slice(0, 2), Object.keys(doc._attachments || {})); }"}}}`)
	put(t, db, "long", `{"k":"`+strings.Repeat("k", bolt.MaxKeySize)+`"}`)
	put(t, db, "aa", `{"k":"x","v":{"b":1,"a":[2]}}`)
	put(t, db, "a", `{"k":"x","_attachments":{"f":{"data":""}}}`)
	put(t, db, "ab", `{"k":"x\u0000"}`)
	want := []string{`"x" a null`, `"x" aa {"a":[2],"b":1}`, `"x\u0000" ab null`}
	if got := listing(t, db.Query(t.Context(), "d", "")); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	want = []string{`"1-" a ["f"]`, `"1-" aa []`, `"1-" ab []`, `"1-" long []`}
	if got := listing(t, db.Query(t.Context(), "d", "seen")); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestInterruptedIndex has a design document whose writer gave up before its index was updated. A version before that
// crashed has left an index of the same views.
func TestInterruptedIndex(t *testing.T) {
	t.Parallel()
	d := driverDB(t)
	db := kivikOver(t, d)
	put(t, db, "x", `{"n":1}`)
	ctx, cancel := context.WithCancel(t.Context())
	d.log = zerolog.New(writerFunc(func(p []byte) (int, error) {
		cancel()
		return len(p), nil
	}))
	const design = `{"views":{"v":{"map":"function (doc) { log(1); emit(doc.n); }"}}}`
	left, err := d.newIndex("_design/d", []byte(design))
	if err == nil {
		err = d.update(t.Context(), 1, func(c contents) error { return c.createIndex(left) })
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Put(ctx, "_design/d", json.RawMessage(design)); err != nil {
		t.Fatal(err)
	}
	if got := listing(t, db.Query(t.Context(), "d", "v")); !slices.Equal(got, []string{"1 x null"}) {
		t.Errorf("the view has %q", got)
	}
}

// TestWriteWhileMapped deletes a document while it is mapped for a new index.
func TestWriteWhileMapped(t *testing.T) {
	t.Parallel()
	d := driverDB(t)
	db := kivikOver(t, d)
	rev := put(t, db, "x", `{"n":1}`)
	mapped := sync.OnceFunc(func() {
		if _, err := db.Delete(context.Background(), "x", rev); err != nil {
			t.Error(err)
		}
	})
	d.log = zerolog.New(writerFunc(func(p []byte) (int, error) {
		mapped()
		return len(p), nil
	}))
	put(t, db, "_design/d", `{"views":{"v":{"map":"function (doc) { log('mapped'); emit(doc.n); }"}}}`)
	if got := listing(t, db.Query(t.Context(), "d", "v")); len(got) > 0 {
		t.Errorf("the view has %s", got)
	}
	checkIndexes(t, d.client)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
