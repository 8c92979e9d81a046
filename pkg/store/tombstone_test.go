package store_test

import (
	"os"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// TestTombstonesAreNotWrittenOver: a deleted document is created again without a revision, and in no other way. It is not
// in storetest because PouchDB accepts the revision of the tombstone.
func TestTombstonesAreNotWrittenOver(t *testing.T) {
	t.Parallel()
	stores := map[string]string{"memory": "memory:"}
	if os.Getenv("JUNCTOR_TEST_COUCHDB") != "" {
		stores["CouchDB"] = storetest.FreshCouch(t)
	}
	for name, dsn := range stores {
		t.Run(name, func(t *testing.T) {
			s, db := open(t, dsn), "dedicated_ips"
			if err := s.CreateDatabase(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			put := func(doc document.Document) (rev string) {
				t.Helper()
				rev, err := s.Put(t.Context(), db, doc)
				if err != nil {
					t.Fatal(err)
				}
				return rev
			}
			first := put(document.Document{"_id": "a"})
			tombstone := put(document.Document{"_id": "a", "_rev": first, "_deleted": true})
			for _, doc := range []document.Document{
				{"_id": "a", "_rev": tombstone},
				{"_id": "a", "_rev": first},
				{"_id": "a", "_rev": tombstone, "_deleted": true},
				{"_id": "a", "_deleted": true},
			} {
				_, err := s.Put(t.Context(), db, doc)
				testutil.RequireFault(t, err, fault.Conflict)
				written, err := s.PutMany(t.Context(), db, []document.Document{doc})
				if err != nil {
					t.Fatal(err)
				}
				testutil.RequireFault(t, written[0].Err, fault.Conflict)
			}
			gone, _, err := s.GetDeleted(t.Context(), db, []string{"a"})
			if err != nil || gone["a"].Rev() != tombstone {
				t.Errorf("the tombstone %s is now %v, %v", tombstone, gone["a"], err)
			}
			put(document.Document{"_id": "a"})
		})
	}
}
