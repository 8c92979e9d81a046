package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// nodeVariable names a command that does something to a node of the CouchDB cluster of JUNCTOR_TEST_COUCHDB_NODES. Its
// arguments are what, and the number of the node from 1: "kill" and "start" it, "stop" it so that it hangs and "cont" it,
// "cut" it off from the other nodes and "join" it.
const nodeVariable = "JUNCTOR_TEST_COUCHDB_NODE"

// mostTime is how long a request may take whatever the nodes do.
const mostTime = 6 * time.Second

// TestSoakCluster: two servers on two nodes of a CouchDB cluster are under load while nodes are killed, hang, are away
// and are cut off. No address is held twice, no write is lost that was responded to, no request takes longer than it may,
// and in the end the accounts' copies equal the pool.
func TestSoakCluster(t *testing.T) {
	command := os.Getenv(nodeVariable)
	if os.Getenv("JUNCTOR_SOAK") == "" || command == "" {
		t.Skip("make soak, with a CouchDB cluster in JUNCTOR_TEST_COUCHDB_NODES, and " + nodeVariable)
	}
	nodes := storetest.ClusterNodes(t)
	t.Setenv("JUNCTOR_TEST_COUCHDB", nodes[0])
	c := newChaos(t, nodes)
	do := func(what string, node int) {
		if out, err := exec.Command(command, what, strconv.Itoa(node)).CombinedOutput(); err != nil {
			t.Errorf("%s %d: %v, %s", what, node, err, out)
		}
	}
	t.Cleanup(func() { // however it ends
		for node := range nodes {
			_ = exec.Command(command, "cont", strconv.Itoa(node+1)).Run()
			_ = exec.Command(command, "join", strconv.Itoa(node+1)).Run()
		}
	})
	c.allocateAll(func() { do("kill", 3) }, func() { do("start", 3) })
	c.phase("all nodes are there", 5*time.Second)
	do("kill", 3)
	c.phase("one node is killed", 10*time.Second)
	do("start", 3)
	c.phase("it is back", 8*time.Second)
	do("kill", 2)
	c.phase("the node of a server is killed", 8*time.Second)
	do("start", 2)
	c.phase("it is back", 8*time.Second)
	do("stop", 3)
	c.phase("one node hangs", 12*time.Second)
	c.phase("it hangs for longer than CouchDB waits for it", 90*time.Second)
	if c.done() == 0 {
		t.Error("no write was made though CouchDB has given the node up")
	}
	do("cont", 3)
	c.phase("it goes on", 8*time.Second)
	do("stop", 1)
	c.phase("the node of a server hangs", 12*time.Second)
	do("cont", 1)
	c.phase("it goes on", 8*time.Second)
	do("kill", 2)
	do("kill", 3)
	c.phase("two nodes are away", 8*time.Second)
	do("start", 2)
	do("start", 3)
	c.phase("they are back", 10*time.Second)
	do("cut", 2)
	c.phase("the node of a server is cut off", 12*time.Second)
	do("join", 2)
	c.phase("it is connected again", 10*time.Second)
	c.check()
}

// worker is a client with an account of its own, and what it knows that the account holds.
type worker struct {
	account, token string
	server         *served
	holds          map[string]bool // true if a response said so, false if a request had no clear outcome
}

// chaos is two servers, their clients, and the tally of a phase.
type chaos struct {
	*office
	workers []*worker
	races   int

	mu     sync.Mutex
	holder map[string]string // by address, as responses say
	tally  map[string]int
	slow   time.Duration // the slowest request
}

// There are more addresses than all requests can take, those included that are not given back because the outcome of that
// is open: every not_enough_ips is a fault.
const chaosAddresses, chaosWorkers = 9000, 12

