package embedded

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"sync"
	"sync/atomic"

	"github.com/go-kivik/kivik/v4/driver"
	"github.com/rs/zerolog"
	bolt "go.etcd.io/bbolt"

	"junctor/pkg/boltfile"
)

// client is an open store. Its methods are called through kivik.
type client struct {
	bolt     *bolt.DB
	file     *storeFile
	path     string // of the file
	log      zerolog.Logger
	writer   *writer
	updater  *updater
	programs sync.Map // index name > *program

	refreshLocks sync.Map // database name > chan struct{}: see database.lock

	lost atomic.Pointer[error] // set once no transaction can begin any more, as the file is damaged
}

var (
	_ driver.Client       = (*client)(nil)
	_ driver.ClientCloser = (*client)(nil)
	_ driver.Pinger       = (*client)(nil)
)

func newClient(db *bolt.DB, f *storeFile, log zerolog.Logger) *client {
	c := &client{
		bolt:   db,
		file:   f,
		path:   db.Path(),
		log:    log,
		writer: startWriter(db, f),
	}
	c.updater = startUpdater(c)
	return c
}

// Close closes the file. kivik calls it when no call is under way and no result set is open, and makes no call after it.
func (c *client) Close() error {
	c.updater.stop()
	c.writer.stop()
	if lost := c.writer.lost.Load(); lost != nil {
		return *lost // bbolt would wait for a lock that is never released
	}
	return c.bolt.Close()
}

// Ping reports whether the store is open and would accept a write: its file is in its place, and the disk has room.
func (c *client) Ping(ctx context.Context) (bool, error) {
	err := c.view(ctx, func(*bolt.Tx) error { return nil })
	if err == nil {
		err = c.file.check()
	}
	if err == nil {
		err = c.file.room()
	}
	return err == nil, err
}

// DBExists reports whether a database exists.
func (c *client) DBExists(ctx context.Context, name string, _ driver.Options) (bool, error) {
	var exists bool
	err := c.view(ctx, func(tx *bolt.Tx) error {
		exists = tx.Bucket(databasesBucket).Bucket([]byte(name)) != nil
		return nil
	})
	return exists, err
}

// AllDBs returns the names of all databases, in their order.
func (c *client) AllDBs(ctx context.Context, options driver.Options) (names []string, err error) {
	if err := readOptions(options, &struct{}{}); err != nil {
		return nil, err
	}
	err = c.view(ctx, func(tx *bolt.Tx) error {
		return tx.Bucket(databasesBucket).ForEachBucket(func(name []byte) error {
			names = append(names, string(name))
			return nil
		})
	})
	return names, err
}

// CreateDB creates an empty database.
func (c *client) CreateDB(ctx context.Context, name string, options driver.Options) error {
	if err := readOptions(options, &struct{}{}); err != nil {
		return err
	}
	if err := checkDatabaseName(name); err != nil {
		return err
	}
	return c.writer.do(ctx, func(tx *bolt.Tx) error {
		if tx.Bucket(databasesBucket).Bucket([]byte(name)) != nil {
			return errExists
		}
		return createContents(tx, name)
	}, 0)
}

// DB returns a handle to a database, which need not exist yet.
func (c *client) DB(name string, _ driver.Options) (driver.DB, error) {
	if name == "" {
		return nil, badRequest("a database needs a name")
	}
	return &database{client: c, name: name}, nil
}

// view runs fn in a read transaction.
func (c *client) view(ctx context.Context, fn func(*bolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	tx, err := c.begin()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // a read transaction has nothing to lose
	return boltfile.Guard(c.path, func() error { return fn(tx) })
}

// begin begins a read transaction. A damaged file can make that impossible. bbolt then holds a lock that is never
// released, so no transaction is begun any more.
func (c *client) begin() (tx *bolt.Tx, err error) {
	if lost := c.lost.Load(); lost != nil {
		return nil, *lost
	}
	err = boltfile.Guard(c.path, func() (err error) {
		tx, err = c.bolt.Begin(false)
		return err
	})
	if errors.Is(err, boltfile.ErrDamaged) {
		c.lost.Store(&err)
		c.writer.lost.Store(&err)
	}
	return tx, err
}

var databaseName = regexp.MustCompile(`^[a-z][a-z0-9_$()+/-]*$`)

const maxDatabaseName = 238 // CouchDB's

// checkDatabaseName applies CouchDB's rule.
func checkDatabaseName(name string) error {
	if len(name) <= maxDatabaseName && databaseName.MatchString(name) {
		return nil
	}
	return &Error{http.StatusBadRequest, "Name: '" + name + "'. Only lowercase characters (a-z), digits (0-9), " +
		"and any of the characters _, $, (, ), +, -, and / are allowed. Must begin with a letter."}
}
