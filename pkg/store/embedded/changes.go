package embedded

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-kivik/kivik/v4/driver"
)

// changes is a feed of what was written: each document once, where it was last written. It reads a batch at a
// time and holds no transaction between, so a feed can wait as long as it likes.
type changes struct {
	ctx         context.Context
	database    *database
	born        string // which database of that name
	last        uint64 // the last change described
	until       uint64 // where a normal feed ends
	limit       int64
	continuous  bool
	longPoll    bool // waits for the first change, and tells all there are then
	includeDocs bool
	patience    time.Duration // how long to wait for a change; 0 is for ever
	idle        time.Time     // since when
	batch       []driver.Change
	closed      chan struct{}
	close       sync.Once
}

// Changes opens a feed: normal, longpoll or continuous.
func (d *database) Changes(ctx context.Context, options driver.Options) (driver.Changes, error) {
	f := &changes{ctx: ctx, database: d, limit: noLimit, idle: time.Now(), closed: make(chan struct{})}
	since, err := f.readOptions(options)
	if err != nil {
		return nil, err
	}
	err = d.read(ctx, func(c contents) error {
		f.born, f.until = c.born(), c.updateSeq()
		f.last = min(since, f.until)
		return nil
	})
	return f, err
}

func (f *changes) readOptions(options driver.Options) (since uint64, err error) {
	p := readParams(options)
	feed, style := "normal", ""
	p.text(&feed, "feed")
	p.text(&style, "style") // a document has one leaf, so both styles are the same
	p.flag(&f.includeDocs, "include_docs")
	p.only("descending", false)
	p.only("attachments", false)
	p.ignore("conflicts", "seq_interval")
	if p.count(&f.limit, "limit") && f.limit == 0 {
		f.limit = 1 // as in CouchDB
	}
	since = p.since()
	f.continuous, f.longPoll = feed == "continuous", feed == "longpoll"
	f.patience = p.patience()
	if !f.continuous && !f.longPoll && feed != "normal" && p.err == nil {
		return 0, notSupported("feed=" + feed)
	}
	return since, p.unsupported()
}

// since reads where a feed starts. What stands behind a dash is a cluster's business.
func (p *params) since() uint64 {
	v, ok := p.take("since")
	if !ok {
		return 0
	}
	text, _, _ := strings.Cut(fmt.Sprint(v), "-")
	if text == "now" {
		return 1<<64 - 1
	}
	seq, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		p.fail("since", v)
	}
	return seq
}

// patience reads after how long without a change a feed that waits ends: never, where there is a heartbeat.
func (p *params) patience() time.Duration {
	var ms int64
	p.count(&ms, "timeout")
	if v, ok := p.take("heartbeat"); ok && fmt.Sprint(v) != "false" {
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}

// Next describes the next change. A continuous feed waits for it, and a longpoll feed for the first.
func (f *changes) Next(change *driver.Change) error {
	for {
		switch {
		case f.isClosed(), f.limit == 0:
			return io.EOF
		case len(f.batch) > 0:
			*change = f.batch[0]
			f.batch = f.batch[1:]
			f.limit--
			f.idle = time.Now()
			f.last, _ = strconv.ParseUint(change.Seq, 10, 64) // our own spelling
			return nil
		}
		committed := f.database.writer.changed()
		if err := f.fill(); err != nil {
			return err
		}
		if len(f.batch) > 0 {
			continue
		}
		if !f.continuous && !f.longPoll {
			f.last = f.until
			return io.EOF
		}
		if err := f.wait(committed); err != nil {
			return err
		}
	}
}

// fill reads the next changes.
func (f *changes) fill() error {
	const enough = 100
	return f.database.read(f.ctx, func(c contents) error {
		if c.born() != f.born {
			return errNoDatabase
		}
		if f.longPoll { // what was written again since the feed was opened is told, too
			f.until = c.updateSeq()
			f.longPoll = f.last == f.until // else it need not wait
		}
		cursor := c.part(changesBucket).Cursor()
		for k, id := cursor.Seek(seqKey(f.last + 1)); k != nil && len(f.batch) < enough; k, id = cursor.Next() {
			seq := binary.BigEndian.Uint64(k)
			if !f.continuous && seq > f.until {
				return nil
			}
			r, err := c.record(string(id))
			if err != nil {
				return err
			}
			f.batch = append(f.batch, f.describe(seq, string(id), r))
		}
		return nil
	})
}

func (f *changes) describe(seq uint64, id string, r *record) driver.Change {
	change := driver.Change{ID: id, Seq: seqText(seq), Deleted: r.deleted, Changes: driver.ChangedRevs{r.rev}}
	if f.includeDocs {
		change.Doc = r.document(id, asStub)
	}
	return change
}

// wait returns nil when something has been committed.
func (f *changes) wait(committed <-chan struct{}) error {
	var impatient <-chan time.Time
	if f.patience > 0 {
		timer := time.NewTimer(time.Until(f.idle.Add(f.patience)))
		defer timer.Stop()
		impatient = timer.C
	}
	select {
	case <-committed:
		return nil
	case <-f.ctx.Done():
		return f.ctx.Err()
	case <-f.closed:
	case <-impatient:
	case <-f.database.writer.quit:
	}
	return io.EOF
}

func (f *changes) isClosed() bool {
	select {
	case <-f.closed:
		return true
	default:
		return false
	}
}

// Close ends the feed, a Next that waits in another goroutine too.
func (f *changes) Close() error {
	f.close.Do(func() { close(f.closed) })
	return nil
}

// LastSeq is where a later feed goes on.
func (f *changes) LastSeq() string { return seqText(f.last) }

// Pending answers how many changes there are at most behind the last one described: documents that were written again
// since count more than once. kivik asks at the end of every feed, so that it must not be counted.
func (f *changes) Pending() (n int64) {
	_ = f.database.read(context.WithoutCancel(f.ctx), func(c contents) error {
		n = int64(c.updateSeq() - f.last)
		return nil
	})
	return n
}

// ETag is an HTTP matter.
func (*changes) ETag() string { return "" }
