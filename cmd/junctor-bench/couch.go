package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-kivik/kivik/v4"
	"github.com/go-kivik/kivik/v4/couchdb"
	"golang.org/x/sync/errgroup"

	couchdbviews "junctor/couchdb-views"
	"junctor/pkg/document"
	"junctor/pkg/history"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// dial opens a CouchDB with as many connections as pkg/store has, and nothing else of what that adds to kivik.
func dial(dsn string) (*kivik.Client, error) {
	server, err := url.Parse(dsn)
	if err != nil {
		return nil, errors.New(couchVariable + " is not a URL") // the error would repeat the password
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 2 * writers
	transport.DisableCompression = true
	options := []kivik.Option{
		couchdb.OptionHTTPClient(&http.Client{Transport: transport}), couchdb.OptionNoRequestCompression(),
	}
	if server.User != nil {
		password, _ := server.User.Password()
		options = append(options, couchdb.BasicAuth(server.User.Username(), password))
		server.User = nil
	}
	return kivik.New("couch", server.String(), options...)
}

// activeTasks returns how many things a CouchDB does of its own, such as compactions.
func activeTasks(dsn string) (int, error) {
	resp, err := http.Get(strings.TrimSuffix(dsn, "/") + "/_active_tasks")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var tasks []json.RawMessage
	err = json.NewDecoder(resp.Body).Decode(&tasks)
	return len(tasks), err
}

// bareCouchDB makes the necessary writes of assignments and releases through kivik: the address, with its last changes,
// and the account's copy. The events of the history are written in bulk. The databases are its own, as large as
// junctor's, with the same views.
type bareCouchDB struct {
	client  *kivik.Client
	holders [writers]holder

	mu     sync.Mutex
	events []any     // not yet written
	since  time.Time // when events were last written
	bulks  errgroup.Group
}

// holder is an address that a client assigns to an account.
type holder struct {
	doc     document.Document // of the address, available
	account string            // its database
}

// The databases of the bare writes.
const (
	barePool    = "bench_pool"
	bareHistory = "bench_history"
	bareAccount = "bench_account_%d"
)

func newBareCouchDB(ctx context.Context, w *world) (*bareCouchDB, error) {
	client, err := dial(w.dsn)
	if err != nil {
		return nil, err
	}
	s, err := store.Open(w.dsn, store.Options{})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	b := &bareCouchDB{client: client}
	databases := map[string][]string{
		barePool: {"dedicated_ips.json", "junctor_dedicated_ips.json"}, bareHistory: {"ip_history.json"},
	}
	for n := range b.holders {
		b.holders[n].account = fmt.Sprintf(bareAccount, n%len(w.tenants))
		databases[b.holders[n].account] = []string{"junctor_account.json"}
	}
	for db, designs := range databases {
		for _, design := range designs {
			if err := store.InstallDatabase(ctx, s, db, couchdbviews.Files, design); err != nil {
				return nil, err
			}
		}
	}
	err = putAll(ctx, s, barePool, w.pool, func(n int) document.Document { return addressDocument(n, "") })
	for n := 0; err == nil && n < writers; n++ {
		b.holders[n].doc, err = s.Get(ctx, barePool, address(n))
	}
	if err == nil {
		err = settle(ctx, s, w.dsn, barePool)
	}
	return b, err
}

func (b *bareCouchDB) assignAndRelease(int) operation {
	return func(ctx context.Context, client int) error {
		h := &b.holders[client]
		own := b.client.DB(h.account)
		holder := fmt.Sprintf("%032x", client)
		if err := b.change(ctx, h, func(doc document.Document) {
			doc["pvt_status"], doc["pvt_assigned_to"] = "assigned", holder
		}); err != nil {
			return err
		}
		copied := h.doc.Clone()
		delete(copied, "_rev")
		delete(copied, history.Field)
		rev, err := own.Put(ctx, copied.ID(), copied)
		if err != nil {
			return err
		}
		if err := b.change(ctx, h, func(doc document.Document) {
			doc["pvt_status"] = "available"
			delete(doc, "pvt_assigned_to")
		}); err != nil {
			return err
		}
		_, err = own.Delete(ctx, copied.ID(), rev)
		return err
	}
}

// change edits and writes the document of an address, with the record of that.
func (b *bareCouchDB) change(ctx context.Context, h *holder, edit func(document.Document)) (err error) {
	before := h.doc
	h.doc = before.Clone()
	edit(h.doc)
	history.Record(h.doc, before, history.Actor{
		AccountID: fmt.Sprintf("%032x", 1), RequestID: rand.Text(), Client: "127.0.0.1", Source: history.API,
	}, kazoo.Gregorian(time.Now()))
	(*history.Log)(nil).Trim(ctx, h.doc)
	if h.doc["_rev"], err = b.client.DB(barePool).Put(ctx, h.doc.ID(), h.doc); err != nil {
		return err
	}
	newest, _ := h.doc[history.Field].([]any)[0].(map[string]any)
	event := document.Document(newest).Clone()
	event["_id"], event["ip"], event["pvt_type"] = history.Changes(h.doc)[0].ID, h.doc.ID(), "ip_event"
	b.write(ctx, event)
	return nil
}

// write writes events as junctor does: nobody waits for them, and those of 50 ms are written together.
func (b *bareCouchDB) write(ctx context.Context, event document.Document) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.events = append(b.events, event); time.Since(b.since) < 50*time.Millisecond {
		return
	}
	events := b.events
	b.events, b.since = nil, time.Now()
	b.bulks.Go(func() error {
		written, err := b.client.DB(bareHistory).BulkDocs(context.WithoutCancel(ctx), events)
		for _, w := range written {
			err = errors.Join(err, w.Error)
		}
		return err
	})
}

func (b *bareCouchDB) close() error { return errors.Join(b.bulks.Wait(), b.client.Close()) }
