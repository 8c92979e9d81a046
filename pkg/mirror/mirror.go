// Package mirror keeps an index of one database current by following the database's change feed.
//
// Invariant: a read of the index sees every write of this process that was passed to Wrote, and every write of others
// from before AsOf.
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
	Position(ctx context.Context, db string) (seq, epoch string, err error)
}

// Index is what a mirror maintains. A mirror calls its methods from one goroutine at a time. An index that others read
// meanwhile has to allow that.
type Index interface {
	// Apply stores a document as it is now. One that does not exist any more has "_deleted" true.
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
	// Reloaded is called after every load of the index but the first, before Current: Changed was not called for what
	// others have changed meanwhile. Nil disables it. It must not call the mirror.
	Reloaded func()
	// Current is called whenever the index is current, with a position in the feed of an epoch: Changed, Wrote or Saw was
	// called for every document that was written between the last load and that position. A load itself calls none of
	// them. Nil disables it. It must not call the mirror.
	Current func(since, epoch string)
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

	mu     sync.Mutex
	ahead  map[string]write        // writes of this process that the feed has not delivered yet, by id
	since  string                  // how far the feed has been read
	asOf   time.Time               // all writes before are in the index; zero before it is loaded
	loaded bool                    // the index was loaded before, though the database may have gone since
	seen   map[string]bool         // ids delivered since a load began; nil once it has ended
	epoch  string                  // of the database that since is a position in
	reload bool                    // the feed has to be read from the beginning
	stop   context.CancelCauseFunc // ends the current feed
}

// write is a revision that this process has written or read.
type write struct {
	rev string
	at  time.Time
}

// New returns a mirror of a database that maintains index. Load and Run fill the index.
func New(s Store, db string, index Index, o Options) *Mirror {
	if o.Changed == nil {
		o.Changed = func(document.Document) {}
	}
	if o.Reloaded == nil {
		o.Reloaded = func() {}
	}
	if o.Current == nil {
		o.Current = func(string, string) {}
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

// Run follows the database until ctx ends. A feed that breaks off is taken up where it was. Of the attempts to do so only
// the first and the one that succeeds are logged. Run has to end before the store is closed.
func (m *Mirror) Run(ctx context.Context) {
	pauses, broken := backoff.New(firstPause, lastPause), false
	for ctx.Err() == nil {
		err := m.follow(ctx, func() {
			pauses.Reset()
			if broken {
				m.options.Log.Info().Str("database", m.db).Msg("the change feed is followed again")
			}
			broken = false
		})
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, errReload) {
			continue
		}
		if fault.Is(err, fault.DatastoreMissing) {
			m.clear()
		}
		if !broken {
			m.options.Log.Warn().Err(err).Str("database", m.db).Msg("the change feed broke off; trying until it is followed again")
		}
		broken = true
		_ = backoff.Sleep(ctx, pauses.Next())
	}
}

// Load brings the index up to date once, for a process that does not Run or does so later. Run goes on from there.
func (m *Mirror) Load(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	loaded := false
	err := m.follow(ctx, func() {
		loaded = true
		cancel()
	})
	if loaded {
		return nil
	}
	return err
}

// Reload makes the index be loaded again, for who knows that the database is another one. The index serves reads
// meanwhile.
func (m *Mirror) Reload() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reload = true
	if m.stop != nil {
		m.stop(errReload)
	}
}

// errReload ends a feed that does not lead to the present state of the database.
var errReload = errors.New("documents were purged, or the database was created again")

// epochInterval is how often the epoch is compared.
const epochInterval = 20 * time.Second

// follow follows the feed until it fails or ctx ends. It calls current each time the index is current.
func (m *Mirror) follow(ctx context.Context, current func()) error {
	_, epoch, err := m.store.Position(ctx, m.db)
	if err != nil {
		return err
	}
	compared := time.Now()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	since := m.begin(epoch, stop)
	each := func(c store.Change) error { return m.deliver(ctx, c) }
	err = m.store.Changes(ctx, m.db, since, each, func(asOf time.Time) {
		if err := m.advance(ctx, asOf); err != nil {
			return // the index gets older until this succeeds
		}
		current()
		if time.Since(compared) < epochInterval {
			return
		}
		compared = time.Now()
		if _, now, err := m.store.Position(ctx, m.db); err == nil && now != epoch {
			stop(errReload)
		}
	})
	if errors.Is(context.Cause(ctx), errReload) {
		return errReload
	}
	return err
}

// begin returns where to take up the feed, which stop ends. A feed of another epoch than the index was loaded from is
// read from its beginning; the index serves reads meanwhile.
func (m *Mirror) begin(epoch string, stop context.CancelCauseFunc) (since string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.since == "" || m.epoch != epoch || m.reload {
		m.since, m.epoch, m.reload, m.seen = "", epoch, false, map[string]bool{}
	}
	m.stop = stop
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

// apply makes the index hold what others have written. What a load delivers is no change: after the database was
// replaced it would look as if everything had been deleted.
func (m *Mirror) apply(doc document.Document) {
	if m.seen == nil && !m.asOf.IsZero() {
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
	reloaded := m.seen != nil && m.loaded
	m.seen, m.asOf, m.loaded = nil, asOf, true
	if reloaded {
		m.options.Reloaded()
	}
	m.options.Current(m.since, m.epoch)
	return nil
}

// unseen returns the documents of the index that a load has not delivered.
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
	if m.isNews(doc) {
		m.ahead[doc.ID()] = write{doc.Rev(), time.Now()}
		m.index.Apply(doc)
	}
}

// Saw makes the index hold a document that was just read if that is newer than the one it has. The index keeps the
// document. Options.Changed is called as if the feed had delivered it. The feed may not do so any more: once this process
// has written over the document, it delivers that revision only.
func (m *Mirror) Saw(doc document.Document) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.index.Revision(doc.ID()) == "" { // a document that the index does not have may be gone by now
		return
	}
	if m.isNews(doc) {
		m.ahead[doc.ID()] = write{doc.Rev(), time.Now()}
		m.apply(doc)
	}
}

// isNews reports whether a document is newer than what the index holds and the feed has yet to deliver. It may not be:
// the feed was faster, or two writes of this process arrive in the opposite order.
func (m *Mirror) isNews(doc document.Document) bool {
	id, rev := doc.ID(), doc.Rev()
	indexed := m.index.Revision(id)
	return indexed != rev && !newer(m.ahead[id].rev, rev) && !newer(indexed, rev)
}

// AsOf returns a time: the index has all writes from before. It is zero until the index is loaded.
func (m *Mirror) AsOf() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asOf
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
