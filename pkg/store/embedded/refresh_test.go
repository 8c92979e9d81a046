package embedded

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/go-kivik/kivik/v4"
)

// manualDesign is wordsDesign with an index that queries update.
var manualDesign = strings.Replace(wordsDesign, "{", `{"autoupdate":false,`, 1)

// checkManualIndex compares the index of _design/d with one made anew from the documents, and says up to which sequence
// it is updated.
func checkManualIndex(t *testing.T, d *database) (reached, last uint64) {
	t.Helper()
	err := d.read(t.Context(), func(c contents) error {
		name := string(c.part(designsBucket).Get([]byte("_design/d")))
		p, err := d.program(name, c.index(name).Get(sourceKey))
		if reached, last = c.index(name).Sequence(), c.updateSeq(); err == nil && reached == last {
			checkIndex(t, c, index{name: name, program: p})
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return reached, last
}

// TestManualIndex: an index that writes do not update is updated by queries, while others write, and after a restart.
func TestManualIndex(t *testing.T) {
	t.Parallel()
	d := driverDB(t)
	db := kivikOver(t, d)
	fillBatches(t, db)
	rev := put(t, db, "_design/d", manualDesign)
	if reached, _ := checkManualIndex(t, d); reached != 0 {
		t.Errorf("updated up to %d before the first query", reached)
	}
	var all sync.WaitGroup
	for seed := range uint64(3) {
		all.Go(func() { randomWrites(t, db, rand.New(rand.NewPCG(seed, 2)), 100) })
		all.Go(func() { queryOwnWrites(t, db, seed) })
	}
	all.Wait()
	listing(t, db.Query(t.Context(), "_design/d", "words"))
	if reached, last := checkManualIndex(t, d); reached != last {
		t.Errorf("updated up to %d of %d after a query", reached, last)
	}
	put(t, db, "later", `{"n":11}`)
	if reached, last := checkManualIndex(t, d); reached == last {
		t.Error("a write has updated the index")
	}
	put(t, db, "_design/d", strings.Replace(wordsDesign, "{", `{"_rev":"`+rev+`",`, 1))
	checkIndexes(t, d.bolt, d.client)
	_, err := db.Put(t.Context(), "_design/e", map[string]any{"autoupdate": "no", "views": map[string]any{}})
	wantError(t, err, 400, "autoupdate")
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

// TestManualIndexIsKept: after a restart the index goes on from where it was.
func TestManualIndexIsKept(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	client, err := Open(folder, Options{})
	if err != nil {
		t.Fatal(err)
	}
	db := createDB(t, client.Client, "db")
	put(t, db, "_design/d", manualDesign)
	if reached, last := checkManualIndex(t, &database{client: client.own, name: "db"}); reached != last {
		t.Errorf("updated up to %d of %d in an empty database", reached, last)
	}
	put(t, db, "a", `{"n":1}`)
	listing(t, db.Query(t.Context(), "_design/d", "numbers", kivik.Param("reduce", false)))
	rev := put(t, db, "b", `{"n":3}`)
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	db = openStore(t, folder).DB("db")
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
}
