// Package storetest says what every store does, by doing it, and helps tests to a store to do it on.
//
// Run is the conformance suite: what the rest of junctor relies on, and so what holds on memory, on a file, on
// CouchDB and on anything that speaks its protocol, with no exceptions for any of them. Where those differ, the
// suite asks for less: strings are ordered here in lower-case ASCII letters and digits only, since CouchDB sorts
// by ICU and PouchDB by code unit; integers are exact up to 2^53, since PouchDB keeps doubles. What one store
// promises beyond that is tested beside it.
//
// CouchDSN and FreshCouch find or start the CouchDB to test on, and Load fills a store with documents from files.
package storetest

import (
	"fmt"
	"sync/atomic"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/store"
)

// Run puts a store through everything. Each case calls open for a store, which may be a new one each time or one
// that others use too, and works in a database of its own there.
func Run(t *testing.T, open func(t *testing.T) *store.Store) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(newSubject(t, open(t)))
		})
	}
}

var cases = []struct {
	name string
	run  func(*subject)
}{
	{"databases", databasesExistOnceCreated},
	{"databases are apart", databasesAreApart},
	{"databases listed", databasesListed},
	{"missing database", missingDatabase},
	{"cancelled context", cancelledContext},
	{"revisions", revisions},
	{"delete", deletedIsMissing},
	{"recreate", recreated},
	{"tombstones", tombstones},
	{"one revision", readOneRevision},
	{"ids", oddIDs},
	{"values", valuesSurvive},
	{"large document", largeDocument},
	{"nested document", nestedDocument},
	{"get many", getMany},
	{"get very many", getVeryMany},
	{"list all", listAll},
	{"put many", putMany},
	{"update", update},
	{"update ends with its function", updateEnds},
	{"update overtaken", updateOvertaken},
	{"one winner", oneWinnerPerRevision},
	{"ten updates at once", updatesAtOnce},
	{"crowded updates", crowdedUpdates},
	{"writers apart", writersApart},
	{"attachments", attachments},
	{"install", install},
	{"install if missing", installIfMissing},
	{"missing view", missingView},
	{"view", viewOrder},
	{"view keys", viewKeys},
	{"view ranges", viewRanges},
	{"view rows of one key", viewRowsOfOneKey},
	{"all pages", allPages},
	{"view documents", viewDocuments},
	{"view follows writes", viewFollowsWrites},
	{"view that throws", viewThatThrows},
	{"view stopped early", viewStoppedEarly},
	{"groups", groups},
	{"group values", groupValues},
	{"changes", changesFollow},
	{"changes end", changesEnd},
	{"changes current", changesCurrent},
	{"changes many", changesMany},
	{"writable", writable},
}

// subject is a store under test and a database of the test's own.
type subject struct {
	*testing.T
	*store.Store
	db string
}

func newSubject(t *testing.T, s *store.Store) *subject {
	t.Helper()
	return &subject{T: t, Store: s, db: NewDatabase(t, s)}
}

var databaseCount atomic.Int64

// NewPrefix returns what the names of a test's databases begin with on a CouchDB that it shares, see CouchDSN.
func NewPrefix() string { return fmt.Sprintf("%s/%d/", ownDatabases, databaseCount.Add(1)) }

// NewDatabase makes an empty database. Its name has slashes, as those of accounts have.
func NewDatabase(t testing.TB, s *store.Store) string {
	t.Helper()
	db := NewPrefix() + "db"
	if err := s.CreateDatabase(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	return db
}

// parse reads the text of a document.
func (s *subject) parse(text string) document.Document {
	s.Helper()
	doc, err := document.Decode([]byte(text))
	if err != nil {
		s.Fatalf("%s: %v", text, err)
	}
	return doc
}

// put writes the text of a document, which has to succeed.
func (s *subject) put(text string) (rev string) {
	s.Helper()
	rev, err := s.Put(s.Context(), s.db, s.parse(text))
	if err != nil {
		s.Fatalf("put %s: %v", text, err)
	}
	return rev
}

// get reads a document that has to be there.
func (s *subject) get(id string) document.Document {
	s.Helper()
	doc, err := s.Get(s.Context(), s.db, id)
	if err != nil {
		s.Fatalf("get %q: %v", id, err)
	}
	return doc
}

// remove deletes the document as it is.
func (s *subject) remove(id string) {
	s.Helper()
	if err := s.Delete(s.Context(), s.db, id, s.get(id).Rev()); err != nil {
		s.Fatalf("delete %q: %v", id, err)
	}
}

func (s *subject) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}
