package store_test

import (
	"crypto/md5"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
)

// partitioned is a CouchDB cluster of three nodes that lose and find each other while document "a" is written. A node
// accepts a write over a revision that it has and that nothing was written over, and takes in what is replicated.
type partitioned struct {
	mu      sync.Mutex
	random  *rand.Rand
	nodes   [3]tree
	group   [3]int      // nodes of equal numbers are connected
	waiting map[int]int // how many more requests each writer makes before the connections change
	alone   chan write  // the first write that a node accepts which is cut off from both others
	sent    bool        // on alone
	log     []string
}

// write is a revision that a node has accepted.
type write struct {
	node int
	rev  string
}

// tree is the revisions of a document on one node.
type tree map[string]revision

type revision struct {
	parent string
	doc    document.Document
}

func (t tree) hasChild(rev string) bool {
	for _, r := range t {
		if r.parent == rev {
			return true
		}
	}
	return false
}

// branch returns a revision and those before it.
func (t tree) branch(rev string) (revs []string) {
	for ; rev != ""; rev = t[rev].parent {
		revs = append(revs, rev)
	}
	return revs
}

func (t tree) leaves() (revs []string) {
	for rev := range t {
		if !t.hasChild(rev) {
			revs = append(revs, rev)
		}
	}
	return revs
}

// winner returns the leaf that CouchDB prefers.
func (t tree) winner() string {
	return slices.MaxFunc(t.leaves(), func(a, b string) int {
		rank := func(rev string) string {
			return fmt.Sprintf("%t %09d %s", !t[rev].doc.Bool("_deleted"), kazoo.Generation(rev), rev)
		}
		return strings.Compare(rank(a), rank(b))
	})
}

func newPartitioned(seed uint64) *partitioned {
	p := &partitioned{random: rand.New(rand.NewPCG(seed, 1)), waiting: map[int]int{}, alone: make(chan write, 1)}
	for i := range p.nodes {
		p.nodes[i] = tree{"1-base": {doc: document.Document{"_id": "a", "_rev": "1-base"}}}
		p.waiting[i] = 0
	}
	p.change()
	return p
}

// change connects nodes in another way. The next change comes when each writer has sent some requests: a node that
// accepts both seals of a writer is connected in between.
func (p *partitioned) change() {
	p.group = [...][3]int{{0, 0, 0}, {0, 1, 1}, {1, 0, 1}, {1, 1, 0}, {0, 1, 2}, {0, 0, 0}}[p.random.IntN(6)]
	for writer := range p.waiting {
		p.waiting[writer] = 4
	}
	p.log = append(p.log, fmt.Sprint("connected ", p.group))
}

func (p *partitioned) reachable(from int) (nodes []int) {
	for i, group := range p.group {
		if group == p.group[from] {
			nodes = append(nodes, i)
		}
	}
	return nodes
}

// write writes a document on the nodes that one of them reaches. It returns the status that this one responds with.
func (p *partitioned) write(from, needed int, doc document.Document) (status int, rev string) {
	parent := doc.Rev()
	text, _ := document.Encode(doc)
	rev = fmt.Sprintf("%d-%x", kazoo.Generation(parent)+1, md5.Sum(text))
	doc = maps.Clone(doc)
	doc["_rev"] = rev
	accepted := 0
	for _, i := range p.reachable(from) {
		if _, known := p.nodes[i][parent]; known && !p.nodes[i].hasChild(parent) {
			p.nodes[i][rev] = revision{parent, doc}
			accepted++
		}
	}
	p.log = append(p.log, fmt.Sprintf("writer %d: %.6s over %.6s accepted by %d", from, rev, parent, accepted))
	if len(p.reachable(from)) == 1 && accepted == 1 && !p.sent {
		p.sent, p.waiting[late] = true, 4 // nothing changes before it has made that many requests
		p.alone <- write{from, rev}
	}
	switch {
	case accepted == 0:
		return http.StatusConflict, ""
	case accepted < needed:
		return http.StatusAccepted, rev
	}
	return http.StatusCreated, rev
}

// replicate takes in a revision with those before it.
func (p *partitioned) replicate(from int, doc document.Document) {
	var revs []string
	branch, _ := doc["_revisions"].(map[string]any)
	for i, hash := range document.Document(branch).Strings("ids") {
		revs = append(revs, fmt.Sprintf("%d-%s", kazoo.Generation(doc.Rev())-i, hash))
	}
	for _, i := range p.reachable(from) {
		p.nodes[i].take(p.nodes[from])
		if _, known := p.nodes[i][revs[0]]; !known {
			p.nodes[i][revs[0]] = revision{revs[1], doc}
		}
	}
}

func (t tree) take(other tree) { maps.Copy(t, other) }

// known is what the nodes know that one of them reaches.
func (p *partitioned) known(from int) tree {
	all := tree{}
	for _, i := range p.reachable(from) {
		all.take(p.nodes[i])
	}
	return all
}

