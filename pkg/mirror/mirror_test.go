package mirror_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/mirror"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// index is the simplest index: documents by id.
type index struct {
	mu   sync.Mutex
	docs map[string]document.Document
}

func (i *index) Apply(doc document.Document) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if doc.Bool("_deleted") {
		delete(i.docs, doc.ID())
	} else {
		i.docs[doc.ID()] = doc
	}
}

func (i *index) Revision(id string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.docs[id].Rev()
}

func (i *index) IDs() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Sorted(maps.Keys(i.docs))
}

func (i *index) value(id string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.docs[id].String("value")
}

// cuttable is a store whose feed can be cut.
type cuttable struct {
	*store.Store
	feeds  atomic.Int64 // that have begun
	passed atomic.Int64 // positions that were reported since the last feed began
	cut    atomic.Bool
	during func() // is called before the first change of a feed is delivered, if not nil
}

func (c *cuttable) Changes(
	ctx context.Context, db, since string, each func(store.Change) error, current func(time.Time),
) error {
	var once sync.Once
	c.feeds.Add(1)
	c.passed.Store(0)
	return c.Store.Changes(ctx, db, since, func(change store.Change) error {
		if c.during != nil {
			once.Do(c.during)
		}
		if c.cut.Load() {
			return fault.New(fault.DatastoreUnreachable, "")
		}
		return each(change)
	}, func(asOf time.Time) {
		if !c.cut.Load() {
			current(asOf)
		}
	})
}

// subject is a mirror of a database, and another process that writes to it.
type subject struct {
	*testing.T
	*mirror.Mirror
	*index
	here              *cuttable
	there             *store.Store
	db, dsn           string
	changed, reloaded atomic.Int64
}

func onStores(t *testing.T, test func(s *subject)) {
	t.Helper()
	for name, where := range map[string]func(t *testing.T) string{
		"embedded": func(*testing.T) string { return "memory:" },
		"couchdb":  func(t *testing.T) string { return storetest.FreshCouch(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := where(t)
			here := storetest.Open(t, dsn)
			there := here
			if store.IsCouchDB(dsn) {
				there = storetest.Open(t, dsn)
			}
			s := &subject{T: t, index: &index{docs: map[string]document.Document{}}, here: &cuttable{Store: here},
				there: there, db: storetest.NewDatabase(t, here), dsn: dsn}
			s.Mirror = mirror.New(s.here, s.db, s.index, mirror.Options{
				Changed: func(document.Document) { s.changed.Add(1) },
				Reloaded: func() {
					if s.reloaded.Add(1); s.here.passed.Load() > 0 {
						s.Error("a position was reported before the load that it follows")
					}
				},
				Current: func(string, string) { s.here.passed.Add(1) },
			})
			test(s)
		})
	}
}

// run makes the mirror follow until the test ends.
func (s *subject) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Mirror.Run(ctx)
	}()
	s.Cleanup(func() {
		cancel()
		<-done
	})
	testutil.Eventually(s, "the index is loaded", func() bool { return !s.AsOf().IsZero() })
}

// write writes a document as another process, over the revision that is there.
func (s *subject) write(id, value string) document.Document {
	s.Helper()
	doc, err := s.there.Update(s.Context(), s.db, id, func(doc document.Document) error {
		doc["value"] = value
		return nil
	})
	testutil.OK(s, err)
	return doc
}

func (s *subject) is(id, want string) {
	s.Helper()
	testutil.Eventually(s, fmt.Sprintf("%s is %q", id, want), func() bool { return s.value(id) == want })
}

// current waits until the index has everything that was written before.
func (s *subject) current() {
	s.Helper()
	now := time.Now()
	testutil.Eventually(s, "the index is current", func() bool { return s.AsOf().After(now) })
}

func TestTheIndexFollowsTheDatabase(t *testing.T) {
	t.Parallel()
	onStores(t, func(s *subject) {
		s.write("a", "1")
		s.write("b", "1")
		if !s.AsOf().IsZero() {
			s.Error("current before it is loaded")
		}
		s.run()
		s.is("a", "1")
		s.is("b", "1")
		s.write("a", "2")
		s.is("a", "2")
		testutil.OK(s, s.there.Delete(s.Context(), s.db, "a", s.write("a", "3").Rev()))
		s.is("a", "")
		s.current()
	})
}

func TestOwnWritesAreSeenAtOnce(t *testing.T) {
	t.Parallel()
	onStores(t, func(s *subject) {
		s.write("a", "1")
		s.run()
		s.here.cut.Store(true)
		two := s.write("a", "2")
		three := s.write("a", "3")
		s.Wrote(three)
		s.Wrote(two) // its request was slower
		if got := s.value("a"); got != "3" {
			s.Errorf("got %q", got)
		}
		s.Wrote(document.Document{"_id": "b", "_rev": "1-b", "value": "b"})
		if got := s.value("b"); got != "b" {
			s.Errorf("got %q", got)
		}
		changed := s.changed.Load()
		s.here.cut.Store(false)
		s.current()
		if got := s.value("a"); got != "3" {
			s.Errorf("after the feed: %q", got)
		}
		if s.changed.Load() > changed+1 { // "b", which is not in the database
			s.Error("a write of this process was reported as another's")
		}
		s.is("b", "")
	})
}

