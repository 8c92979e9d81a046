package store_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

// cutter is a proxy before a CouchDB that closes connections, as HAProxy does with idle ones.
type cutter struct {
	*testing.T
	couch     string
	transport *http.Transport
	cut       atomic.Pointer[cut] // what becomes of the next request of a kind on a connection that was used before
	cuts      atomic.Int64        // so far
}

// cut says at what moment a connection is closed.
type cut struct {
	method    string // of the request
	executed  bool   // after it was executed, else before it is read
	reset     bool   // with a reset
	meanwhile func() // what others do before it is sent again
}

func newCutter(t *testing.T) (c *cutter, dsn string) {
	t.Helper()
	couch, err := url.Parse(storetest.CouchDSN(t))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c = &cutter{T: t, couch: couch.Host, transport: &http.Transport{DisableCompression: true}}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go c.serve(conn.(*net.TCPConn))
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		c.transport.CloseIdleConnections()
	})
	couch.Host = listener.Addr().String()
	return c, couch.String()
}

// serve passes the requests of a connection on, until one is to be cut.
func (c *cutter) serve(conn *net.TCPConn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for n := 0; ; n++ {
		head, err := in.Peek(len("POST "))
		if err != nil {
			return
		}
		next := c.cut.Load()
		if n == 0 || next == nil || !strings.HasPrefix(string(head), next.method) || !c.cut.CompareAndSwap(next, nil) {
			next = nil
		}
		if next != nil && !next.executed {
			c.end(conn, next)
			return
		}
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		r.URL.Scheme, r.URL.Host, r.RequestURI = "http", c.couch, ""
		response, err := c.transport.RoundTrip(r)
		if err != nil {
			c.Error(err)
			return
		}
		if next == nil {
			err = response.Write(conn)
		}
		_ = response.Body.Close()
		if next != nil {
			c.end(conn, next)
			return
		}
		if err != nil {
			return
		}
	}
}

func (c *cutter) end(conn *net.TCPConn, how *cut) {
	c.cuts.Add(1)
	if how.meanwhile != nil {
		how.meanwhile()
	}
	if how.reset {
		_ = conn.SetLinger(0)
	}
	_ = conn.Close()
}

// TestClosedConnections: no write is lost, made twice or refused because a connection was closed under it (P1).
func TestClosedConnections(t *testing.T) {
	t.Parallel()
	for _, executed := range []bool{false, true} {
		for _, reset := range []bool{false, true} {
			t.Run(fmt.Sprintf("executed %t, reset %t", executed, reset), func(t *testing.T) {
				t.Parallel()
				c, dsn := newCutter(t)
				p := &proxied{cutter: c, Store: open(t, dsn), db: storetest.NewDatabase(t, open(t, storetest.CouchDSN(t)))}
				p.how = cut{executed: executed, reset: reset}
				p.reads()
				p.writes()
				p.bulk()
				p.updates()
				if cuts := c.cuts.Load(); cuts < p.missed {
					t.Errorf("%d connections were cut, %d were not", cuts, p.missed)
				}
			})
		}
	}
}

// proxied is a store behind a cutter.
type proxied struct {
	*cutter
	*store.Store
	db     string
	how    cut
	missed int64 // how often no connection was cut
}

// cutting does something with a store during which one connection is cut. On a busy machine that may miss: net/http does
// not reuse a connection if it took 50 ms to write the request before.
func (p *proxied) cutting(method string, do func() error) error {
	p.Helper()
	_, err := p.Get(p.Context(), p.db, "nothing") // there is a connection to reuse now
	if !fault.Is(err, fault.BadIdentifier) {
		p.Fatal(err)
	}
	next := p.how
	next.method = method
	p.cut.Store(&next)
	err = do()
	if p.cut.CompareAndSwap(&next, nil) {
		p.missed++
	}
	return err
}

func (p *proxied) ok(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *proxied) stored(id string) document.Document {
	p.Helper()
	doc, err := p.Get(p.Context(), p.db, id)
	p.ok(err)
	return doc
}

func (p *proxied) reads() {
	p.Helper()
	_, err := p.Put(p.Context(), p.db, document.Document{"_id": "read", "n": 1})
	p.ok(err)
	p.ok(p.cutting("GET", func() error { _, err := p.Get(p.Context(), p.db, "read"); return err }))
	p.ok(p.cutting("POST", func() error {
		found, err := p.GetMany(p.Context(), p.db, []string{"read", "none"})
		if len(found) != 1 {
			p.Errorf("found %v", found)
		}
		return err
	}))
}

