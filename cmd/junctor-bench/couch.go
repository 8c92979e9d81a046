package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-kivik/kivik/v4"
	"github.com/go-kivik/kivik/v4/couchdb"

	couchdbviews "junctor/couchdb-views"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/store"
)

// couchSetup says which CouchDB to work on, and what is in its pool.
type couchSetup struct {
	DSN      string   `json:"dsn"`
	Accounts []string `json:"accounts"` // that have addresses, as tenants do
	Size     int      `json:"size"`     // of the pool
}

// workOnCouchDB is a bare CouchDB, through the same client library that the product uses, set up in the same way: it
// reads what a server has to read, and makes the necessary writes in databases of its own with the same views.
func workOnCouchDB(ctx context.Context, c *coordinator) error {
	var setup couchSetup
	if err := c.in.Decode(&setup); err != nil {
		return err
	}
	client, err := dial(setup.DSN)
	if err != nil {
		return err
	}
	defer client.Close()
	holders, err := bareHolders(ctx, setup)
	if err != nil {
		return err
	}
	operations := bareReads(client.DB(dedicatedip.Database), setup.Accounts)
	operations["writes"] = func(ctx context.Context, n int) error {
		for _, do := range changes {
			if err := do(holders[n], ctx, bareCouch{client}); err != nil {
				return err
			}
		}
		return nil
	}
	return c.serve(ctx, "", operations)
}

// dial opens a CouchDB with as many connections as pkg/store has for it, and nothing else of what that adds to kivik.
func dial(dsn string) (*kivik.Client, error) {
	server, err := url.Parse(dsn)
	if err != nil {
		return nil, errors.New(couchVariable + " is not a URL") // the error would repeat the password
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 2 * writers
	transport.MaxIdleConns = 0
	transport.DisableCompression = true
	options := []kivik.Option{
		couchdb.OptionHTTPClient(&http.Client{Transport: transport}), couchdb.OptionNoRequestCompression(),
	}
	if user := server.User; user != nil {
		password, _ := user.Password()
		options = append(options, couchdb.BasicAuth(user.Username(), password))
		server.User = nil
	}
	return kivik.New("couch", server.String(), options...)
}

// The bounds of waiting for a CouchDB to have nothing to do of its own.
const (
	calmLooks = 5 // in a row, a second apart
	mostLooks = 120
)

// calm waits until a CouchDB compacts and indexes nothing any more, as it does for a while after it was filled.
func calm(ctx context.Context, dsn string) error {
	for quiet, look := 0, 0; quiet < calmLooks && look < mostLooks; look++ {
		busy, err := activeTasks(ctx, dsn)
		if err != nil {
			return err
		}
		if quiet++; busy > 0 {
			quiet = 0
		}
		time.Sleep(time.Second)
	}
	return nil
}

// activeTasks returns how many things a CouchDB does of its own.
func activeTasks(ctx context.Context, dsn string) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(dsn, "/")+"/_active_tasks", nil)
	if err != nil {
		return 0, errors.New(couchVariable + " is not a URL") // the error would repeat the password
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	var tasks []json.RawMessage
	err = json.NewDecoder(answer.Body).Decode(&tasks)
	return len(tasks), err
}

// bareReads are reads of a pool.
func bareReads(pool *kivik.DB, accounts []string) map[string]operation {
	query := func(design, view string, params func(client int) map[string]any) operation {
		return func(ctx context.Context, client int) error {
			return drain(pool.Query(ctx, design, view, kivik.Params(params(client))))
		}
	}
	return map[string]operation{
		"document": func(ctx context.Context, client int) error {
			var doc json.RawMessage
			n := client%len(accounts)*heldEach + client%heldEach
			return pool.Get(ctx, address(n)).ScanDoc(&doc)
		},
		"assigned": query(dedicatedip.Database, "assigned_to_listing", func(client int) map[string]any {
			return map[string]any{"key": accounts[client%len(accounts)]}
		}),
		"zones": query(dedicatedip.Database, "zone_listing", func(int) map[string]any {
			return map[string]any{"group": true}
		}),
		"available": query("junctor", "available", func(int) map[string]any {
			return map[string]any{"limit": pageSize + 1}
		}),
	}
}

// drain reads all rows of a result, of which there has to be one.
func drain(rows *kivik.ResultSet) error {
	defer func() { _ = rows.Close() }()
	found := false
	for rows.Next() {
		var value json.RawMessage
		if err := rows.ScanValue(&value); err != nil {
			return err
		}
		found = true
	}
	if err := rows.Err(); err != nil || found {
		return err
	}
	return errors.New("no rows")
}

// bareCouch is kivik as a writer.
type bareCouch struct{ *kivik.Client }

func (c bareCouch) Put(ctx context.Context, db string, doc document.Document) (rev string, err error) {
	err = again(func() error {
		rev, err = c.DB(db).Put(ctx, doc.ID(), doc)
		return err
	})
	return rev, err
}

func (c bareCouch) Delete(ctx context.Context, db, id, rev string) error {
	return again(func() error {
		_, err := c.DB(db).Delete(ctx, id, rev)
		return err
	})
}

// again repeats a write that was not answered, once: servers close connections that nobody used for a while, and it
// may be while the next request is on its way. One that has been made after all ends in a conflict.
func again(write func() error) error {
	err := write()
	var unanswered *url.Error
	if errors.As(err, &unanswered) {
		err = write()
	}
	return err
}

// The databases of the bare writes: a pool, and those of accounts.
const (
	barePool    = "junctor_bench_pool"
	bareAccount = "junctor_bench_account_%d"
)

// bareHolders makes databases as a server would, the pool as large as the server's and for as many accounts, and
// answers for each writer one who holds an address.
func bareHolders(ctx context.Context, setup couchSetup) ([]*holder, error) {
	s, err := store.Open(setup.DSN, store.Options{})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := makeDatabase(ctx, s, barePool, "dedicated_ips.json", "junctor_dedicated_ips.json"); err != nil {
		return nil, err
	}
	rest := func(n int) document.Document { return available(writers + n) }
	if err := putAll(ctx, s, barePool, setup.Size-writers, rest); err != nil {
		return nil, err
	}
	accounts := min(len(setup.Accounts), writers)
	for n := range accounts {
		if err := makeDatabase(ctx, s, fmt.Sprintf(bareAccount, n), "junctor_account.json"); err != nil {
			return nil, err
		}
	}
	holders := make([]*holder, writers)
	for n := range holders {
		rev, err := s.Put(ctx, barePool, available(n))
		if err != nil {
			return nil, err
		}
		own := n % accounts
		holders[n] = &holder{pool: barePool, own: fmt.Sprintf(bareAccount, own), number: n,
			account: fmt.Sprintf("%032x", own), rev: rev}
	}
	return holders, index(ctx, s, barePool)
}

func makeDatabase(ctx context.Context, s *store.Store, db string, designs ...string) error {
	if err := s.CreateDatabase(ctx, db); err != nil {
		return err
	}
	for _, file := range designs {
		if err := store.InstallFile(ctx, s, db, couchdbviews.Files, file); err != nil {
			return err
		}
	}
	return nil
}
