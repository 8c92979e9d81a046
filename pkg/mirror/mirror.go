// Package mirror keeps an index of one database current by following the database's change feed.
//
// Invariant: a read of the index sees every write of this process that was passed to Wrote, and every write of others
// that is older than Age.
//
// The package knows documents, revisions and feeds. What an index holds of a document is known by its owner.
package mirror

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/backoff"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// Store is what a mirror needs of a store.
type Store interface {
	Changes(
		ctx context.Context, db, since string, each func(store.Change) error, current func(asOf time.Time),
	) error
	GetMany(ctx context.Context, db string, ids []string) (map[string]document.Document, error)
	PurgeSequence(ctx context.Context, db string) (string, error)
}

// Index is what a mirror maintains. A mirror calls its methods from one goroutine at a time; whoever reads an index
// meanwhile is the index's business.
type Index interface {
	// Apply takes in a document as it is stored now. One that does not exist any more has "_deleted" true.
	Apply(doc document.Document)
	// Revision returns the revision of a document in the index, "" if the index has none.
	Revision(id string) string
	// IDs returns the ids of all documents in the index.
	IDs() []string
}

// Options configures a Mirror.
type Options struct {
	// Changed is called with each document that others have changed since the index was loaded, before the index has
	// it. Nil disables it. It must not call the mirror.
	Changed func(doc document.Document)
	// Conflict is called with each change that may have losing revisions. Nil disables it.
	Conflict func(ctx context.Context, c store.Change) error
	// Log receives outages of the feed.
	Log zerolog.Logger
}

// Mirror follows one database.
type Mirror struct {
	store   Store
	db      string
	index   Index
	options Options

	mu    sync.Mutex
	ahead map[string]write // writes of this process that the feed has not delivered yet, by id
	since string           // how far the feed has been read
	asOf  time.Time        // all writes before are in the index; zero before it is loaded
	seen  map[string]bool  // ids delivered since a reload began; nil while there is none
	purge string           // the purge sequence at the last load
}

// write is a revision that this process has written or read.
type write struct {
	rev string
	at  time.Time
}

// New returns a mirror of a database that maintains index. Run makes it follow the database.
func New(s Store, db string, index Index, o Options) *Mirror {
	if o.Changed == nil {
		o.Changed = func(document.Document) {}
	}
	if o.Conflict == nil {
		o.Conflict = func(context.Context, store.Change) error { return nil }
	}
	return &Mirror{store: s, db: db, index: index, options: o, ahead: map[string]write{}}
}

// The pauses between two attempts to follow a feed that breaks off.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 10 * time.Second
)

// Run follows the database until ctx ends. A feed that breaks off is taken up where it was. It has to end before the
// store is closed.
func (m *Mirror) Run(ctx context.Context) {
	pauses := backoff.New(firstPause, lastPause)
	for ctx.Err() == nil {
		err := m.Follow(ctx, func() { pauses.Reset() })
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, errPurged) {
			m.reload()
			continue
		}
		if fault.Is(err, fault.DatastoreMissing) {
			m.clear()
		}
		pause := pauses.Next()
		m.options.Log.Warn().Err(err).Str("database", m.db).Dur("pause", pause).
			Msg("the change feed broke off; following it again after the pause")
		_ = backoff.Sleep(ctx, pause)
	}
}

// errPurged ends a feed after documents were purged: a purge is not in the feed.
var errPurged = errors.New("documents were purged")

// purgeInterval is how often the purge sequence is compared.
const purgeInterval = 20 * time.Second

// Follow follows the feed until it fails or ctx ends. It calls current each time the index is current.
func (m *Mirror) Follow(ctx context.Context, current func()) error {
	if err := m.notePurges(ctx); err != nil {
		return err
	}
	compared := time.Now()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	each := func(c store.Change) error { return m.deliver(ctx, c) }
	err := m.store.Changes(ctx, m.db, m.position(), each, func(asOf time.Time) {
		if err := m.advance(ctx, asOf); err != nil {
			return // the index gets older until this succeeds
		}
		current()
		if time.Since(compared) < purgeInterval {
			return
		}
		compared = time.Now()
		if seq, err := m.store.PurgeSequence(ctx, m.db); err == nil && seq != m.purge {
			cancel(errPurged)
		}
	})
	if errors.Is(context.Cause(ctx), errPurged) {
		return errPurged
	}
	return err
}