// writes makes, changes, removes and makes again a document, with one revision for each.
func (p *proxied) writes() {
	p.Helper()
	doc := document.Document{"_id": "a", "price": 1.5, "list": []any{1, "x", nil}}
	for generation := 1; generation <= 4; generation++ {
		doc["n"] = document.Number(int64(generation))
		p.ok(p.cutting("PUT", func() error {
			rev, err := p.Put(p.Context(), p.db, doc)
			doc["_rev"] = rev
			return err
		}))
		if got := p.stored("a"); got.Rev() != doc.Rev() {
			p.Fatalf("write %d: told of %s, stored is %v", generation, doc.Rev(), got)
		}
		p.written("a", generation)
	}
	p.ok(p.cutting("PUT", func() error { return p.Store.Delete(p.Context(), p.db, "a", doc.Rev()) }))
	if _, err := p.Get(p.Context(), p.db, "a"); !fault.Is(err, fault.BadIdentifier) {
		p.Errorf("after its deletion: %v", err)
	}
	again := document.Document{"_id": "a", "again": true}
	p.ok(p.cutting("PUT", func() error { _, err := p.Put(p.Context(), p.db, again); return err }))
	if got := p.stored("a"); got["again"] != true {
		p.Errorf("made again: %v", got)
	}
}

func (p *proxied) bulk() {
	p.Helper()
	first, err := p.Put(p.Context(), p.db, document.Document{"_id": "b1"})
	p.ok(err)
	last, err := p.Put(p.Context(), p.db, document.Document{"_id": "b2"})
	p.ok(err)
	_, err = p.Put(p.Context(), p.db, document.Document{"_id": "b4"})
	p.ok(err)
	stale := p.stored("b4")
	_, err = p.Put(p.Context(), p.db, document.Document{"_id": "b4", "_rev": stale.Rev(), "n": 1})
	p.ok(err)
	stale["n"] = 2
	docs := []document.Document{
		{"_id": "b1", "_rev": first, "n": 2}, {"_id": "b2", "_rev": last, "_deleted": true}, {"_id": "b3", "n": 1},
		stale, // refused in any case
	}
	p.ok(p.cutting("POST", func() error {
		written, err := p.PutMany(p.Context(), p.db, docs)
		for i, w := range written {
			if i < 3 && w.Err != nil || i == 3 && !fault.Is(w.Err, fault.Conflict) {
				p.Errorf("document %d: %v", i, w.Err)
			}
		}
		if err == nil && written[0].Rev != p.stored("b1").Rev() {
			p.Errorf("told of %s, stored is %v", written[0].Rev, p.stored("b1"))
		}
		return err
	}))
	p.written("b3", 1)
}

// written checks how often a document was written. A CouchDB cluster has more revisions of a write that was sent again:
// it is sealed.
func (p *proxied) written(id string, times int) {
	p.Helper()
	doc := p.stored(id)
	if n := kazoo.Generation(doc.Rev()); n < times || n > times && !p.onCluster() {
		p.Errorf("written %d times, not %d: %v", n, times, doc)
	}
}

func (p *proxied) onCluster() bool {
	p.Helper()
	nodes, err := p.Nodes(p.Context(), p.db)
	p.ok(err)
	return nodes > 1
}

// updates count to twenty and no further.
func (p *proxied) updates() {
	p.Helper()
	for range 20 {
		p.ok(p.cutting("PUT", func() error {
			_, err := p.Update(p.Context(), p.db, "counter", func(doc document.Document) error {
				n, _ := doc.Int("n")
				doc["n"] = document.Number(n + 1)
				return nil
			})
			return err
		}))
	}
	if got := p.stored("counter"); got.String("n") != "" || fmt.Sprint(got["n"]) != "20" {
		p.Errorf("counted to %v", got)
	}
}

// TestOvertakenOnClosedConnection: where another writer was between the two times that a write is sent, the one that
// was first is told so, or on a CouchDB cluster that its outcome is open, and the other of the conflict.
func TestOvertakenOnClosedConnection(t *testing.T) {
	t.Parallel()
	c, dsn := newCutter(t)
	direct := open(t, storetest.CouchDSN(t))
	p := &proxied{cutter: c, Store: open(t, dsn), db: storetest.NewDatabase(t, direct)}
	for _, base := range []bool{false, true} {
		for _, executed := range []bool{false, true} {
			for n := 0; !p.overtaken(direct, fmt.Sprintf("%t-%t-%d", base, executed, n), base, executed); n++ {
			}
		}
	}
}

// overtaken writes a document, over a base or as a new one, whose connection is cut while another store writes it. It
// reports whether the connection was cut.
func (p *proxied) overtaken(other *store.Store, id string, base, executed bool) bool {
	p.Helper()
	doc := document.Document{"_id": id}
	if base {
		rev, err := p.Put(p.Context(), p.db, doc)
		p.ok(err)
		doc["_rev"] = rev
	}
	doc["mine"] = true
	p.how = cut{executed: executed, meanwhile: func() {
		if _, err := other.Update(p.Context(), p.db, id, func(doc document.Document) error {
			doc["other"] = true
			return nil
		}); err != nil {
			p.Error(err)
		}
	}}
	missed := p.missed
	err := p.cutting("PUT", func() error { _, err := p.Put(p.Context(), p.db, doc); return err })
	if p.missed > missed {
		return false
	}
	isOpen := executed && p.onCluster() && fault.Is(err, fault.DatastorePartial)
	if !isOpen && (executed != (err == nil) || err != nil && !fault.Is(err, fault.Conflict)) {
		p.Errorf("%s: %v", id, err)
	}
	if got := p.stored(id); got["other"] != true || (got["mine"] == true) != executed {
		p.Errorf("%s: stored is %v", id, got)
	}
	return true
}
