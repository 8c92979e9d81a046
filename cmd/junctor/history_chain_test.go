package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// TestHistoryChain: clients change addresses at random while a server is killed and started. For every change that was
// answered there is one event, and the events of each address form a chain to its state.
func TestHistoryChain(t *testing.T) {
	t.Parallel()
	p := &place{dsn: filepath.Join(t.TempDir(), "store"), stateDir: t.TempDir()}
	newChain(t, p, 1, 30).run(8, 20, 2)
}

// TestHistoryChainSoak does so at length, also with two servers on a CouchDB.
func TestHistoryChainSoak(t *testing.T) {
	if os.Getenv("JUNCTOR_SOAK") == "" {
		t.Skip("make soak")
	}
	t.Run("embedded", func(t *testing.T) {
		p := &place{dsn: filepath.Join(t.TempDir(), "store"), stateDir: t.TempDir()}
		newChain(t, p, 1, 1000).run(64, 200, 10)
	})
	t.Run("CouchDB", func(t *testing.T) {
		p := &place{dsn: storetest.FreshCouch(t), stateDir: t.TempDir()}
		newChain(t, p, 2, 1000).run(64, 200, 10)
	})
}

// chain is servers on one store, of which the last is killed, and what clients know.
type chain struct {
	*testing.T
	place    *place
	mu       sync.RWMutex // of servers
	servers  []*served
	token    string // of the master
	accounts []string
	ips      []string
	answered sync.Map // request id > what it asked for
	done     atomic.Int64
}

func newChain(t *testing.T, p *place, servers, addresses int) *chain {
	t.Helper()
	c := &chain{T: t, place: p}
	master := bootstrapped(t, p.args("")...)
	for i := range 3 {
		c.accounts = append(c.accounts, newAccount(t, fmt.Sprint("C", i), p.args("")...).ID)
	}
	for range servers {
		c.servers = append(c.servers, c.start())
	}
	c.token = c.servers[0].login(master.APIKey)
	for i := range addresses {
		c.ips = append(c.ips, fmt.Sprintf("10.0.%d.%d", i/256, i%256))
	}
	body := fmt.Sprintf(`{"data":{"zone":"z","host":"h","ips":[{"range":"%s-%s"}]}}`, c.ips[0], c.ips[addresses-1])
	c.servers[0].must("PUT", "/v2/ips", c.token, body)
	return c
}

func (c *chain) start() *served {
	return startProcess(c.T, nil, c.place.args("--log-level error")...)
}

// run has clients make changes until each was answered so often, kills a server so many times meanwhile, and checks what
// is left.
func (c *chain) run(clients, changes, kills int) {
	c.Helper()
	var all sync.WaitGroup
	total := int64(clients * changes)
	for client := range clients {
		all.Go(func() {
			for n := 0; c.done.Load() < total && !c.Failed(); n++ {
				c.change(fmt.Sprintf("c%d-%d", client, n), rand.N(len(c.servers)))
			}
		})
	}
	for kill := range int64(kills) {
		testutil.Eventually(c.T, "changes between two kills", func() bool { return c.done.Load() >= total*(kill+1)/int64(kills+1) })
		c.mu.Lock()
		last := len(c.servers) - 1
		c.servers[last].end(syscall.SIGKILL)
		c.servers[last] = c.start()
		c.mu.Unlock()
	}
	all.Wait()
	var problem string
	defer func() {
		if c.Failed() {
			c.Log(problem)
		}
	}()
	testutil.Eventually(c.T, "a complete history", func() bool {
		problem = c.check()
		return problem == ""
	})
	c.Logf("%d changes were answered", c.done.Load())
}

// change makes one change of a random address.
func (c *chain) change(id string, server int) {
	ip, account := c.ips[rand.N(len(c.ips))], c.accounts[rand.N(len(c.accounts))]
	method, path, body := "POST", "accounts/"+account+"/ips/"+ip, ""
	switch rand.N(8) {
	case 0, 1:
		method = "DELETE"
	case 2, 3:
		method, path, body = "PATCH", "ips/"+ip, `{"data":{"assigned_to":"`+account+`","notes":"`+id+`"}}`
	case 4:
		method, path = "DELETE", "ips/"+ip
	case 5:
		method, path, body = "PUT", "ips", `{"data":{"ip":"`+ip+`","zone":"z","host":"h"}}`
	}
	c.mu.RLock()
	s := c.servers[server]
	c.mu.RUnlock()
	status, _, err := s.send(method, "/v2/"+path, c.token, body, "X-Request-ID", id)
	if err == nil && status/100 == 2 { // an error is due to a kill
		c.answered.Store(id, method+" "+path)
		c.done.Add(1)
	}
}

// chainEvent is an event of a history, as far as it counts here.
type chainEvent struct {
	ID, Action, From, To string
	Request              string `json:"request_id"`
}

// check returns what is wrong with the history, "" if nothing is.
func (c *chain) check() string {
	found := map[string]int{} // events by request id
	for _, ip := range c.ips {
		var events []chainEvent
		if problem := c.get("ips/"+ip+"/history?page_size=1000", &events); problem != "" {
			return problem
		}
		if len(events) == 0 {
			return ip + " has no event yet"
		}
		slices.Reverse(events)
		ids, holder := map[string]bool{}, ""
		for _, e := range events {
			if ids[e.ID] || e.From != holder {
				return fmt.Sprintf("%s: the chain breaks at %+v in %+v", ip, e, events)
			}
			ids[e.ID], holder = true, e.To
			found[e.Request]++
		}
		var address struct {
			AssignedTo string `json:"assigned_to"`
		}
		problem := c.get("ips/"+ip, &address)
		if deleted := events[len(events)-1].Action == "deleted"; deleted != (problem != "") || address.AssignedTo != holder {
			return fmt.Sprintf("%s: %+v, after %+v: %s", ip, address, events[len(events)-1], problem)
		}
	}
	problem := ""
	c.answered.Range(func(id, what any) bool {
		if found[id.(string)] != 1 {
			problem = fmt.Sprintf("the change %s, %s, has %d events", id, what, found[id.(string)])
		}
		return problem == ""
	})
	return problem
}

// get reads data from the first server.
func (c *chain) get(path string, data any) (problem string) {
	status, envelope := c.servers[0].request("GET", "/v2/"+path, c.token, "")
	text, err := json.Marshal(envelope["data"])
	if status != http.StatusOK || err != nil || json.Unmarshal(text, data) != nil {
		return fmt.Sprintf("%s: %d %v", path, status, envelope)
	}
	return ""
}
