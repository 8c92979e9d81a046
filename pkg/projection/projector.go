// Package projection writes the accounts' copies of dedicated IPs, which Kazoo bills by.
//
// The pool's database is the source of truth. A copy is the pool's document, in the database of the account that holds
// the address. Invariant: every copy has at most one writer in this process at a time, and is written until it equals
// the pool. Copies of one account are written at once if they are of different addresses. Other processes may write the
// same copies: revisions decide, and whoever loses compares again.
//
// The package knows documents of the pool and the databases of accounts. The rules by which an address changes hands
// are the pool's.
package projection

import (
	"context"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/rs/zerolog"

	"junctor/pkg/document"
	"junctor/pkg/store"
)

// Store is what a projector needs of a store.
type Store interface {
	store.Writer
	GetMany(ctx context.Context, db string, ids []string) (map[string]document.Document, error)
	Resolve(ctx context.Context, db string, doc document.Document, each func(loser document.Document)) error
}

// Options configures a Projector. The zero value is usable. The functions must not block.
type Options struct {
	// Patience bounds how long Project waits. Zero means DefaultPatience.
	Patience time.Duration
	// Settle is how long a change that the feed delivers is left alone, for whoever made it to write the copy as well.
	// Zero means DefaultSettle.
	Settle time.Duration
	// Current reports whether a document that was written to the pool, or with "_deleted" removed, is what the pool has, as
	// far as this process knows. Nil means that it does not know: the pool is read then.
	Current func(doc document.Document) bool
	// Written is called after writes to an account's copies, also where they may have failed. ctx belongs to the trace of
	// the request that was the reason.
	Written func(ctx context.Context, accountID string)
	// Repaired is called for each copy that did not equal the pool and was written for no request: CopyCreated,
	// CopyUpdated or CopyRemoved.
	Repaired func(kind string)
	// Abandoned is called for each address whose holder has no database, whenever one is found.
	Abandoned func()
	Log       zerolog.Logger
}

// The defaults of Options.
const (
	DefaultPatience = 2 * time.Second
	DefaultSettle   = 6 * time.Second // longer than the writes of a request to a CouchDB cluster may take
)

// Projector writes copies. It is safe for concurrent use.
type Projector struct {
	store   Store
	options Options
	copies  *lru.Cache[copyName, written]

	ctx     context.Context // of the writers
	stop    context.CancelFunc
	writers sync.WaitGroup

	passRequested chan struct{} // holds one request for a full pass
	repairing     chan struct{} // slots of writes that no request waits for

	mu       sync.Mutex
	accounts map[string]*queue   // those with copies to write
	observed map[copyName]string // revisions of the pool that were observed since the last tick
	due      map[copyName]string // those of the tick before
}

// copyName names an account's copy of an address.
type copyName struct{ accountID, id string }

// written is what this process wrote last as a copy.
type written struct {
	pool string // the revision of the pool it was written for
	copy string // its own revision, "" if it was removed
}

// mostRepairs bounds how many accounts' copies are compared or repaired at once for no request.
const mostRepairs = 32

// mostWritten bounds the revisions that are remembered, to spare reads.
const mostWritten = 16384

// New returns a projector. Close ends it.
func New(s Store, o Options) *Projector {
	if o.Patience == 0 {
		o.Patience = DefaultPatience
	}
	if o.Settle == 0 {
		o.Settle = DefaultSettle
	}
	if o.Current == nil {
		o.Current = func(document.Document) bool { return false }
	}
	if o.Written == nil {
		o.Written = func(context.Context, string) {}
	}
	if o.Repaired == nil {
		o.Repaired = func(string) {}
	}
	if o.Abandoned == nil {
		o.Abandoned = func() {}
	}
	copies, _ := lru.New[copyName, written](mostWritten) // fails for sizes below 1 only
	p := &Projector{store: s, options: o, copies: copies, accounts: map[string]*queue{},
		observed: map[copyName]string{}, due: map[copyName]string{}}
	p.passRequested, p.repairing = make(chan struct{}, 1), make(chan struct{}, mostRepairs)
	p.ctx, p.stop = context.WithCancel(context.Background())
	return p
}