func newChaos(t *testing.T, nodes []string) *chaos {
	p := &place{dsn: storetest.FreshCouch(t), stateDir: t.TempDir()}
	o := &office{T: t, store: p.open(t), tokens: map[string]string{}}
	ok(t, p.args("bootstrap")...)
	for i := range o.servers {
		on := &place{dsn: nodes[i], stateDir: p.stateDir}
		o.servers[i] = startProcess(t, nil, on.args("--log-level warn")...)
	}
	c := &chaos{office: o, holder: map[string]string{}}
	for i := range chaosWorkers {
		created := newAccount(t, "W"+strconv.Itoa(i), p.args("")...)
		w := &worker{account: created.ID, server: o.servers[i%2], holds: map[string]bool{}}
		w.token = w.server.login(created.APIKey)
		c.workers = append(c.workers, w)
	}
	for _, w := range c.workers[:2] {
		o.tokens[w.account] = w.token
	}
	o.fill(chaosAddresses)
	return c
}

// send makes a request. Its outcome is "done", "refused" (the state speaks against it, or nothing was written) or
// "open", with the address that the response names.
func (c *chaos) send(w *worker, method, path, body string) (outcome, address string) {
	began := time.Now()
	status, text, err := w.server.send(method, "/v2/accounts/"+w.account+"/ips"+path, w.token, body)
	took := time.Since(began)
	var envelope map[string]any
	if err == nil {
		err = json.Unmarshal(text, &envelope)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slow = max(c.slow, took)
	if took > mostTime {
		c.Errorf("%s %s took %s: %d %v", method, path, took, status, envelope["message"])
	}
	message := fmt.Sprint(envelope["message"])
	switch {
	case err != nil:
		outcome, message = "open", err.Error()
	case status == http.StatusOK || status == http.StatusCreated:
		outcome, message = "done", ""
	case status == http.StatusServiceUnavailable || status == http.StatusInternalServerError:
		outcome = "open"
	default:
		outcome = "refused"
	}
	if message == "not_enough_ips" {
		c.Errorf("%s %s: %d %s, though there are enough", method, path, status, message)
	}
	c.tally[strings.TrimSpace(fmt.Sprint(outcome, " ", status, " ", message))]++
	data, _ := envelope["data"].(map[string]any)
	if list, _ := data["ips"].([]any); len(list) > 0 {
		address, _ = list[0].(string)
	}
	return outcome, address
}

// phase keeps all workers at it for a time, while others race for one address.
func (c *chaos) phase(name string, length time.Duration) {
	c.Helper()
	c.mu.Lock()
	c.tally, c.slow = map[string]int{}, 0
	c.mu.Unlock()
	var over atomic.Bool
	time.AfterFunc(length, func() { over.Store(true) })
	var all sync.WaitGroup
	for _, w := range c.workers {
		all.Go(func() {
			for n := 0; !over.Load(); n++ {
				c.step(w, n)
			}
		})
	}
	c.race()
	all.Wait()
	c.Logf("%s: slowest %s", name, c.slow.Round(time.Millisecond))
	for _, what := range slices.Sorted(maps.Keys(c.tally)) {
		c.Logf("    %6d %s", c.tally[what], what)
	}
}

// allocateAll lets 64 clients allocate 50 addresses each. A node is killed and started meanwhile, so that some outcomes may
// be open, as of writes that a busy machine does not finish in time.
func (c *chaos) allocateAll(kill, start func()) {
	c.Helper()
	const clients, requests = 64, 50
	kills, starts := time.AfterFunc(5*time.Second, kill), time.AfterFunc(15*time.Second, start)
	began := time.Now()
	var failures atomic.Int64
	given := c.rush(clients, requests, func(int, error) { failures.Add(1) })
	if n := failures.Load(); n > 0 {
		c.Logf("%d of %d requests failed", n, clients*requests)
	}
	for account, addresses := range given {
		c.Logf("account %.4s was given %d addresses within %s", account, len(addresses), time.Since(began).Round(time.Second))
		for _, address := range addresses {
			c.holder[address] = account
		}
	}
	if kills.Stop() || starts.Stop() {
		c.Error("the node was not killed and started meanwhile")
	}
}

// done returns how many requests of the last phase were successful.
func (c *chaos) done() int { return c.tally["done 200"] }

// step allocates an address, or gives one back.
func (c *chaos) step(w *worker, n int) {
	if n%3 != 2 {
		outcome, address := c.send(w, "POST", "", `{"data":{"quantity":1,"zone":"z"}}`)
		if outcome == "done" {
			c.given(w, address)
		} else {
			time.Sleep(20 * time.Millisecond) // as a client that tries again
		}
		return
	}
	for address, sure := range w.holds {
		if !sure {
			continue
		}
		c.mu.Lock() // somebody else may have it before this response is read
		delete(c.holder, address)
		c.mu.Unlock()
		switch outcome, _ := c.send(w, "DELETE", "/"+address, ""); outcome {
		case "done":
			delete(w.holds, address)
		case "refused":
			c.Errorf("%s, given to %.4s, can't be given back", address, w.account)
			fallthrough
		default:
			w.holds[address] = false
		}
		return
	}
}

// given notes that a response gave an address to a worker.
func (c *chaos) given(w *worker, address string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if other := c.holder[address]; other != "" {
		c.Errorf("%s is given to %.4s, and was given to %.4s", address, w.account, other)
	}
	c.holder[address] = w.account
	w.holds[address] = true
}

// race lets 500 requests over both servers assign one address.
func (c *chaos) race() {
	address := fmt.Sprintf("10.1.0.%d", c.races)
	c.races++
	doc := document.Document{"_id": address, "pvt_type": "dedicated_ip", "pvt_status": "available", "pvt_zone": "race",
		"pvt_host": "h"}
	if _, err := c.store.Put(c.Context(), "dedicated_ips", doc); err != nil {
		c.Logf("no race: %v", err)
		return
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	var winners []string
	for i := range 500 {
		w := c.workers[i%len(c.workers)]
		all.Go(func() {
			if outcome, _ := c.send(w, "POST", "/"+address, ""); outcome == "done" {
				mu.Lock()
				winners = append(winners, w.account)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(winners) > 1 {
		c.Errorf("%s has %d winners", address, len(winners))
	}
	if len(winners) == 1 {
		c.mu.Lock()
		c.holder[address] = winners[0]
		c.mu.Unlock()
	}
}

// check compares what was responded with what is stored, and the accounts' copies with the pool.
func (c *chaos) check() {
	c.Helper()
	pool, err := c.addressesIn("dedicated_ips")
	if err != nil {
		c.Fatal(err)
	}
	if len(pool) < chaosAddresses {
		c.Errorf("the pool has %d addresses", len(pool))
	}
	for address, holder := range c.holder {
		if pool[address].String("pvt_assigned_to") != holder {
			c.Errorf("%s was given to %.4s, stored is %v", address, holder, pool[address])
		}
	}
	open := 0
	for _, w := range c.workers {
		held := map[string]bool{}
		for address, doc := range pool {
			if doc.String("pvt_assigned_to") != w.account {
				continue
			}
			held[address] = true
			if _, known := w.holds[address]; !known && c.holder[address] == "" {
				open++ // a request whose outcome was open has got it
			}
		}
		deadline := time.Now().Add(2 * time.Minute)
		for {
			different := c.difference(w.account, held)
			if different == "" {
				break
			}
			if time.Now().After(deadline) {
				c.Errorf("account %.4s: %s", w.account, different)
				break
			}
			time.Sleep(time.Second)
		}
	}
	c.Logf("%d addresses are held as responses say, %d by requests whose outcome was open", len(c.holder), open)
}

// difference says how an account's copies differ from what it holds.
func (c *chaos) difference(accountID string, held map[string]bool) string {
	copies, err := c.copies(accountID)
	if err != nil {
		return err.Error()
	}
	same := func(document.Document, bool) bool { return true } // the ids count
	if maps.EqualFunc(copies, held, same) {
		return ""
	}
	return fmt.Sprintf("holds %d addresses and has copies of %d", len(held), len(copies))
}

const wantOne = `{"data":{"quantity":1}}`

// office is two processes that serve one CouchDB, and two accounts on it.
type office struct {
	*testing.T
	store   *store.Store
	servers [2]*served
	tokens  map[string]string // by account
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
