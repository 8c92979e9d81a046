package embedded

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-kivik/kivik/v4"
	"github.com/go-kivik/kivik/v4/driver"
	"github.com/rs/zerolog"
)

type options map[string]any

func (o options) Apply(target any) { kivik.Params(o).Apply(target) }

// fixture has documents a to e, of which d is deleted, and a view of the array keys and numbers they carry.
func fixture(t *testing.T) *kivik.DB {
	t.Helper()
	db := newDB(t)
	put(t, db, "_design/d", `{"language":"javascript","views":{
		"plain":{"map":"function (doc) { doc.k.forEach(function (k) { emit(k, doc.n); }); }"},
		"sum":{"map":"function (doc) { doc.k.forEach(function (k) { emit(k, doc.n); }); }","reduce":"_sum"},
		"js":{"map":"function (doc) { emit(null, doc.n); }","reduce":"function (k, v, r) { return [r, k, v]; }"},
		"link":{"map":"function (doc) { if (doc.to) { emit(doc._id, {_id: doc.to}); } }"}}}`)
	put(t, db, "a", `{"k":["x",["p",1]],"n":1,"to":"b"}`)
	put(t, db, "b", `{"k":["x","x",["p",2]],"n":2,"to":"d"}`)
	put(t, db, "c", `{"k":[null,["q",1]],"n":4}`)
	rev := put(t, db, "d", `{"k":["x"],"n":8}`)
	put(t, db, "e", `{"k":["Y",7],"n":16}`)
	if _, err := db.Delete(t.Context(), "d", rev); err != nil {
		t.Fatal(err)
	}
	return db
}

