package dedicatedip

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/pooldb"
	"junctor/pkg/projection"
	"junctor/pkg/testutil"

	"github.com/rs/zerolog"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

// Three accounts.
const (
	accountA = "20d27928305e257782655b7896c79f14"
	accountB = "09c766718e5cfdbc70c929dccb4e00fc"
	accountC = "3a583234b29d88662d41c309f3dfa1e1"
)

// cases is everything that holds on every store. That reads from memory return the same is what indexCases compare.
var cases = slices.Concat(followedCases, lookupCases, listCases, availableCases, missingCases, summaryCases,
	indexCases, reconcileCases, rebuildCases, billingCases, contentionCases, memoryCases)

// followedCases run once more on a pool that reads from memory.
var followedCases = slices.Concat(createCases, createManyCases, editCases, coolingCases, assignCases, releaseCases,
	copyCases, faultCases, raceCases, modelCases, allocateCases, drawCases, zoneCases)

type testCase struct {
	name string
	run  func(*subject)
}

// Each case runs on a pool that reads the store, and on one that follows it and reads from memory.
func TestMemory(t *testing.T) {
	t.Parallel()
	onMemory := func(t *testing.T) *store.Store { return storetest.Open(t, "memory:") }
	runCases(t, cases, onMemory, fromStore)
	runCases(t, followedCases, onMemory, fromMemory)
}

func TestCouchDB(t *testing.T) {
	t.Parallel()
	dsn := storetest.FreshCouch(t)
	onCouch := func(t *testing.T) *store.Store { return storetest.Open(t, dsn) }
	runCases(t, cases, onCouch, fromStore)
	runCases(t, followedCases, onCouch, fromMemory)
	runCases(t, clusterCases(dsn), onCouch, fromMemory)
}

const fromStore, fromMemory = "from store", "from memory"

func runCases(t *testing.T, cases []testCase, open func(*testing.T) *store.Store, how string) {
	for _, c := range cases {
		t.Run(how+" "+c.name, func(t *testing.T) {
			t.Parallel()
			s := newSubject(t, open(t))
			if how == fromMemory {
				s.following(s.Pool)
			}
			c.run(s)
		})
	}
}

// subject is a pool under test, on an installed and empty database.
type subject struct {
	*testing.T
	*Pool
	s     storetest.Apart
	clock *atomic.Int64 // Unix seconds
}

var databaseCount atomic.Int64

func newSubject(t *testing.T, on *store.Store) *subject {
	t.Helper()
	a := storetest.Apart{Store: on, Prefix: fmt.Sprintf("ips%d/", databaseCount.Add(1))}
	s := &subject{T: t, s: a, clock: &atomic.Int64{}}
	s.clock.Store(1700000000)
	s.Pool = s.pool(a, io.Discard)
	s.ok(pooldb.Install(t.Context(), a))
	for _, id := range []string{accountA, accountB, accountC} {
		s.ok(a.CreateDatabase(t.Context(), s.accountDB(id)))
	}
	return s
}

// pool is one more process on the store, or on one that wraps it.
func (s *subject) pool(on Store, log io.Writer) *Pool {
	s.Helper()
	return s.poolWith(on, Options{Log: zerolog.New(log)})
}

// poolWith is pool with options. Its zone is the test's, and so is its clock unless the options have one. Its requests
// wait for their copies, however slow the machine is, unless the options say for how long.
func (s *subject) poolWith(on Store, o Options) *Pool {
	s.Helper()
	if o.Zone = "local"; o.Now == nil {
		o.Now = func() time.Time { return time.Unix(s.clock.Load(), 0) }
	}
	if o.Copies.Patience == 0 {
		o.Copies.Patience = testutil.Patience
	}
	p := New(on, o)
	s.Cleanup(func() { _ = p.Close() })
	return p
}

