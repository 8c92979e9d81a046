package embedded

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/go-kivik/kivik/v4/driver"
)

// changes is a feed of what was written. It has each document once, at its last write.
type changes struct {
	list []driver.Change
	last uint64 // the sequence of the last change in the list as it was opened
}

// feedQuery is what a caller of _changes asks for.
type feedQuery struct {
	since       uint64
	limit       int64
	includeDocs bool
	longPoll    bool
	timeout     time.Duration // of a long poll; zero is none
}

// Changes returns what was written after since. With feed=longpoll it waits for the first change if there is none, and
// returns without one when the timeout is over.
func (d *database) Changes(ctx context.Context, options driver.Options) (driver.Changes, error) {
	q, err := readFeedQuery(options)
	if err != nil {
		return nil, err
	}
	var timeout <-chan time.Time
	if q.timeout > 0 {
		timer := time.NewTimer(q.timeout)
		defer timer.Stop()
		timeout = timer.C
	}
	for {
		committed := d.writer.changed() // before the look, so that no commit is missed
		f := &changes{}
		if err := d.read(ctx, func(c contents) error { return f.read(c, q) }); err != nil {
			return nil, err
		}
		if len(f.list) > 0 || !q.longPoll {
			return f, nil
		}
		select {
		case <-committed:
		case <-timeout:
			return f, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func readFeedQuery(options driver.Options) (feedQuery, error) {
	q := feedQuery{limit: noLimit}
	feed, conflicts := "normal", false
	var milliseconds int64
	p := readParams(options)
	p.text(&feed, "feed")
	p.since(&q.since)
	p.count(&q.limit, "limit")
	p.count(&milliseconds, "timeout")
	p.flag(&q.includeDocs, "include_docs")
	p.flag(&conflicts, "conflicts") // there never are any
	q.longPoll = feed == "longpoll"
	q.timeout = time.Duration(milliseconds) * time.Millisecond
	if !q.longPoll && feed != "normal" && p.err == nil {
		return q, notSupported("feed=" + feed)
	}
	return q, p.unsupported()
}

// since reads the sequence that a feed starts after.
func (p *params) since(dst *uint64) {
	v, ok := p.take("since")
	if !ok {
		return
	}
	var err error
	if *dst, err = strconv.ParseUint(fmt.Sprint(v), 10, 64); err != nil {
		p.fail("since", v)
	}
}

// read reads the changes after q.since, as many as q.limit allows.
func (f *changes) read(c contents, q feedQuery) error {
	f.last = min(q.since, c.updateSeq())
	cursor := c.part(changesBucket).Cursor()
	for k, id := cursor.Seek(seqKey(f.last + 1)); k != nil && int64(len(f.list)) < q.limit; k, id = cursor.Next() {
		r, err := c.record(string(id))
		if err != nil {
			return err
		}
		f.last = binary.BigEndian.Uint64(k)
		change := driver.Change{
			ID: string(id), Seq: seqText(f.last), Deleted: r.deleted, Changes: driver.ChangedRevs{r.rev},
		}
		if q.includeDocs {
			change.Doc = r.document(string(id))
		}
		f.list = append(f.list, change)
	}
	return nil
}

// Next returns the next change.
func (f *changes) Next(change *driver.Change) error {
	if len(f.list) == 0 {
		return io.EOF
	}
	*change = f.list[0]
	f.list = f.list[1:]
	return nil
}

// Close has nothing to release.
func (*changes) Close() error { return nil }

// LastSeq is where a later feed continues.
func (f *changes) LastSeq() string { return seqText(f.last) }

// Pending is not counted.
func (*changes) Pending() int64 { return 0 }

// ETag is an HTTP matter.
func (*changes) ETag() string { return "" }
