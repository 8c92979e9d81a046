package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-kivik/kivik/v4"
)

// TestBody: a document comes back with its numbers as they were spelled, and its names sorted.
func TestBody(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	const given = `"z":1.0,"big":12345678901234567890123,"e":1E+2,"s":"<a>&\u00e9\/","pvt_x":[ {"b":2,"a":1} ],"":null`
	const stored = `"":null,"big":12345678901234567890123,"e":1E+2,"pvt_x":[{"a":1,"b":2}],"s":"<a>&é/","z":1.0`
	rev := put(t, db, "a/b+c %:é", `{ "_id":"other", `+given+` }`)
	want := `{"_id":"a/b+c %:é","_rev":"` + rev + `",` + stored + `}`
	if got := get(t, db, "a/b+c %:é"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if next := put(t, db, "a/b+c %:é", want); !strings.HasPrefix(next, "2-") {
		t.Errorf("second revision is %q", next)
	}
}

func TestRevisionsAreDeterministic(t *testing.T) {
	t.Parallel()
	a, b := newDB(t), newDB(t)
	first := put(t, a, "x", `{"a":1}`)
	if !revisionFormat(first, "1") {
		t.Errorf("revision is %q", first)
	}
	if other := put(t, b, "y", ` {"a": 1} `); other != first {
		t.Errorf("same body, same history: %q and %q", first, other)
	}
	if other := put(t, b, "z", `{"a":2}`); other == first {
		t.Errorf("another body, same revision %q", other)
	}
	second := put(t, a, "x", `{"_rev":"`+first+`","a":1}`)
	if !revisionFormat(second, "2") || second[2:] == first[2:] {
		t.Errorf("second revision is %q after %q", second, first)
	}
}

func revisionFormat(rev, number string) bool {
	n, hash, _ := strings.Cut(rev, "-")
	return n == number && len(hash) == 32 && strings.Trim(hash, "0123456789abcdef") == ""
}

func TestRefusedDocuments(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	for name, test := range map[string]struct {
		id, doc string
		status  int
		want    string
	}{
		"unknown member":        {"x", `{"_foo":1}`, 400, "Bad special document member: _foo"},
		"escaped name":          {"x", `{"\u005ffoo":1}`, 400, "Bad special document member: _foo"},
		"deleted is no boolean": {"x", `{"_deleted":1}`, 400, "Bad special document member: _deleted"},
		"bad revision":          {"x", `{"_rev":"one"}`, 400, "Invalid rev format"},
		"revision is no text":   {"x", `{"_rev":1}`, 400, "_rev"},
		"revision history":      {"x", `{"_revisions":{}}`, 501, "_revisions"},
		"no object":             {"x", `[]`, 400, "must be a JSON object"},
		"no JSON":               {"x", `{"a":}`, 400, "JSON"},
		"two values":            {"x", `{}{}`, 400, "JSON"},
		"bad UTF-8":             {"x", "{\"a\":\"\xff\"}", 400, "UTF-8"},
		"reserved id":           {"_x", `{}`, 400, "Only reserved document ids may start with underscore."},
		"bare design":           {"_design/", `{}`, 400, "Illegal document id"},
		"NUL":                   {"a\x00b", `{}`, 400, "NUL"},
		"long id":               {strings.Repeat("i", 5000), `{}`, 400, "too long"},
		"too large":             {"x", `{"a":"` + strings.Repeat("a", maxDocument) + `"}`, 413, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := db.Put(context.Background(), test.id, json.RawMessage(test.doc))
			wantError(t, err, test.status, test.want)
		})
	}
}

