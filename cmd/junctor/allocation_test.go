package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/projection"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// TestAllocations: many clients of two processes on one CouchDB are each given addresses of their own, down to the last
// one, and the accounts have copies of theirs.
func TestAllocations(t *testing.T) {
	t.Parallel()
	clients, requests := load(t)
	o := newOffice(t)
	o.fill(clients * requests)
	given := o.rush(clients, requests, func(client int, err error) { o.Errorf("client %d: %v", client, err) })
	for id, addresses := range given {
		o.holds(id, addresses)
	}
	for _, s := range o.servers { // nothing is left
		for id, token := range o.tokens {
			testutil.Eventually(t, "what was given to be listed", func() bool {
				return len(s.listed(id, token, "/assigned")) == len(given[id])
			})
			if status, e := s.request("POST", "/v2/accounts/"+id+"/ips", token, wantOne); status != http.StatusConflict {
				t.Errorf("one more: %d %v", status, e)
			}
		}
	}
}

// load returns how many clients make how many requests each: as many as JUNCTOR_TEST_ALLOCATIONS says, or a few. The peer
// that stands for a CouchDB does one thing at a time: 64 clients would wait for longer than a server does.
func load(t *testing.T) (clients, requests int) {
	t.Helper()
	clients = 64
	if text := os.Getenv("JUNCTOR_TEST_ALLOCATIONS"); text != "" {
		requests, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return clients, requests
	}
	if os.Getenv("JUNCTOR_TEST_COUCHDB") != "" { // a real one is faster
		return clients, 20
	}
	return 12, 16
}

const wantOne = `{"data":{"quantity":1}}`

// office is two processes that serve one CouchDB, and two accounts on it.
type office struct {
	*testing.T
	store   *store.Store
	servers [2]*served
	tokens  map[string]string // by account
}

func newOffice(t *testing.T) *office {
	t.Helper()
	p := &place{dsn: storetest.FreshCouch(t), stateDir: t.TempDir()}
	o := &office{T: t, store: p.open(t), tokens: map[string]string{}}
	ok(t, p.args("bootstrap")...)
	for i := range o.servers {
		o.servers[i] = startProcess(t, nil, p.args("")...)
	}
	for _, name := range []string{"A", "B"} {
		created := newAccount(t, name, p.args("")...)
		o.tokens[created.ID] = o.servers[0].login(created.APIKey)
	}
	return o
}

// fill makes so many addresses available, and waits until both servers have heard of all.
func (o *office) fill(count int) {
	o.Helper()
	docs := make([]document.Document, count)
	for i := range docs {
		docs[i] = document.Document{"_id": fmt.Sprintf("10.0.%d.%d", i/256, i%256), "pvt_type": "dedicated_ip",
			"pvt_status": "available", "pvt_zone": "z", "pvt_host": "h"}
	}
	for some := range slices.Chunk(docs, 500) {
		written, err := o.store.PutMany(o.Context(), "dedicated_ips", some)
		if err != nil || slices.ContainsFunc(written, func(w store.Written) bool { return w.Err != nil }) {
			o.Fatal(written, err)
		}
	}
	for _, s := range o.servers {
		for id, token := range o.tokens {
			testutil.Eventually(o.T, "all to be listed", func() bool { return len(s.listed(id, token, "")) == count })
		}
	}
}

// listed returns a listing of an account, nothing if the store is too busy for it.
func (s *served) listed(id, token, which string) []any {
	s.Helper()
	status, envelope := s.request("GET", "/v2/accounts/"+id+"/ips"+which, token, "")
	list, ok := envelope["data"].([]any)
	if status != http.StatusServiceUnavailable && !ok {
		s.Fatalf("listed: %d %v", status, envelope)
	}
	return list
}

// rush lets clients each make so many requests for one address, and returns what each account was given. failed is called
// with the requests that failed.
func (o *office) rush(
	clients, requests int, failed func(client int, err error),
) (given map[string][]string) {
	o.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	given = map[string][]string{}
	seen, ids := map[string]bool{}, slices.Collect(maps.Keys(o.tokens))
	for c := range clients {
		s, id := o.servers[c%2], ids[c/2%2]
		all.Go(func() {
			for range requests {
				address, err := s.allocate(id, o.tokens[id])
				mu.Lock()
				switch {
				case err != nil:
					failed(c, err)
				case seen[address]:
					o.Errorf("client %d is given %q, which is given away", c, address)
				default:
					seen[address], given[id] = true, append(given[id], address)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return given
}

// allocate asks for one address.
func (s *served) allocate(id, token string) (address string, err error) {
	status, text, err := s.send("POST", "/v2/accounts/"+id+"/ips", token, wantOne)
	if err != nil {
		return "", err
	}
	var envelope struct{ Data struct{ IPs []string } }
	if err := json.Unmarshal(text, &envelope); err != nil || len(envelope.Data.IPs) != 1 {
		return "", fmt.Errorf("%d %s", status, text)
	}
	return envelope.Data.IPs[0], nil
}

// holds checks that an account has what it was given, and its database copies of that and of nothing else.
func (o *office) holds(id string, given []string) {
	o.Helper()
	pool, err := o.store.GetMany(o.Context(), "dedicated_ips", given)
	if err != nil {
		o.Fatal(err)
	}
	var copies map[string]document.Document
	testutil.Eventually(o.T, "copies of what was given", func() bool {
		copies, err = o.copies(id)
		return err != nil || len(copies) >= len(given)
	})
	if err != nil {
		o.Fatal(err)
	}
	for address, doc := range pool {
		if doc["pvt_assigned_to"] != id || copies[address] == nil || !projection.SameContent(copies[address], doc) {
			o.Errorf("account %.4s was given %v, its copy is %v", id, doc, copies[address])
		}
	}
	if len(copies) != len(given) {
		o.Errorf("account %.4s was given %d addresses and has copies of %d", id, len(given), len(copies))
	}
}

// copies returns the addresses in the database of an account.
func (o *office) copies(id string) (map[string]document.Document, error) {
	db, err := account.Database(id)
	if err != nil {
		return nil, err
	}
	return o.addressesIn(db)
}

// addressesIn returns the documents of addresses in a database.
func (o *office) addressesIn(db string) (map[string]document.Document, error) {
	found := map[string]document.Document{}
	return found, o.store.All(o.Context(), db, store.Query{IncludeDocs: true}, func(row store.Row) error {
		doc, err := row.Doc()
		if doc["pvt_type"] == "dedicated_ip" {
			found[row.ID()] = doc
		}
		return err
	})
}