// serve responds as a node to a writer.
func (p *partitioned) serve(writer, from int, w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting[writer]--
	if p.random.IntN(2) == 0 { // internal replication
		p.nodes[from].take(p.nodes[p.reachable(from)[0]])
	}
	if slices.Max(slices.Collect(maps.Values(p.waiting))) <= 0 {
		p.change()
	}
	text, _ := io.ReadAll(r.Body)
	body, _ := document.Decode(text)
	w.Header().Set("Content-Type", "application/json")
	respond := func(status int, response any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(response)
	}
	type object = map[string]any
	switch {
	case r.URL.Path == "/_membership":
		var connected []string
		for _, i := range p.reachable(from) {
			connected = append(connected, strconv.Itoa(i))
		}
		respond(http.StatusOK, object{"all_nodes": connected, "cluster_nodes": []string{"0", "1", "2"}})
	case r.URL.Path == "/db/_bulk_get":
		var found []any
		known := p.known(from)
		for _, rev := range known.leaves() {
			doc, branch := maps.Clone(known[rev].doc), known.branch(rev)
			for i := range branch {
				_, branch[i], _ = strings.Cut(branch[i], "-")
			}
			doc["_revisions"] = object{"start": kazoo.Generation(rev), "ids": branch}
			found = append(found, object{"ok": doc})
		}
		p.log = append(p.log, fmt.Sprintf("writer %d reads %.6s on %v", from, known.leaves(), p.reachable(from)))
		respond(http.StatusOK, object{"results": []any{object{"id": "a", "docs": found}}})
	case r.URL.Path == "/db/_bulk_docs":
		list, _ := body["docs"].([]any)
		doc, _ := list[0].(map[string]any)
		if body["new_edits"] != nil {
			p.replicate(from, doc)
			respond(http.StatusCreated, []any{})
			return
		}
		needed, _ := body.Int("w")
		status, rev := p.write(from, int(needed), doc)
		if status == http.StatusConflict {
			respond(http.StatusCreated, []any{object{"id": "a", "error": "conflict", "reason": "conflict"}})
			return
		}
		respond(status, []any{object{"ok": true, "id": "a", "rev": rev}})
	case r.Method == http.MethodPut, r.Method == http.MethodDelete:
		needed, _ := strconv.Atoi(r.URL.Query().Get("w"))
		if r.Method == http.MethodDelete {
			body = document.Document{"_id": "a", "_rev": r.URL.Query().Get("rev"), "_deleted": true}
		}
		status, rev := p.write(from, needed, body)
		respond(status, object{"ok": true, "id": "a", "rev": rev})
	default:
		_, _ = io.WriteString(w, `{"db_name":"db","update_seq":"0-x",`+three+`}`)
	}
}

// late is the number of a writer that goes on from what a node has accepted which is cut off. Others have the number of
// their node.
const late = 3

// put writes over a revision. It returns the new one.
func (p *partitioned) put(t *testing.T, writer, node int, base string) (rev string, err error) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.serve(writer, node, w, r)
	}))
	defer server.Close()
	s := open(t, server.URL)
	rev, err = s.Put(t.Context(), "db", document.Document{"_id": "a", "_rev": base})
	p.mu.Lock()
	delete(p.waiting, writer)
	p.mu.Unlock()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	return rev, err
}

// TestWritersOfAPartitionedCluster: of writers over one revision at most one is successful, however the nodes lose and
// find each other, and what it has written wins once they are connected, also over two writes on a smaller side that go
// on from each other. Something is always left.
func TestWritersOfAPartitionedCluster(t *testing.T) {
	t.Parallel()
	outcomes := map[string]int{}
	for seed := range uint64(100) {
		p := newPartitioned(seed)
		var all, later sync.WaitGroup
		revs, errs := make([]string, late+1), make([]error, late+1)
		for i := range p.nodes {
			all.Go(func() { revs[i], errs[i] = p.put(t, i, i, "1-base") })
		}
		later.Go(func() {
			if w, ok := <-p.alone; ok {
				revs[late], errs[late] = p.put(t, late, w.node, w.rev)
				outcomes["went on"]++
			} else {
				errs[late] = fault.New(fault.Conflict, "")
			}
		})
		all.Wait()
		close(p.alone)
		later.Wait()
		p.group = [3]int{}
		final := p.known(0)
		winner := final.winner()
		successes := 0
		for i, err := range errs {
			switch {
			case err == nil:
				successes++
				if !slices.Contains(final.branch(winner), revs[i]) {
					t.Errorf("seed %d: %s was stored, the winner is %s", seed, revs[i], winner)
				}
			case !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.DatastorePartial):
				t.Errorf("seed %d: %v", seed, err)
			}
			outcomes[fmt.Sprintf("writer %d: %t", i, err == nil)]++
		}
		if successes > 1 || final[winner].doc.Bool("_deleted") {
			t.Errorf("seed %d: %d writers were successful, the winner is %v", seed, successes, final[winner].doc)
		}
		if t.Failed() {
			t.Fatal(strings.Join(p.log, "\n"))
		}
	}
	t.Log(outcomes)
}
