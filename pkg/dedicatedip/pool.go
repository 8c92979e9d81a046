// Package dedicatedip is the pool of dedicated IPs: proxy addresses that are created, assigned to accounts,
// released and deleted.
//
// It holds the rules of Kazoo's kz_ip, kz_ips and cb_ips. The documents of database dedicated_ips are the truth;
// while an address is assigned, a copy of its document stands in the account's own database, which is what Kazoo
// bills by. The write to dedicated_ips is the commit: revisions decide between writers, and the copy follows.
//
// The package knows neither HTTP nor CouchDB's wire, and it does not authorize: the caller may act for the
// account ids that it passes.
package dedicatedip

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/document"
	"junctor/pkg/history"
	"junctor/pkg/kazoo"
	"junctor/pkg/mirror"
	"junctor/pkg/pooldb"
	"junctor/pkg/projection"
	"junctor/pkg/reservation"
	"junctor/pkg/store"
)

// Database is the name of the pool's database.
const Database = pooldb.Database

// Store is what the pool needs of a store.
type Store interface {
	mirror.Store
	store.Writer
	store.Viewer
	store.Lister
	GetDeleted(
		ctx context.Context, db string, ids []string,
	) (gone map[string]document.Document, there map[string]bool, err error)
	Resolve(ctx context.Context, db string, doc document.Document, each func(loser document.Document)) error
}

// Pool is the pool of dedicated IPs of one cluster. It is safe for concurrent use, by any number of processes on
// one store.
type Pool struct {
	store     Store
	options   Options
	projector *projection.Projector // writes the accounts' copies

	memory   atomic.Pointer[memory] // while the pool follows the store; nil otherwise
	reserved reservation.Set        // by allocations
}

// Options configures a Pool. The zero value is usable; nil functions are not called.
type Options struct {
	// Zone is the zone of this node: its addresses come first where an account's addresses are listed.
	Zone string
	// ZoneName returns under which name a zone goes among addresses. Nil means its own.
	ZoneName func(ctx context.Context, zone string) string
	// Settings are those of operators; nil disables cooling and the limit of an account.
	Settings Settings
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Copies configures the projector of the accounts' copies. New sets Current and Log.
	Copies projection.Options
	// History gets the record of each change. Nil disables it: documents then drop changes that are in no history.
	History *history.Log
	Log     zerolog.Logger
}

// New returns the pool in store. Close ends it.
func New(s Store, o Options) *Pool {
	if o.ZoneName == nil {
		o.ZoneName = func(_ context.Context, zone string) string { return zone }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &Pool{store: s, options: o}
	o.Copies.Current, o.Copies.Log = p.isCurrent, o.Log
	p.projector = projection.New(s, o.Copies)
	return p
}

// Close interrupts writes of copies that are not done yet. The error is always nil.
func (p *Pool) Close() error {
	p.projector.Close()
	return nil
}

// Projector returns what writes the accounts' copies.
func (p *Pool) Projector() *projection.Projector { return p.projector }

// now returns the time in Gregorian seconds.
func (p *Pool) now() int64 { return kazoo.Gregorian(p.options.Now()) }
