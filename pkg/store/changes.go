package store

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/go-kivik/kivik/v4"

	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// Change is one line of a change feed: a document as it was last written.
type Change struct {
	ID      string
	Seq     string            // where a later feed may go on
	Deleted bool              // removed; Doc has nothing but "_id", "_rev" and "_deleted"
	Doc     document.Document // the winning revision
}

// heartbeat is how often a CouchDB says that a feed is alive: it also sends the head of its answer with the first
// of them, for which the connection does not wait for ever (responseTimeout).
const heartbeat = 5 * time.Second

// Changes hands every write to a database after since to each, in order, those of the past first and then those
// to come, until ctx ends, each answers an error, which is passed on, or the store ends the feed, which is nil.
// Between two looks a document may be written several times; only the last write counts. since is the Seq of a
// change, an answer of Sequence, or "" for everything.
func (s *Store) Changes(ctx context.Context, db, since string, each func(Change) error) error {
	params := map[string]any{"feed": "continuous", "heartbeat": heartbeat.Milliseconds()}
	if since != "" {
		params["since"] = since
	}
	own, interrupt := detach(ctx)
	defer interrupt()
	feed := s.client.DB(db).Changes(own, kivik.IncludeDocs(), kivik.Params(params))
	defer func() { _ = feed.Close() }()
	for next(feed) {
		change, err := own.scan(feed)
		if err == nil && change.ID != "" { // CouchDB's last line has none
			err = each(change)
		}
		if err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return classify("changes", db, err)
	}
	return classify("changes", db, feed.Err())
}

// next is feed.Next. At the end of a continuous feed over HTTP, kivik 4.5 asks for metadata that such a feed does
// not have (couchdb.changesRows.LastSeq) and panics: a CouchDB that restarts would end this process.
func next(feed *kivik.Changes) (more bool) {
	defer func() {
		if recover() != nil {
			more = false
		}
	}()
	return feed.Next()
}

// interruptible is the context of a feed. kivik 4.5 closes a feed whose context ends while others read from it
// (iter.awaitDone and iter.isReady), so it is not to end while a change is read.
type interruptible struct {
	context.Context
	reading sync.Mutex
}

// detach answers a context for a feed that ends soon after ctx does, or when interrupt is called.
func detach(ctx context.Context) (own *interruptible, interrupt func()) {
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	own = &interruptible{Context: inner}
	stop := context.AfterFunc(ctx, func() {
		own.reading.Lock()
		defer own.reading.Unlock()
		cancel()
	})
	return own, func() {
		stop()
		cancel()
	}
}

// scan reads the change that the feed is at.
func (i *interruptible) scan(feed *kivik.Changes) (Change, error) {
	i.reading.Lock()
	defer i.reading.Unlock()
	if err := i.Err(); err != nil {
		return Change{}, fault.Wrap(fault.DatastoreFault, err)
	}
	return scanChange(feed)
}

func scanChange(feed *kivik.Changes) (Change, error) {
	change := Change{ID: feed.ID(), Seq: feed.Seq(), Deleted: feed.Deleted()}
	if change.ID == "" {
		return change, nil
	}
	var raw json.RawMessage
	if err := feed.ScanDoc(&raw); err != nil {
		return change, fault.Wrap(fault.DatastoreFault, err)
	}
	doc, err := document.Decode(raw)
	change.Doc = doc
	return change, fault.Wrap(fault.DatastoreFault, err)
}

// Sequence answers where a database's feed is now: Changes since then misses nothing that is written from here on.
func (s *Store) Sequence(ctx context.Context, db string) (seq string, err error) {
	err = s.call("sequence", db, func() error {
		stats, err := s.client.DB(db).Stats(ctx)
		if err == nil {
			seq = stats.UpdateSeq
		}
		return err
	})
	return seq, err
}
