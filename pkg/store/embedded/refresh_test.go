package embedded

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kivik/kivik/v4"
	"github.com/rs/zerolog"
)

// reached returns up to which update sequence an index of a database is updated, and the last one there is.
func reached(t *testing.T, d *database) (reached, last uint64) {
	t.Helper()
	err := d.read(t.Context(), func(c contents) error {
		list, err := d.indexes(c)
		if err == nil {
			reached, last = list[0].reached, c.updateSeq()
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return reached, last
}

// TestQueriesHaveAllThatWasWritten: each query has what was written just before it, while others write and change the
// views.
func TestQueriesHaveAllThatWasWritten(t *testing.T) {
	t.Parallel()
	d := driverDB(t)
	db := kivikOver(t, d)
	fillBatches(t, db)
	put(t, db, "_design/d", wordsDesign)
	var all sync.WaitGroup
	for seed := range uint64(3) {
		all.Go(func() { randomWrites(t, db, rand.New(rand.NewPCG(seed, 2)), 100) })
		all.Go(func() { queryOwnWrites(t, db, seed) })
	}
	all.Go(func() { replaceViews(t, db) })
	all.Wait()
	checkIndexes(t, d.client)
}

// queryOwnWrites wants each query to have what was written just before it.
func queryOwnWrites(t *testing.T, db *kivik.DB, writer uint64) {
	for n := range 30 {
		key := 2*(100*int(writer)+n) + 1001 // odd: it is in "numbers"
		if _, err := db.Put(context.Background(), fmt.Sprint("own", key), map[string]any{"n": key}); err != nil {
			t.Error(err)
			return
		}
		rows := db.Query(context.Background(), "_design/d", "numbers", kivik.Params(map[string]any{"key": key, "reduce": false}))
		found := 0
		for rows.Next() {
			found++
		}
		if err := rows.Err(); err != nil || found != 1 {
			t.Errorf("%d rows of a document that was just written: %v", found, err)
			return
		}
	}
}

// replaceViews writes the design document with more views and with fewer, so that it has another index each time.
func replaceViews(t *testing.T, db *kivik.DB) {
	for range 4 {
		ctx := context.Background()
		var design map[string]any
		if err := db.Get(ctx, "_design/d").ScanDoc(&design); err != nil {
			t.Error(err)
			return
		}
		views := design["views"].(map[string]any)
		if views["more"] == nil {
			views["more"] = map[string]any{"map": "function (doc) { emit(doc._id); }"}
		} else {
			delete(views, "more")
		}
		if _, err := db.Put(ctx, "_design/d", design); err != nil {
			t.Error(err)
			return
		}
	}
}

// TestIndexesAreUpdatedInTheBackground: nobody has to query a view.
func TestIndexesAreUpdatedInTheBackground(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := driverDB(t)
		db := kivikOver(t, d)
		put(t, db, "_design/d", wordsDesign)
		fillBatches(t, db)
		time.Sleep(2 * updateEvery)
		synctest.Wait()
		if reached, last := reached(t, d); reached != last {
			t.Errorf("the index has reached %d of %d", reached, last)
		}
		checkIndexes(t, d.client)
	})
}

// TestQueryWhileAnotherIndexIsBuilt: a query does not wait until the index of another design document is complete.
func TestQueryWhileAnotherIndexIsBuilt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := driverDB(t)
		db := kivikOver(t, d)
		put(t, db, "_design/d", wordsDesign)
		fillBatches(t, db)
		query := func() int {
			return len(listing(t, db.Query(t.Context(), "d", "numbers", kivik.Params(options{"key": 11, "reduce": false}))))
		}
		query()
		put(t, db, "own", `{"n":11}`)
		queried := make(chan int, 1)
		d.log = zerolog.New(writerFunc(func(line []byte) (int, error) {
			switch {
			case bytes.Contains(line, []byte(`"said":"doc0"`)): // of the first batch
				go func() { queried <- query() }()
				synctest.Wait()
			case bytes.Contains(line, []byte(`"said":"doc1100"`)): // of the third
				synctest.Wait()
				if len(queried) == 0 {
					t.Error("the query waits")
				}
			}
			return len(line), nil
		}))
		put(t, db, "_design/e", `{"views":{"v":{"map":"function (doc) { log(doc._id); emit(doc.n); }"}}}`)
		if n := <-queried; n != 1 {
			t.Errorf("%d rows of a document that was just written", n)
		}
		checkIndexes(t, d.client)
	})
}

// TestIndexAfterReopening: a store that is closed has updated its indexes, and queries go on from there.
func TestIndexAfterReopening(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // where a slow machine does not shorten the time that a closing store has
		folder := t.TempDir()
		client, err := Open(folder, zerolog.Nop())
		if err != nil {
			t.Fatal(err)
		}
		db := createDB(t, client.Client, "db")
		put(t, db, "_design/d", wordsDesign)
		put(t, db, "a", `{"n":1}`)
		rev := put(t, db, "b", `{"n":3}`)
		if err := client.Close(); err != nil {
			t.Fatal(err)
		}
		if client, err = Open(folder, zerolog.Nop()); err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if reached, last := reached(t, &database{client: client.own, name: "db"}); reached != last || last == 0 {
			t.Errorf("updated up to %d of %d when the store was closed", reached, last)
		}
		db = client.DB("db")
		count := func() int {
			return len(listing(t, db.Query(t.Context(), "_design/d", "numbers", kivik.Param("reduce", false))))
		}
		if n := count(); n != 2 {
			t.Errorf("%d rows, want 2", n)
		}
		if _, err := db.Delete(t.Context(), "b", rev); err != nil {
			t.Fatal(err)
		}
		if n := count(); n != 1 {
			t.Errorf("%d rows after a deletion, want 1", n)
		}
	})
}
