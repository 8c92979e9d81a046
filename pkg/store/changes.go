package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/go-kivik/kivik/v4"

	"junctor/pkg/backoff"
	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// Change is one line of a change feed: a document as it was last written.
type Change struct {
	ID      string
	Rev     string // the winning revision
	Seq     string // where a later feed may go on
	Deleted bool   // Doc has the fields that it was deleted with
	text    json.RawMessage
}

// Doc decodes the document, with "_conflicts" where there are losing revisions.
func (c Change) Doc() (document.Document, error) {
	doc, err := decode(c.text)
	return doc, fault.Wrap(fault.DatastoreFault, err)
}

// MayConflict reports whether there may be losing revisions, for those who know the document otherwise.
func (c Change) MayConflict() bool { return bytes.Contains(c.text, []byte(`"_conflicts"`)) }

// The bounds of one look at a feed.
const (
	feedWait  = time.Second            // how long it waits where nothing is new, and so how old it can be
	feedPause = 100 * time.Millisecond // until the next, where something was: what is written together comes together
	feedGrace = 3 * time.Second / 2    // until one that should have been over is given up
	feedTime  = 30 * time.Second       // that one without waiting may take
	feedLimit = 1000                   // changes in one look
)

// Changes passes every write to a database after since to each, those of the past first and then those to come, until
// ctx ends, each returns an error, which is returned, or the store fails. Between two looks a document may be written
// several times; only the last write counts. The writes of one document come in their order; those of two need not,
// since a CouchDB has a feed for each shard. since is the Seq of a change, the seq of Position, or "" for
// everything. each may use the store.
//
// current, if it is not nil, is called whenever each has got everything that was written before a time: about once a
// second if nothing is written, and more often otherwise.
//
// Changes reads one batch after the other, and waits for a change (feed=longpoll) once it has all of the past. A
// continuous feed shows less of how current it is, and one whose connection died looks like one of a database that
// nobody writes to. If a wait does not end in its time, as on a connection that died or with a server that has no
// timeout (pouchdb-server), the feed is read without waiting.
func (s *Store) Changes(
	ctx context.Context, db, since string, each func(Change) error, current func(asOf time.Time),
) error {
	for wait := false; ; {
		asOf, batch, last, err := s.look(ctx, db, since, wait)
		if err != nil {
			return err
		}
		for _, change := range batch {
			if err := each(change); err != nil {
				return err
			}
		}
		since, wait = last, len(batch) < feedLimit
		if wait && current != nil {
			current(asOf)
		}
		if wait && len(batch) > 0 {
			_ = backoff.Sleep(ctx, feedPause)
		}
		if err := ctx.Err(); err != nil {
			return classify("changes", db, err)
		}
	}
}

// ChangesSince passes the changes of a database after since to each, as Changes does, and returns once there are no more.
// each may use the store.
func (s *Store) ChangesSince(ctx context.Context, db, since string, each func(Change) error) error {
	for {
		batch, last, err := s.poll(ctx, db, since, feedTime, map[string]any{})
		if err != nil {
			return err
		}
		for _, change := range batch {
			if err := each(change); err != nil {
				return err
			}
		}
		if len(batch) < feedLimit {
			return nil
		}
		since = last
	}
}

// look returns the changes after since as of a time, and the sequence to go on from. If wait is true it waits a while for
// a change.
func (s *Store) look(
	ctx context.Context, db, since string, wait bool,
) (asOf time.Time, batch []Change, last string, err error) {
	if wait {
		asOf = time.Now()
		batch, last, err = s.poll(ctx, db, since, feedGrace,
			map[string]any{"feed": "longpoll", "timeout": feedWait.Milliseconds()})
		if err == nil || ctx.Err() != nil || time.Since(asOf) < feedGrace {
			return asOf, batch, last, err
		}
	}
	asOf = time.Now()
	batch, last, err = s.poll(ctx, db, since, feedTime, map[string]any{})
	return asOf, batch, last, err
}

// poll reads the changes after since.
func (s *Store) poll(
	ctx context.Context, db, since string, limit time.Duration, params map[string]any,
) (batch []Change, last string, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	own, interrupt := detach(ctx)
	defer interrupt()
	params["limit"], params["conflicts"] = feedLimit, true
	if since != "" {
		params["since"] = since
	}
	feed := s.client.DB(db).Changes(own, kivik.IncludeDocs(), kivik.Params(params))
	defer func() { _ = feed.Close() }()
	for last = since; feed.Next(); {
		change, err := own.scan(feed)
		if err != nil {
			return nil, "", err
		}
		batch, last = append(batch, change), change.Seq
	}
	if err := cmp.Or(ctx.Err(), feed.Err()); err != nil {
		return nil, "", classify("changes", db, err)
	}
	meta, err := feed.Metadata()
	if err == nil && meta.LastSeq != "" {
		last = meta.LastSeq
	}
	return batch, last, classify("changes", db, err)
}

// interruptible is the context of a feed. kivik 4.5 closes a feed whose context ends while others read from it
// (iter.awaitDone and iter.isReady), so it is not to end while a change is read.
type interruptible struct {
	context.Context
	reading sync.Mutex
}

// detach returns a context for a feed that ends soon after ctx does, or when interrupt is called.
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
	change := Change{ID: feed.ID(), Seq: feed.Seq(), Deleted: feed.Deleted()}
	if change.ID == "" {
		return change, nil
	}
	if revs := feed.Changes(); len(revs) > 0 {
		change.Rev = revs[0]
	}
	if err := feed.ScanDoc(&change.text); err != nil {
		return change, fault.Wrap(fault.DatastoreFault, err)
	}
	return change, nil
}

// Position returns where a database's feed is now: Changes since seq misses nothing that is written from here on.
//
// epoch is a text that changes when the feed does not lead from an earlier state to the present one: documents were
// purged, or the database was deleted and created again. It is empty where the store has neither.
func (s *Store) Position(ctx context.Context, db string) (seq, epoch string, err error) {
	err = s.call("sequence", db, func() error {
		stats, err := s.client.DB(db).Stats(ctx)
		if err != nil {
			return err
		}
		seq = stats.UpdateSeq
		epoch, err = epochOf(stats.RawResponse)
		return err
	})
	return seq, epoch, err
}

// epochOf returns the epoch that the description of a database has.
func epochOf(description json.RawMessage) (string, error) {
	if len(description) == 0 {
		return "", nil
	}
	var info struct {
		Created json.RawMessage `json:"instance_start_time"`
		Purges  json.RawMessage `json:"purge_seq"`
	}
	err := json.Unmarshal(description, &info)
	if err != nil || info.Purges == nil {
		return "", err
	}
	// "12-g1AAAA…": a number, and then what differs from node to node of a cluster.
	purges, _, _ := strings.Cut(strings.Trim(string(info.Purges), `"`), "-")
	return string(info.Created) + "/" + purges, nil
}
