package dedicatedip

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"junctor/pkg/fault"
	"junctor/pkg/projection"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// TestPurgedAddress: an address whose document was purged, which no change feed delivers, is gone within a minute, and
// an assignment does not bring it back (P5).
func TestPurgedAddress(t *testing.T) {
	t.Parallel()
	dsn := storetest.FreshCouch(t)
	if server, err := store.Ask(t.Context(), dsn); err != nil || server.Vendor != "" {
		t.Skipf("only CouchDB purges documents: set JUNCTOR_TEST_COUCHDB (%v)", err)
	}
	s := newSubject(t, storetest.Open(t, dsn))
	s.free("10.0.0.1")
	s.following(s.Pool)
	s.ok(outcome(s.Read().Get(s.Context(), "10.0.0.1")))
	s.request(http.MethodPost, dsn, Database, "/_purge", map[string]any{
		"10.0.0.1": []string{s.stored(Database, "10.0.0.1").Rev()},
	})
	testutil.Eventually(s, "gone", func() bool {
		return fault.Is(outcome(s.Read().Get(s.Context(), "10.0.0.1")), fault.BadIdentifier)
	})
	testutil.RequireFault(s, s.assign(s.Pool, accountA, "10.0.0.1"), fault.Invalid)
	if doc := s.stored(Database, "10.0.0.1"); doc != nil {
		t.Errorf("it is back: %v", doc)
	}
}

// request sends a request about a database to a CouchDB itself.
func (s *subject) request(method, dsn, db, path string, body any) {
	s.Helper()
	text, err := json.Marshal(body)
	s.ok(err)
	address := strings.TrimRight(dsn, "/") + "/" + url.PathEscape(s.s.Prefix+db) + path
	request, err := http.NewRequest(method, address, bytes.NewReader(text))
	s.ok(err)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	s.ok(err)
	defer response.Body.Close()
	if said, _ := io.ReadAll(response.Body); response.StatusCode >= http.StatusBadRequest {
		s.Fatalf("%s %s: %s %s", method, address, response.Status, said)
	}
}

// TestTwoDeletionsOnACluster: of two deletions of one address at once, on two nodes, one succeeds (R7).
func TestTwoDeletionsOnACluster(t *testing.T) {
	nodes := storetest.ClusterNodes(t)
	s := newSubject(t, storetest.Open(t, nodes[0]))
	t.Cleanup(func() {
		for _, db := range []string{Database, projection.StateDatabase, s.accountDB(accountA), s.accountDB(accountB), s.accountDB(accountC)} {
			s.request(http.MethodDelete, nodes[0], db, "", nil)
		}
	})
	pools := []*Pool{s.Pool, s.pool(storetest.Apart{Store: storetest.Open(t, nodes[1]), Prefix: s.s.Prefix}, io.Discard)}
	for round := range 50 {
		id := fmt.Sprintf("10.0.0.%d", round)
		s.free(id)
		var errs [2]error
		var all sync.WaitGroup
		start := make(chan struct{})
		for i, p := range pools {
			all.Go(func() {
				<-start
				_, errs[i] = p.Delete(s.Context(), DeleteRequest{Address: id})
			})
		}
		close(start)
		all.Wait()
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case !fault.Is(err, fault.BadIdentifier):
				t.Error(err)
			}
		}
		if won != 1 {
			t.Errorf("%s: %d deletions succeeded: %v", id, won, errs)
		}
	}
}