func TestAnOwnWriteThatWasSupersededIsReadAgain(t *testing.T) {
	t.Parallel()
	onStores(t, func(s *subject) {
		s.run()
		s.here.cut.Store(true)
		own := s.write("a", "own")
		s.Wrote(own)
		gone := s.write("b", "own")
		s.Wrote(gone)
		s.write("a", "other")
		testutil.OK(s, s.there.Delete(s.Context(), s.db, "b", gone.Rev()))
		s.here.cut.Store(false)
		s.is("a", "other")
		s.is("b", "")
	})
}

func TestReadDocumentsMayBringTheIndexForward(t *testing.T) {
	t.Parallel()
	onStores(t, func(s *subject) {
		s.write("a", "1")
		s.run()
		s.here.cut.Store(true)
		before := s.changed.Load()
		s.Saw(s.write("a", "2"))
		s.Saw(s.write("b", "1")) // it may be gone by now
		if n := s.changed.Load() - before; n != 1 {
			s.Errorf("Changed was called %d times", n)
		}
		if a, b := s.value("a"), s.value("b"); a != "2" || b != "" {
			s.Errorf("got %q and %q", a, b)
		}
	})
}

func TestTheFeedMayBeFasterThanAnOwnWrite(t *testing.T) {
	t.Parallel()
	onStores(t, func(s *subject) {
		s.run()
		one := s.write("a", "1")
		s.is("a", "1")
		s.Wrote(one)
		s.write("a", "2")
		s.is("a", "2")
		s.Wrote(one)
		if got := s.value("a"); got != "2" || s.Pending() != 0 {
			s.Errorf("got %q, %d writes are pending", got, s.Pending())
		}
	})
}

func TestAnOwnWriteWhileTheIndexIsLoadedStays(t *testing.T) {
	t.Parallel()
	onStores(t, func(s *subject) {
		s.write("a", "1")
		removed := s.write("b", "1")
		s.here.during = func() {
			s.Wrote(s.write("a", "2"))
			testutil.OK(s, s.there.Delete(s.Context(), s.db, "b", removed.Rev()))
			s.Wrote(document.Document{"_id": "b", "_rev": "2-b", "_deleted": true})
			s.Wrote(s.write("c", "1"))
		}
		testutil.OK(s, s.Load(s.Context()))
		if a, b, c := s.value("a"), s.value("b"), s.value("c"); a != "2" || b != "" || c != "1" {
			s.Errorf("got %q, %q and %q", a, b, c)
		}
	})
}

func TestRunGoesOnWhereLoadEnded(t *testing.T) {
	t.Parallel()
	onStores(t, func(s *subject) {
		s.write("a", "1")
		testutil.OK(s, s.Load(s.Context()))
		if got := s.value("a"); got != "1" {
			s.Errorf("loaded %q", got)
		}
		s.write("b", "1")
		s.run()
		s.is("b", "1")
		if n := s.changed.Load(); n != 1 { // all of a load are changes to nobody
			s.Errorf("%d changes were reported", n)
		}
	})
}

func TestLoadFailsWithTheStore(t *testing.T) {
	t.Parallel()
	onStores(t, func(s *subject) {
		s.write("a", "1")
		s.here.cut.Store(true)
		if err := s.Load(s.Context()); !fault.Is(err, fault.DatastoreUnreachable) || !s.AsOf().IsZero() {
			s.Errorf("got %v, loaded as of %v", err, s.AsOf())
		}
		s.here.cut.Store(false)
		if err := s.Load(s.Context()); err != nil || s.value("a") != "1" {
			s.Errorf("got %v, loaded %q", err, s.value("a"))
		}
	})
}

// Fault P2: in a conflict the revision of fewer writes can win, after the other branch was deleted.
func TestAWinnerOfALowerGenerationCounts(t *testing.T) {
	t.Parallel()
	onStores(t, func(s *subject) {
		if !store.IsCouchDB(s.dsn) {
			s.Skip("the embedded store has no conflicts")
		}
		s.run()
		s.post(`{"new_edits":false,"docs":[{"_id":"a","_rev":"3-c","_revisions":{"start":3,"ids":["c","b","a"]},"value":"long"},
			{"_id":"a","_rev":"2-z","_revisions":{"start":2,"ids":["z","a"]},"value":"short"}]}`)
		s.is("a", "long")
		s.Wrote(document.Document{"_id": "a", "_rev": "3-c", "value": "long"})
		testutil.OK(s, s.there.Delete(s.Context(), s.db, "a", "3-c"))
		s.is("a", "short")
	})
}

