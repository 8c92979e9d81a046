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
	"time"

	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// TestPurgedAddress: an address whose document was purged, which no change feed tells of, is gone within a minute, and
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
	_, err := s.Read().Get(s.Context(), "10.0.0.1")
	s.ok(err)
	purge(s, dsn, "10.0.0.1")
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		_, err = s.Read().Get(s.Context(), "10.0.0.1")
		if fault.Is(err, fault.BadIdentifier) || time.Now().After(deadline) {
			break
		}
	}
	testutil.RequireFault(s, err, fault.BadIdentifier)
	_, err = assignSingle(s.Context(), s.Pool, accountA, "10.0.0.1", nil)
	testutil.RequireFault(s, err, fault.Invalid)
	if doc := s.stored(Database, "10.0.0.1"); doc != nil {
		t.Errorf("it is back: %v", doc)
	}
}

// purge removes a document of the pool without a trace.
func purge(s *subject, dsn, id string) {
	s.Helper()
	body, err := json.Marshal(map[string][]string{id: {s.stored(Database, id).Rev()}})
	s.ok(err)
	address := strings.TrimRight(dsn, "/") + "/" + url.PathEscape(s.s.Prefix+Database) + "/_purge"
	response, err := http.Post(address, "application/json", bytes.NewReader(body))
	s.ok(err)
	defer response.Body.Close()
	if said, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusCreated {
		s.Fatalf("purge: %s %s", response.Status, said)
	}
}

// TestTwoDeletionsOnACluster: of two deletions of one address at once, on two nodes, one succeeds (R7).
func TestTwoDeletionsOnACluster(t *testing.T) {
	nodes := storetest.ClusterNodes(t)
	s := newSubject(t, storetest.Open(t, nodes[0]))
	t.Cleanup(func() { dropAll(t, nodes[0], s.s.Prefix) })
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

// dropAll removes the databases whose names begin with prefix.
func dropAll(t *testing.T, dsn, prefix string) {
	t.Helper()
	request := func(method, path string, into any) {
		t.Helper()
		r, err := http.NewRequest(method, strings.TrimRight(dsn, "/")+"/"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if into != nil {
			err = json.NewDecoder(response.Body).Decode(into)
		}
		if err != nil || response.StatusCode >= http.StatusBadRequest {
			t.Errorf("%s %s: %s, %v", method, path, response.Status, err)
		}
	}
	var names []string
	request(http.MethodGet, "_all_dbs", &names)
	for _, name := range names {
		if strings.HasPrefix(name, prefix) {
			request(http.MethodDelete, url.PathEscape(name), nil)
		}
	}
}