func TestNotSupportedByName(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := newDB(t)
	put(t, db, "x", `{}`)
	put(t, db, "_design/d", `{"views":{"v":{"map":"function (doc) { emit(doc._id); }"}}}`)
	client := openStore(t, Memory)
	_, version := client.Version(ctx)
	_, newEdits := db.Put(ctx, "x", map[string]any{}, kivik.Param("new_edits", false))
	_, batch := db.Put(ctx, "x", map[string]any{}, kivik.Param("batch", "ok"))
	_, putLocal := db.Put(ctx, "_local/x", map[string]any{})
	_, deleteLocal := db.Delete(ctx, "_local/x", "0-1")
	_, deleteFile := db.DeleteAttachment(ctx, "x", "1-a", "f")
	_, bulk := db.BulkDocs(ctx, []any{map[string]any{}}, kivik.Param("new_edits", false))
	_, security := db.Security(ctx)
	_, validate := db.Put(ctx, "_design/v", json.RawMessage(`{"validate_doc_update":"function () {}"}`))
	_, erlang := db.Put(ctx, "_design/e", json.RawMessage(`{"language":"erlang","views":{}}`))
	_, purge := db.Purge(ctx, map[string][]string{})
	for want, err := range map[string]error{
		"Version":              version,
		"DestroyDB":            client.DestroyDB(ctx, "x"),
		"option new_edits":     newEdits,
		"option new_edits ":    bulk,
		"option batch":         batch,
		"a _local document":    putLocal,
		"a _local document ":   deleteLocal,
		" _local document":     db.Get(ctx, "_local/x").Err(),
		"DeleteAttachment":     deleteFile,
		"option revs":          db.Get(ctx, "x", kivik.Param("revs", true)).Err(),
		"option open_revs":     db.Get(ctx, "x", kivik.Param("open_revs", "all")).Err(),
		"option attachments":   db.Get(ctx, "x", kivik.Param("attachments", true)).Err(),
		"option reduce":        db.AllDocs(ctx, kivik.Param("reduce", false)).Err(),
		"option start_key":     db.AllDocs(ctx, kivik.Param("start_key", "x")).Err(),
		"option inclusive_end": db.AllDocs(ctx, kivik.Param("inclusive_end", false)).Err(),
		"option endkey_docid":  db.Query(ctx, "d", "v", kivik.Param("endkey_docid", "x")).Err(),
		"option group_level":   db.Query(ctx, "d", "v", kivik.Param("group_level", 1)).Err(),
		"option stale":         db.Query(ctx, "d", "v", kivik.Param("stale", "ok")).Err(),
		"option update_seq":    db.Query(ctx, "d", "v", kivik.Param("update_seq", true)).Err(),
		"option queries":       db.Query(ctx, "d", "v", kivik.Param("queries", []any{})).Err(),
		"option filter":        db.Changes(ctx, kivik.Param("filter", "d/f")).Err(),
		"option descending":    db.Changes(ctx, kivik.Param("descending", true)).Err(),
		"option heartbeat":     db.Changes(ctx, kivik.Param("heartbeat", 1000)).Err(),
		"feed=continuous":      db.Changes(ctx, kivik.Param("feed", "continuous")).Err(),
		"feed=eventsource":     db.Changes(ctx, kivik.Param("feed", "eventsource")).Err(),
		"design doc view":      db.DesignDocs(ctx).Err(),
		"validate_doc_update":  validate,
		"language erlang":      erlang,
		"Compact ":             db.Compact(ctx),
		"CompactView":          db.CompactView(ctx, "d"),
		"ViewCleanup":          db.ViewCleanup(ctx),
		"Find":                 db.Find(ctx, map[string]any{}).Err(),
		"Security":             security,
		"OpenRevs":             db.OpenRevs(ctx, "x", []string{"all"}).Err(),
		"purge":                purge,
	} {
		t.Run(want, func(t *testing.T) { wantError(t, err, http.StatusNotImplemented, want) })
	}
}

func TestBulkDocs(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := newDB(t)
	old := put(t, db, "old", `{}`)
	results, err := db.BulkDocs(ctx, []any{
		json.RawMessage(`{"_id":"_design/d","views":{"v":{"map":"function (doc) { emit(doc.n); }"}}}`),
		map[string]any{"_id": "a", "n": 1},
		map[string]any{"_id": "a", "n": 2},
		map[string]any{"_id": "old", "n": 3},
		map[string]any{"_id": "old", "_rev": old, "_deleted": true},
		map[string]any{"_id": "b", "n": 4},
		map[string]any{"_id": "_bad"},
	})
	if err != nil || len(results) != 7 {
		t.Fatalf("BulkDocs: %v, %v", results, err)
	}
	for i, status := range []int{0, 0, 409, 409, 409, 0, 400} {
		wantError(t, results[i].Error, status, "")
		if status == 0 && !revisionFormat(results[i].Rev, "1") {
			t.Errorf("result %d has revision %q", i, results[i].Rev)
		}
	}
	const want = "null old null,1 a null,4 b null"
	if got := strings.Join(listing(t, db.Query(ctx, "d", "v")), ","); got != want {
		t.Errorf("rows %s, want %s", got, want)
	}
	_, err = db.BulkDocs(ctx, []any{map[string]any{"_id": "c"}, map[string]any{"_foo": 1}})
	wantError(t, err, http.StatusBadRequest, "_foo")
	wantError(t, db.Get(ctx, "c").Err(), http.StatusNotFound, "missing")
}

// TestLargeBulk has more documents than a transaction takes, and some of them twice.
func TestLargeBulk(t *testing.T) {
	t.Parallel()
	d := driverDB(t)
	db := kivikOver(t, d)
	put(t, db, "_design/d", wordsDesign)
	const n = 2*maxBatch + 10
	docs := make([]any, 0, n+2)
	for i := range n {
		docs = append(docs, map[string]any{"_id": fmt.Sprint("doc", i), "n": i})
	}
	docs = append(docs, map[string]any{"_id": "doc0"}, map[string]any{"_id": fmt.Sprint("doc", n-1)})
	results, err := db.BulkDocs(t.Context(), docs)
	if err != nil || len(results) != len(docs) {
		t.Fatalf("%d results, %v", len(results), err)
	}
	for i, r := range results {
		if want := docs[i].(map[string]any)["_id"]; r.ID != want || (r.Error != nil) != (i >= n) {
			t.Errorf("result %d is %+v, want that of %s", i, r, want)
		}
	}
	checkIndexes(t, d.client)
	if got := listing(t, db.Query(t.Context(), "d", "numbers", kivik.Param("reduce", false))); len(got) != n/2 {
		t.Errorf("%d rows, want %d", len(got), n/2)
	}
}