// needsEpochs skips a test on stores that tell neither purges nor databases created again.
func (s *subject) needsEpochs() {
	s.Helper()
	_, epoch, err := s.there.Position(s.Context(), s.db)
	testutil.OK(s, err)
	if epoch == "" {
		s.Skip("this store has no epochs")
	}
}

// Fault P5: a purge is not in the feed.
func TestPurgedDocumentsLeaveTheIndex(t *testing.T) {
	t.Parallel()
	onStores(t, func(s *subject) {
		s.needsEpochs()
		doc := s.write("a", "1")
		s.write("b", "1")
		s.run()
		s.is("a", "1")
		s.request(http.MethodPost, "/_purge", fmt.Sprintf(`{"a":[%q]}`, doc.Rev()))
		s.is("a", "")
		s.is("b", "1")
	})
}

func TestADatabaseThatWasCreatedAgainIsLoadedAgain(t *testing.T) {
	t.Parallel()
	onStores(t, func(s *subject) {
		s.needsEpochs()
		s.write("a", "1")
		s.write("b", "1")
		testutil.OK(s, s.Load(s.Context()))
		created := time.Now().Unix()
		s.delete()
		testutil.Eventually(s, "the next second, since that is how exact CouchDB is", func() bool { return time.Now().Unix() > created })
		testutil.Eventually(s, "the database is there again", func() bool { return s.there.CreateDatabase(s.Context(), s.db) == nil })
		s.write("b", "2")
		testutil.OK(s, s.Load(s.Context()))
		if a, b := s.value("a"), s.value("b"); a != "" || b != "2" {
			s.Errorf("got %q and %q", a, b)
		}
	})
}

// Not every server tells a database that was created again from the one before.
func TestReloadForgetsWhatIsNotThere(t *testing.T) {
	t.Parallel()
	onStores(t, func(s *subject) {
		if !store.IsCouchDB(s.dsn) {
			s.Skip("nothing deletes a database of the embedded store")
		}
		s.write("a", "1")
		s.write("b", "1")
		s.run()
		s.delete()
		testutil.Eventually(s, "the database is there again", func() bool { return s.there.CreateDatabase(s.Context(), s.db) == nil })
		s.write("b", "2")
		s.Reload()
		s.is("a", "")
		s.is("b", "2")
	})
}

// A replaced database would look as if everything had been deleted.
func TestWhatALoadDeliversIsNoChange(t *testing.T) {
	t.Parallel()
	onStores(t, func(s *subject) {
		doc := s.write("a", "1")
		s.run()
		s.current() // a load that was interrupted is no reload
		changed := s.changed.Load()
		s.here.cut.Store(true)
		s.Reload()
		testutil.OK(s, s.there.Delete(s.Context(), s.db, "a", doc.Rev()))
		feeds := s.here.feeds.Load()
		testutil.Eventually(s, "the load begins after that", func() bool { return s.here.feeds.Load() > feeds })
		s.here.cut.Store(false)
		s.is("a", "")
		testutil.Eventually(s, "the reload is reported", func() bool { return s.reloaded.Load() == 1 })
		if n := s.changed.Load(); n != changed {
			s.Errorf("%d changes were reported", n-changed)
		}
		s.write("a", "2")
		s.is("a", "2")
		testutil.Eventually(s, "the change is reported", func() bool { return s.changed.Load() == changed+1 })
	})
}

func TestADatabaseThatIsGoneEmptiesTheIndex(t *testing.T) {
	t.Parallel()
	onStores(t, func(s *subject) {
		if !store.IsCouchDB(s.dsn) {
			s.Skip("nothing deletes a database of the embedded store")
		}
		s.write("a", "1")
		s.run()
		s.is("a", "1")
		changed := s.changed.Load()
		s.delete()
		s.is("a", "")
		if !s.AsOf().IsZero() {
			s.Error("an index of nothing is current")
		}
		if s.changed.Load() != changed {
			s.Error("the loss of a database was reported as changes of its documents")
		}
		testutil.Eventually(s, "the database is there again", func() bool { return s.there.CreateDatabase(s.Context(), s.db) == nil })
		s.write("b", "1")
		s.is("b", "1")
		testutil.Eventually(s, "the load is reported", func() bool { return s.reloaded.Load() == 1 })
	})
}

func (s *subject) post(body string) { s.request(http.MethodPost, "/_bulk_docs", body) }

// delete deletes the database.
func (s *subject) delete() { s.request(http.MethodDelete, "", "") }

func (s *subject) request(method, path, body string) {
	s.Helper()
	request, err := http.NewRequestWithContext(s.Context(), method, s.dsn+"/"+url.PathEscape(s.db)+path,
		strings.NewReader(body))
	testutil.OK(s, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	testutil.OK(s, err)
	defer response.Body.Close()
	if text, _ := io.ReadAll(response.Body); response.StatusCode >= http.StatusBadRequest {
		s.Fatalf("%s %s: %d %s", method, path, response.StatusCode, text)
	}
}
