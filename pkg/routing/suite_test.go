package routing

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/schema"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
	"junctor/schemas"
)

// Three clusters.
const (
	clusterA = "aa2b36ac6a5edb290159cd1298283322"
	clusterB = "bb2b36ac6a5edb290159cd1298283322"
	clusterC = "cc2b36ac6a5edb290159cd1298283322"
)

// cases is everything that holds on every store.
var cases = slices.Concat(documentCases, checkCases, patchCases, claimCases, lookupCases, followCases, raceCases)

type testCase struct {
	name string
	run  func(*subject)
}

func TestMemory(t *testing.T) {
	t.Parallel()
	runCases(t, slices.Concat(cases, stepCases, deathCases), func(t *testing.T) *store.Store { return open(t, "memory:") })
}

func TestCouchDB(t *testing.T) {
	t.Parallel()
	dsn := storetest.FreshCouch(t)
	runCases(t, slices.Concat(cases, conflictCases(dsn)), func(t *testing.T) *store.Store { return open(t, dsn) })
}

func runCases(t *testing.T, cases []testCase, open func(*testing.T) *store.Store) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(newSubject(t, open(t)))
		})
	}
}

func open(t testing.TB, dsn string) *store.Store {
	t.Helper()
	s, err := store.Open(dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// subject is a registry under test, on installed and empty databases.
type subject struct {
	testing.TB
	*Registry
	s     storetest.Apart
	clock *atomic.Int64 // Unix seconds
}

var databaseCount atomic.Int64

func newSubject(t testing.TB, on *store.Store) *subject {
	t.Helper()
	s := &subject{TB: t, s: storetest.Apart{Store: on, Prefix: fmt.Sprintf("r%d/", databaseCount.Add(1))}, clock: &atomic.Int64{}}
	s.clock.Store(1700000000)
	s.Registry = s.registry(s.s, Options{})
	s.ok(Install(t.Context(), s.s))
	s.ok(s.Load(t.Context()))
	return s
}

// bundled are the schemas of the product.
var bundled = sync.OnceValues(func() (*schema.Set, error) { return schema.Load(schemas.Files) })

// registry is one more process on the store, or on one that wraps it.
func (s *subject) registry(on Store, o Options) *Registry {
	s.Helper()
	set, err := bundled()
	s.ok(err)
	o.Now = func() time.Time { return time.Unix(s.clock.Load(), 0) }
	o.Log = zerolog.New(io.Discard)
	return New(on, set, o)
}

// outcome returns the error of a call.
func outcome[T any](_ T, err error) error { return err }

func (s *subject) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// saying checks that err is a fault.Invalid with these findings as JSON.
func (s *subject) saying(err error, want string) {
	s.Helper()
	testutil.RequireFault(s, err, fault.Invalid)
	if e, ok := errors.AsType[*fault.Error](err); ok {
		if got := jsonText(s, e.Data); got != jsonText(s, value(s, want)) {
			s.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func value(t testing.TB, text string) any {
	t.Helper()
	v, err := document.DecodeValue([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func doc(t testing.TB, text string) document.Document {
	t.Helper()
	return value(t, text).(map[string]any)
}

func jsonText(t testing.TB, v any) string {
	t.Helper()
	text, err := document.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// shows checks what the API shows of a cluster.
func (s *subject) shows(c Cluster, want string) {
	s.Helper()
	if got, want := jsonText(s, c), jsonText(s, value(s, want)); got != want {
		s.Errorf("got  %s\nwant %s", got, want)
	}
}

// stored reads a document of either database, nil where there is none.
func (s *subject) stored(db, id string) document.Document {
	s.Helper()
	doc, err := s.s.Get(s.Context(), db, id)
	if fault.Is(err, fault.BadIdentifier) {
		return nil
	}
	s.ok(err)
	delete(doc, store.FieldWriter) // on a CouchDB cluster
	return doc
}

// author is who writes in these tests.
var author = Author{AccountID: "0766c6d3a0cf0a0f293e7c8cf0bdcab5", Authenticated: true, RequestID: "request"}

// body is the data of a cluster with these slots: "in:east:1.2.3.4" or "out:…", zones without colons.
func body(t testing.TB, slots ...string) document.Document {
	t.Helper()
	return document.Document{"owner": "o", "name": "n", "ips": ipsOf(t, slots...)}
}

func ipsOf(t testing.TB, slots ...string) map[string]any {
	t.Helper()
	ips := map[string]any{Inbound: map[string]any{}, Outbound: map[string]any{}}
	for _, text := range slots {
		parts := strings.SplitN(text, ":", 3)
		if len(parts) != 3 {
			t.Fatal(text)
		}
		zones := ips[parts[0]+"bound"].(map[string]any)
		list, _ := zones[parts[1]].([]any)
		zones[parts[1]] = append(list, parts[2])
	}
	return ips
}

// have makes a cluster of these slots.
func (s *subject) have(id string, slots ...string) Cluster {
	s.Helper()
	c, err := s.Create(s.Context(), id, body(s, slots...), author)
	s.ok(err)
	return c
}

// holds checks which slots ("inbound:1.2.3.4") the documents of all clusters have, that each has one cluster, and
// that each has its claim. extra is how many claims may be left of slots that no cluster has.
func (s *subject) holds(extra int, want map[string][]string) {
	s.Helper()
	got, holders := map[string][]string{}, map[string]string{}
	docs := s.documents()
	for id, d := range docs {
		for slot := range slotsOf(d) {
			if other, taken := holders[slot.String()]; taken {
				s.Errorf("%s is in %s and %s", slot, id, other)
			}
			holders[slot.String()] = id
			got[id] = append(got[id], slot.String())
		}
		slices.Sort(got[id])
	}
	maps.DeleteFunc(got, func(_ string, slots []string) bool { return len(slots) == 0 })
	if want != nil && !reflect.DeepEqual(got, want) {
		s.Errorf("got  %v\nwant %v", got, want)
	}
	s.claimed(extra, holders)
}

// documents reads the documents of the clusters that tests write.
func (s *subject) documents() map[string]document.Document {
	s.Helper()
	docs := map[string]document.Document{}
	s.ok(s.s.View(s.Context(), Database, design, "listing", store.Query{IncludeDocs: true}, func(row store.Row) error {
		doc, err := row.Doc()
		docs[row.ID()] = doc
		return err
	}))
	return docs
}

func (s *subject) claimed(extra int, holders map[string]string) {
	s.Helper()
	claims := map[string]string{}
	s.ok(s.s.All(s.Context(), ClaimsDatabase, store.Query{IncludeDocs: true}, func(row store.Row) error {
		doc, err := row.Doc()
		claims[row.ID()] = doc.String(fieldCluster)
		return err
	}))
	for slot, holder := range holders {
		if claims[slot] != holder {
			s.Errorf("%s is in %s, claimed by %q", slot, holder, claims[slot])
		}
		delete(claims, slot)
	}
	if len(claims) > extra {
		s.Errorf("%d claims are left: %v", len(claims), claims)
	}
}