// following has a pool follow its store until the test ends, and waits until it has read everything.
func (s *subject) following(p *Pool) *Pool {
	s.Helper()
	ctx, cancel := context.WithCancel(s.Context())
	var following sync.WaitGroup
	following.Go(func() { p.Follow(ctx, time.Hour) })
	following.Go(func() { p.Projector().Run(ctx) })
	s.Cleanup(func() {
		cancel()
		following.Wait()
	})
	testutil.Eventually(s, "loaded", func() bool { return p.FromMemory() })
	return p
}

// heard waits until a pool that follows the store has heard of a revision.
func (s *subject) heard(id, rev string) {
	s.Helper()
	testutil.Eventually(s, "heard of "+id, func() bool {
		m := s.memory.Load()
		return m == nil || m.index.Revision(id) == rev
	})
}

func (s *subject) accountDB(id string) string {
	s.Helper()
	db, err := account.Database(id)
	s.ok(err)
	return db
}

func (s *subject) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// saying checks that err is a fault.Invalid with these findings: path, code, message and value, each as one text.
func (s *subject) saying(err error, want ...string) {
	s.Helper()
	testutil.RequireFault(s, err, fault.Invalid)
	var got []string
	for path, codes := range findings(err) {
		for code, detail := range codes {
			d, _ := detail.(map[string]any)
			got = append(got, fmt.Sprint(path, " ", code, ": ", d["message"], ": ", d["value"]))
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		s.Errorf("got  %q\nwant %q", got, want)
	}
}

func findings(err error) fault.Fields {
	if e, ok := err.(*fault.Error); ok {
		fields, _ := e.Data.(fault.Fields)
		return fields
	}
	return nil
}

// put writes documents into the database of the pool, each the text of one.
func (s *subject) put(docs ...string) {
	s.Helper()
	s.putIn(Database, docs...)
}

func (s *subject) putIn(db string, texts ...string) {
	s.Helper()
	var docs []document.Document
	for _, text := range texts {
		doc, err := document.Decode([]byte(text))
		s.ok(err)
		docs = append(docs, doc)
	}
	s.putMany(db, docs)
}

// putMany writes documents past the pool, which has heard of those that are addresses when it returns.
func (s *subject) putMany(db string, docs []document.Document) {
	s.Helper()
	written, err := s.s.PutMany(s.Context(), db, docs)
	s.ok(err)
	for i, w := range written {
		s.ok(w.Err)
		if doc := docs[i]; db == Database && doc[fieldType] == documentType && doc[fieldDeleted] == nil {
			s.heard(doc.ID(), w.Rev)
		}
	}
}

// free makes addresses available in zone z1, as Kazoo would have them.
func (s *subject) free(ids ...string) {
	s.Helper()
	s.freeIn("z1", ids...)
}

func (s *subject) freeIn(zone string, ids ...string) {
	s.Helper()
	var docs []document.Document
	for _, id := range ids {
		docs = append(docs, document.Document{
			"_id": id, "pvt_vsn": "1", "pvt_type": "dedicated_ip", "pvt_status": "available", "pvt_zone": zone,
			"pvt_host": "h1", "pvt_created": json.Number("63800000000"), "pvt_modified": json.Number("63800000000"),
		})
	}
	s.putMany(Database, docs)
}

// give makes addresses available and assigns them to an account.
func (s *subject) give(accountID string, ids ...string) {
	s.Helper()
	s.free(ids...)
	s.ok(s.assign(s.Pool, accountID, ids...))
}

func toAssign(accountID string, addresses ...string) AssignRequest {
	return AssignRequest{Account: accountID, Addresses: addresses}
}

func toRelease(accountID string, addresses ...string) ReleaseRequest {
	return ReleaseRequest{Account: accountID, Addresses: addresses}
}

// assign assigns addresses by one process.
func (s *subject) assign(p *Pool, accountID string, addresses ...string) error {
	return outcome(p.Assign(s.Context(), toAssign(accountID, addresses...)))
}

// release releases addresses by one process.
func (s *subject) release(p *Pool, accountID string, addresses ...string) error {
	return outcome(p.Release(s.Context(), toRelease(accountID, addresses...)))
}

// outcome returns the error of a call.
func outcome[T any](_ T, err error) error { return err }

// sizes returns how many addresses the store has, by zone and status.
func (s *subject) sizes() map[[2]string]int {
	s.Helper()
	rows, err := pooldb.Summary(s.Context(), s.s, "")
	s.ok(err)
	counts := map[[2]string]int{}
	for _, row := range rows {
		counts[[2]string{row.Zone, row.Status}]++
	}
	return counts
}

// stored reads a document, nil where there is none.
func (s *subject) stored(db, id string) document.Document {
	s.Helper()
	doc, err := s.s.Get(s.Context(), db, id)
	if fault.Is(err, fault.BadIdentifier) {
		return nil
	}
	s.ok(err)
	return doc
}

// same compares documents as JSON, "_rev" left out.
func (s *subject) same(got document.Document, want string) {
	s.Helper()
	wanted, err := document.Decode([]byte(want))
	s.ok(err)
	if !projection.SameContent(got, wanted) {
		s.Errorf("stored is %v\nwant %s", got, want)
	}
}

// holds checks who holds addresses, that the documents say so in full, and that the copies are those and no
// others. Each is "ADDRESS" for a free one or "ADDRESS=ACCOUNT".
func (s *subject) holds(want ...string) {
	s.Helper()
	held := s.holders(want...)
	for _, id := range []string{accountA, accountB, accountC} {
		s.copies(id, held[id]...)
	}
}

// becomes is holds for copies that no request has waited for, as after one that was taken back.
func (s *subject) becomes(want ...string) {
	s.Helper()
	held := s.holders(want...)
	testutil.Eventually(s, "copies as the documents say", func() bool {
		for _, id := range []string{accountA, accountB, accountC} {
			if s.wrongCopies(id, held[id]) != "" {
				return false
			}
		}
		return true
	})
}

// holders checks who holds addresses by their documents, and returns the addresses by account.
func (s *subject) holders(want ...string) (held map[string][]string) {
	s.Helper()
	held = map[string][]string{}
	for _, entry := range want {
		id, holder, _ := strings.Cut(entry, "=")
		doc := s.stored(Database, id)
		status := map[bool]string{true: "available", false: "assigned"}[holder == ""]
		if _, has := doc["pvt_assigned_to"]; doc.String("pvt_status") != status || has != (holder != "") ||
			doc.String("pvt_assigned_to") != holder || doc["_conflicts"] != nil {
			s.Errorf("want %s, stored is %v", entry, doc)
		}
		held[holder] = append(held[holder], id)
	}
	return held
}

// copies checks that an account has copies of these addresses, equal to their documents, and no others.
func (s *subject) copies(accountID string, want ...string) {
	s.Helper()
	if wrong := s.wrongCopies(accountID, want); wrong != "" {
		s.Error(wrong)
	}
}

// wrongCopies returns what is wrong with an account's copies, "" if nothing is.
func (s *subject) wrongCopies(accountID string, want []string) string {
	s.Helper()
	copies := map[string]document.Document{}
	s.ok(s.s.All(s.Context(), s.accountDB(accountID), store.Query{IncludeDocs: true}, func(row store.Row) error {
		doc, err := row.Doc()
		if doc.String(fieldType) == documentType {
			copies[doc.ID()] = doc
		}
		return err
	}))
	got := slices.Sorted(maps.Keys(copies))
	if want = slices.Sorted(slices.Values(want)); !slices.Equal(got, want) {
		return fmt.Sprintf("account %.4s has copies %v, want %v", accountID, got, want)
	}
	pool, err := s.s.GetMany(s.Context(), Database, got)
	s.ok(err)
	for id, doc := range copies {
		if !projection.SameContent(doc, pool[id]) {
			return fmt.Sprintf("the copy is %v\nthe document %v", doc, pool[id])
		}
	}
	return ""
}

func idsText(ips []IP) string { return strings.Join(idsOf(ips), " ") }

func jsonText(s *subject, v any) string {
	s.Helper()
	text, err := document.Encode(v)
	s.ok(err)
	return string(text)
}
