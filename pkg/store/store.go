// Package store reads and writes Kazoo's documents: in a CouchDB, or in the embedded store where there is none.
//
// There is one code path over kivik, and Open chooses the driver by the DSN. Callers see documents, views and faults:
// the package turns revision conflicts, missing databases and the like into kinds of package fault. It does not know
// addresses, accounts or the API's HTTP statuses. Only it and the packages below it import kivik.
package store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-kivik/kivik/v4"
	"github.com/go-kivik/kivik/v4/couchdb"
	"github.com/go-kivik/kivik/v4/couchdb/chttp"
	"github.com/rs/zerolog"

	"junctor/pkg/kazoo"
	"junctor/pkg/store/couchhttp"
	"junctor/pkg/store/embedded"
	"junctor/pkg/tracing"
)

// Call describes one finished call of the store, for metrics.
type Call struct {
	Operation string        // "get", "put", "view", …
	Database  string        // "account" for every account database, otherwise the name
	Duration  time.Duration // wall time
	Err       error         // what the caller got
}

// Options adjusts Open. The zero value is usable.
type Options struct {
	// Log gets what a view function of the embedded store has to say, and what becomes of writes that not all nodes of a
	// CouchDB cluster have confirmed.
	Log zerolog.Logger
	// Convert is whether an embedded store of an older format is converted; otherwise it is an error.
	Convert bool
	// Observe is called after every call; nil disables it.
	Observe func(Call)
	// Conflict is called for every document whose write lost to another writer, with the database as in Call; nil
	// disables it. It is not for the Err of a Call: a bulk write has many documents, a write to a cluster may lose after
	// it was accepted, and one that was sent again may be refused because of itself.
	Conflict func(database string)
}

// Store is a connection to all databases of one CouchDB or one embedded store. It is safe for concurrent use.
type Store struct {
	client *kivik.Client
	couch  *chttp.Client    // for requests that kivik does not know; nil for an embedded store
	file   *embedded.Client // nil for a CouchDB

	connections *http.Transport // of client and couch; nil for an embedded store

	observe  func(Call)
	conflict func(database string)
	log      zerolog.Logger
	replicas sync.Map // database name > int: how many nodes keep each document

	unconfirmed unconfirmed
	ctx         context.Context // ends when the store is closed
	cancel      context.CancelFunc
	background  sync.WaitGroup
}

// IsCouchDB reports whether Open takes dsn for the address of a CouchDB.
func IsCouchDB(dsn string) bool {
	return strings.HasPrefix(dsn, "http://") || strings.HasPrefix(dsn, "https://")
}

// Open connects to the store that dsn names: "http(s)://user:password@host:port" is a CouchDB (which need not
// respond yet, see Ping), "memory:" an embedded store that is gone when closed, anything else the folder of an
// embedded store, created where it is missing. A folder that another process serves is an error.
func Open(dsn string, o Options) (*Store, error) {
	s := &Store{observe: o.Observe, conflict: o.Conflict, log: o.Log}
	if s.observe == nil {
		s.observe = func(Call) {}
	}
	if s.conflict == nil {
		s.conflict = func(string) {}
	}
	var err error
	switch {
	case IsCouchDB(dsn):
		s.client, s.couch, s.connections, err = dial(dsn)
	case o.Convert:
		s.file, err = embedded.Convert(dsn, o.Log)
	default:
		s.file, err = embedded.Open(dsn, o.Log)
	}
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", Redact(dsn), err)
	}
	if s.file != nil {
		s.client = s.file.Client
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// dial returns two clients of a CouchDB, and the connections of both.
func dial(dsn string) (*kivik.Client, *chttp.Client, *http.Transport, error) {
	server, err := url.Parse(dsn)
	if err != nil {
		return nil, nil, nil, errors.New("not a URL") // the parse error would repeat the password
	}
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.MaxIdleConnsPerHost = 128 // the default of 2 makes every burst open and close connections
	base.MaxIdleConns = 0
	base.WriteBufferSize = 32 << 10 // what fits in it is sent at once, see couchhttp
	base.ResponseHeaderTimeout = responseTimeout
	base.DisableCompression = true // a server or proxy that compresses holds the lines of a feed back
	guarded := couchhttp.New(tracing.Transport(base, "couchdb"))
	login := kivik.Params(nil)
	if user := server.User; user != nil {
		// With every request, as Kazoo does it: a session's cookie is good on the nodes of a cluster that share a
		// secret, and behind a balancer the next request may go to one that does not.
		password, _ := user.Password()
		login = couchdb.BasicAuth(user.Username(), password)
		server.User = nil
	}
	client, err := kivik.New("couch", server.String(), login, couchdb.OptionHTTPClient(&http.Client{Transport: guarded}),
		couchdb.OptionNoRequestCompression()) // documents are small and the database is near
	if err != nil {
		return nil, nil, nil, err
	}
	couch, err := chttp.New(&http.Client{Transport: guarded}, server.String(), login)
	return client, couch, base, err
}

// responseTimeout bounds how long a CouchDB may think before it responds. For a view that is built for the first time
// that is when the index is complete, hence minutes and not seconds.
const responseTimeout = 2 * time.Minute

// Redact returns dsn without its password, for logs and errors.
func Redact(dsn string) string {
	if !IsCouchDB(dsn) {
		return dsn
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return "(not a URL)"
	}
	return u.Redacted()
}

// Close releases the store. Calls under way fail.
func (s *Store) Close() error {
	s.unconfirmed.mu.Lock()
	s.cancel()
	s.unconfirmed.mu.Unlock()
	s.background.Wait()
	err := s.client.Close()
	if s.connections != nil { // kivik does not close them
		s.connections.CloseIdleConnections()
	}
	return err
}

// Ping returns an error unless the store takes requests, which a CouchDB in maintenance mode does not. One that has no
// /_up, as old ones and PouchDB, is up if it returns its version.
func (s *Store) Ping(ctx context.Context) error {
	return s.call("ping", "", func() error {
		up, err := s.client.Ping(ctx)
		if err == nil && !up {
			_, err = s.client.Version(ctx)
		}
		return err
	})
}

// CreateDatabase makes sure that a database exists.
func (s *Store) CreateDatabase(ctx context.Context, db string) error {
	return s.call("create_database", db, func() error {
		err := s.client.CreateDB(ctx, db)
		if kivik.HTTPStatus(err) == http.StatusPreconditionFailed {
			return nil
		}
		return err
	})
}

// DatabaseExists reports whether a database exists.
func (s *Store) DatabaseExists(ctx context.Context, db string) (exists bool, err error) {
	err = s.call("database_exists", db, func() (err error) {
		exists, err = s.client.DBExists(ctx, db)
		return err
	})
	return exists, err
}

// call runs one operation, turns its error into a fault and reports it.
func (s *Store) call(operation, db string, do func() error) error {
	start := time.Now()
	err := classify(operation, db, do())
	s.observe(Call{Operation: operation, Database: family(db), Duration: time.Since(start), Err: err})
	return err
}

// family returns the label of a database. All accounts' databases have one label, since there may be many thousands.
func family(db string) string {
	if strings.HasPrefix(db, kazoo.AccountPrefix) {
		return accountFamily
	}
	return db
}

const accountFamily = "account"