// notePurges notes the purge sequence that a load of the index begins with.
func (m *Mirror) notePurges(ctx context.Context) error {
	if m.position() != "" {
		return nil
	}
	seq, err := m.store.PurgeSequence(ctx, m.db)
	m.purge = seq
	return err
}

func (m *Mirror) position() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.since
}

// deliver takes in one change of the feed.
func (m *Mirror) deliver(ctx context.Context, c store.Change) error {
	if c.MayConflict() {
		if err := m.options.Conflict(ctx, c); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.since = c.Seq
	if m.seen != nil {
		m.seen[c.ID] = true
	}
	if w, ok := m.ahead[c.ID]; ok {
		if newer(w.rev, c.Rev) {
			return nil // the feed has yet to deliver our write; if that was superseded, advance reads the document
		}
		delete(m.ahead, c.ID)
	}
	if m.index.Revision(c.ID) == c.Rev {
		return nil
	}
	doc, err := c.Doc()
	if err != nil {
		return err
	}
	delete(doc, "_conflicts")
	m.apply(doc)
	return nil
}

// apply makes the index hold what others have written.
func (m *Mirror) apply(doc document.Document) {
	if !m.asOf.IsZero() {
		m.options.Changed(doc)
	}
	m.index.Apply(doc)
}

// newer reports whether revision a was made from more writes than b. The feed decides between equal ones.
func newer(a, b string) bool { return kazoo.Generation(a) > kazoo.Generation(b) }

// advance marks the index current as of asOf. Own writes from before asOf that the feed has not delivered in their
// revision have been superseded; advance reads those documents again.
func (m *Mirror) advance(ctx context.Context, asOf time.Time) error {
	m.mu.Lock()
	stale := map[string]write{}
	for id, w := range m.ahead {
		if w.at.Before(asOf) {
			stale[id] = w
		}
	}
	m.mu.Unlock()
	docs := map[string]document.Document{}
	if len(stale) > 0 {
		var err error
		if docs, err = m.store.GetMany(ctx, m.db, slices.Collect(maps.Keys(stale))); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, w := range stale {
		if m.ahead[id] != w {
			continue // written again meanwhile
		}
		delete(m.ahead, id)
		m.replace(id, docs[id])
	}
	for _, id := range m.unseen() {
		m.replace(id, nil)
	}
	m.seen, m.asOf = nil, asOf
	return nil
}

// unseen returns the documents of the index that a reload has not delivered.
func (m *Mirror) unseen() (ids []string) {
	if m.seen == nil {
		return nil
	}
	return slices.DeleteFunc(m.index.IDs(), func(id string) bool { return m.seen[id] || m.ahead[id] != write{} })
}

// replace makes the index hold a document as it was read, nil if it does not exist.
func (m *Mirror) replace(id string, doc document.Document) {
	if doc == nil {
		doc = document.Document{"_id": id, "_deleted": true}
	}
	if m.index.Revision(id) != doc.Rev() {
		m.apply(doc)
	}
}

// Wrote makes the index hold a document that this process has just written, or with "_deleted" removed. The index
// keeps the document: it must not be modified any more.
func (m *Mirror) Wrote(doc document.Document) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id, rev := doc.ID(), doc.Rev()
	if m.index.Revision(id) == rev { // the feed was faster
		return
	}
	if newer(m.ahead[id].rev, rev) || newer(m.index.Revision(id), rev) {
		return // two writes of this process arrived here in the opposite order
	}
	m.ahead[id] = write{rev, time.Now()}
	m.index.Apply(doc)
}

// Saw makes the index hold a document that was just read if that is newer than the one it has. The index keeps the
// document.
func (m *Mirror) Saw(doc document.Document) {
	if m.index.Revision(doc.ID()) != "" { // a document that the index does not have may be gone by now
		m.Wrote(doc)
	}
}

// Age returns how far the index may be behind the database. ok is false before the index is loaded.
func (m *Mirror) Age() (age time.Duration, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.asOf.IsZero() {
		return 0, false
	}
	return time.Since(m.asOf), true
}

// Pending returns how many writes of this process the feed has not delivered yet.
func (m *Mirror) Pending() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.ahead)
}

// reload makes the mirror read the whole database again. The index serves reads meanwhile.
func (m *Mirror) reload() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.since, m.seen = "", map[string]bool{}
}

// clear empties the index, whose database is gone.
func (m *Mirror) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range m.index.IDs() {
		m.index.Apply(document.Document{"_id": id, "_deleted": true})
	}
	clear(m.ahead)
	m.since, m.asOf, m.seen = "", time.Time{}, nil
}