func TestViewQueries(t *testing.T) {
	t.Parallel()
	db := fixture(t)
	const all = `null c 4|7 e 16|"x" a 1|"x" b 2|"x" b 2|"Y" e 16|["p",1] a 1|["p",2] b 2|["q",1] c 4`
	for _, test := range []struct {
		view string
		o    options
		want string
	}{
		{"plain", nil, all},
		{"plain", options{"descending": true, "limit": 2}, `["q",1] c 4|["p",2] b 2`},
		{"plain", options{"skip": 1, "limit": 2}, `7 e 16|"x" a 1`},
		{"plain", options{"limit": 0}, ``},
		{"plain", options{"key": "x"}, `"x" a 1|"x" b 2|"x" b 2`},
		{"plain", options{"key": []any{"p", 2}}, `["p",2] b 2`},
		{"plain", options{"key": nil}, `null c 4`},
		{"plain", options{"key": json.RawMessage(`"x"`), "descending": true}, `"x" b 2|"x" b 2|"x" a 1`},
		{"plain", options{"startkey": "x", "endkey": []any{"p"}}, `"x" a 1|"x" b 2|"x" b 2|"Y" e 16`},
		{"plain", options{"startkey": []any{"p"}, "endkey": []any{"p", map[string]any{}}}, `["p",1] a 1|["p",2] b 2`},
		{"plain", options{"startkey": "x", "startkey_docid": "b", "limit": 3}, `"x" b 2|"x" b 2|"Y" e 16`},
		{
			"plain", options{"startkey": "x", "startkey_docid": "a", "endkey": 7, "descending": true},
			`"x" a 1|7 e 16`,
		},
		{"plain", options{"keys": []any{"Y", "none", "x"}, "limit": 3}, `"Y" e 16|"x" a 1|"x" b 2`},
		{"plain", options{"keys": []any{}}, ``},
		{"sum", options{"reduce": false}, all},
		{"sum", options{"group": true, "key": "none"}, ``},
		{"sum", options{"group": true}, `null  4|7  16|"x"  5|"Y"  16|["p",1]  1|["p",2]  2|["q",1]  4`},
		{
			"sum", options{"group": true, "descending": true},
			`["q",1]  4|["p",2]  2|["p",1]  1|"Y"  16|"x"  5|7  16|null  4`,
		},
		{"sum", options{"group": true, "skip": 2, "limit": 1}, `"x"  5`},
		{"sum", options{"group": true, "startkey": "x", "startkey_docid": "b", "limit": 1}, `"x"  4`},
		{"sum", options{"group": true, "keys": []any{"x", 7, "none"}}, `"x"  5|7  16`},
		{"js", options{"group": true}, `null  [false,[[null,"a"],[null,"b"],[null,"c"],[null,"e"]],[1,2,4,16]]`},
	} {
		t.Run(fmt.Sprint(test.view, test.o), func(t *testing.T) {
			got := strings.Join(listing(t, db.Query(t.Context(), "d", test.view, test.o)), "|")
			if strings.ReplaceAll(got, "  ", " ") != strings.ReplaceAll(test.want, "  ", " ") {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestRefusedQueries(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := fixture(t)
	for _, test := range []struct {
		view string
		o    options
		want string
	}{
		{"plain", options{"reduce": true}, "Reduce is invalid for map-only views."},
		{"plain", options{"group": true}, "Invalid use of grouping"},
		{"sum", options{"group": true, "include_docs": true}, "`include_docs` is invalid for reduce"},
		{"plain", options{"keys": "x"}, "Keys"},
		{"plain", options{"skip": "x"}, "Skip"},
		{"plain", options{"descending": "maybe"}, "Descending"},
		{"plain", options{"startkey_docid": 1}, "startkey_docid"},
		{"plain", options{"key": json.RawMessage(`{`)}, "JSON"},
		{"plain", options{"startkey": "x", "endkey": 1}, "No rows can match your key range"},
		{"plain", options{"startkey": 1, "endkey": "x", "descending": true}, "No rows can match your key range"},
	} {
		t.Run(fmt.Sprint(test.view, test.o), func(t *testing.T) {
			wantError(t, db.Query(ctx, "d", test.view, test.o).Err(), http.StatusBadRequest, test.want)
		})
	}
	for _, end := range []string{"startkey", "endkey"} {
		wantError(t, db.AllDocs(ctx, kivik.Param(end, 1)).Err(), http.StatusBadRequest, "Invalid document id: 1")
	}
	wantError(t, db.Query(ctx, "none", "v").Err(), http.StatusNotFound, "Not Found: missing")
	wantError(t, db.Query(ctx, "d", "none").Err(), http.StatusNotFound, "missing_named_view")
	rev := put(t, db, "_design/e", `{"filters":{}}`)
	wantError(t, db.Query(ctx, "e", "v").Err(), http.StatusNotFound, "missing_named_view")
	if _, err := db.Delete(ctx, "_design/e", rev); err != nil {
		t.Fatal(err)
	}
	wantError(t, db.Query(ctx, "e", "v").Err(), http.StatusNotFound, "deleted")
}

func TestIncludeDocs(t *testing.T) {
	t.Parallel()
	db := fixture(t)
	scan := func(rs *kivik.ResultSet) string {
		var got []string
		for rs.Next() {
			var doc *struct {
				ID string `json:"_id"`
				N  int    `json:"n"`
			}
			if err := rs.ScanDoc(&doc); err != nil {
				t.Error(err)
			}
			if doc == nil {
				got = append(got, "null")
				continue
			}
			got = append(got, fmt.Sprint(doc.ID, doc.N))
		}
		if rs.Err() != nil {
			t.Error(rs.Err())
		}
		return strings.Join(got, " ")
	}
	docs := kivik.IncludeDocs()
	if got := scan(db.Query(t.Context(), "d", "plain", docs, kivik.Param("key", "x"))); got != "a1 b2 b2" {
		t.Errorf("view: %s", got)
	}
	if got := scan(db.Query(t.Context(), "d", "link", docs)); got != "b2 null" {
		t.Errorf("linked documents: %s", got)
	}
	if got := scan(db.AllDocs(t.Context(), docs, kivik.Param("keys", []string{"d", "a"}))); got != "null a1" {
		t.Errorf("_all_docs: %s", got)
	}
}

// TestUnsupportedReduce has a view whose reduce function is none of those supported: its rows can be read all the same.
func TestUnsupportedReduce(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := newDB(t)
	put(t, db, "a", `{"n":1}`)
	put(t, db, "_design/d", `{"views":{
		"stats":{"map":"function (doc) { emit(doc._id, doc.n); }","reduce":"_stats"},
		"sum":{"map":"function (doc) { emit(doc._id, [doc.n]); }","reduce":"_sum"}}}`)
	group, rows := kivik.Param("group", true), kivik.Param("reduce", false)
	for view, want := range map[string]string{"stats": `"a" a 1`, "sum": `"a" a [1]`} {
		if got := strings.Join(listing(t, db.Query(ctx, "d", view, rows)), "|"); got != want {
			t.Errorf("rows of %s: %s, want %s", view, got, want)
		}
		wantError(t, db.Query(ctx, "d", view).Err(), http.StatusNotImplemented, "a reduce without group=true")
		wantError(t, db.Query(ctx, "d", view, kivik.Param("group_level", 1)).Err(), http.StatusNotImplemented,
			"option group_level")
	}
	wantError(t, db.Query(ctx, "d", "stats", group).Err(), http.StatusNotImplemented, "the reduce function _stats")
	sums := db.Query(ctx, "d", "sum", group)
	defer sums.Close()
	var value any
	if !sums.Next() {
		t.Fatal(sums.Err())
	}
	wantError(t, sums.ScanValue(&value), http.StatusNotImplemented, "_sum of values that are not numbers")
}

// driverDB is the driver's side of a database, for tests that look behind kivik.
func driverDB(t testing.TB) *database {
	t.Helper()
	c := openClient(t, Memory)
	if err := c.CreateDB(t.Context(), "db", options{}); err != nil {
		t.Fatal(err)
	}
	return &database{client: c, name: "db"}
}

// openClient opens a store that is closed with the test, without kivik around it.
func openClient(t testing.TB, path string) *client {
	t.Helper()
	file, _, err := openFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := prepareFile(file, zerolog.Nop(), false); err != nil {
		t.Fatal(err)
	}
	c := newClient(file, &storeFile{}, zerolog.Nop())
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestRangeReadsOnlyItsRows counts what queries over 2,000 rows under 4 keys look at.
func TestRangeReadsOnlyItsRows(t *testing.T) {
	t.Parallel()
	db := driverDB(t)
	if _, err := db.Put(t.Context(), "_design/d", json.RawMessage(`{"views":{"v":{
		"map":"function (doc) { emit(doc.zone, 1); }","reduce":"_count"}}}`), options{}); err != nil {
		t.Fatal(err)
	}
	docs := make([]any, 2000)
	for i := range docs {
		docs[i] = map[string]any{"zone": fmt.Sprint("zone", i%4), "_id": fmt.Sprint(i)}
	}
	if _, err := db.BulkDocs(t.Context(), docs, options{}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name           string
		o              options
		readValues     bool
		rows, atMost   int
		firstGroupSize string
	}{
		{"group keys", options{"group": true}, false, 4, 5, ""},
		{"group keys backwards", options{"group": true, "descending": true}, false, 4, 5, ""},
		{"group values", options{"group": true}, true, 4, 2020, "500"},
		{"one row", options{"reduce": false, "startkey": "zone2", "limit": 1}, false, 1, 1, ""},
		{"a range", options{"reduce": false, "startkey": "zone1", "endkey": "zone1"}, false, 500, 501, ""},
		{"the rest of a group", options{"group": true, "startkey": "zone3", "startkey_docid": "995"}, true, 1, 10, "2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			result, err := db.Query(t.Context(), "d", "v", test.o)
			if err != nil {
				t.Fatal(err)
			}
			defer result.Close()
			rs := result.(*rows)
			count := 0
			for row := (driver.Row{}); rs.Next(&row) == nil; count++ {
				if !test.readValues {
					continue
				}
				var value json.RawMessage
				if err := json.NewDecoder(row.Value).Decode(&value); err != nil || string(value) != test.firstGroupSize {
					t.Errorf("group %s counts %s (%v)", row.Key, value, err)
				}
			}
			if touched := rs.scan.touched; count != test.rows || touched > test.atMost {
				t.Errorf("%d rows, looked at %d; want %d and no more than %d", count, touched, test.rows, test.atMost)
			}
		})
	}
}

// TestLargeGroup reduces more rows than one portion.
func TestLargeGroup(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	put(t, db, "_design/d", `{"views":{
		"sum":{"map":"function (doc) { emit(doc.n % 2, doc.n); }","reduce":"_sum"},
		"js":{"map":"function (doc) { emit(doc.n < 1000, 1); }","reduce":"function (k, v, r) { return [r, v.length]; }"}}}`)
	docs := make([]any, 2*portion+500)
	total := 0
	for i := range docs {
		docs[i] = options{"_id": fmt.Sprint(i), "n": i}
		total += i
	}
	if _, err := db.BulkDocs(t.Context(), docs); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		view string
		o    options
		want string
	}{
		{"sum", options{"group": true}, fmt.Sprint("0 ", total/2-len(docs)/4, "|1 ", total/2+len(docs)/4)},
		{"js", options{"group": true, "key": false}, "false [true,2]"},
		{"js", options{"group": true, "key": true}, "true [false,1000]"},
	} {
		got := strings.Join(listing(t, db.Query(t.Context(), "d", test.view, test.o)), "|")
		if strings.ReplaceAll(got, "  ", " ") != test.want {
			t.Errorf("%s %v: %s, want %s", test.view, test.o, got, test.want)
		}
	}
}

// TestWriteWhileReading would block if the file had to be mapped anew while a result set is open.
func TestWriteWhileReading(t *testing.T) {
	t.Parallel()
	db := createDB(t, openStore(t, t.TempDir()), "db")
	for i := range 20 {
		put(t, db, fmt.Sprint(i), `{}`)
	}
	padding := strings.Repeat("x", 1<<16)
	rs := db.AllDocs(t.Context())
	seen := 0
	for rs.Next() {
		seen++
		put(t, db, fmt.Sprint("new", seen), `{"p":"`+padding+`"}`)
	}
	if rs.Err() != nil || seen != 20 {
		t.Errorf("saw %d documents (%v), want those 20 that were there", seen, rs.Err())
	}
}
