package embedded

import (
	"context"
	"encoding/binary"
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

// feedQuery is the options of _changes.
type feedQuery struct {
	conflictsOption
	Feed    string
	Since   string
	Limit   int64
	Docs    bool          `json:"include_docs"`
	Timeout time.Duration // of a long poll, in milliseconds; zero is none
}

// Changes returns what was written after since. With feed=longpoll it waits for the first change if there is none, and
// returns without one when the timeout is over.
func (d *database) Changes(ctx context.Context, options driver.Options) (driver.Changes, error) {
	q := feedQuery{Feed: "normal", Since: "0", Limit: noLimit}
	if err := readOptions(options, &q); err != nil {
		return nil, err
	}
	since, err := strconv.ParseUint(q.Since, 10, 64)
	if err != nil {
		return nil, badRequest("Invalid value for since: %s", q.Since)
	}
	if q.Feed != "normal" && q.Feed != "longpoll" {
		return nil, notSupported("feed=" + q.Feed)
	}
	var timeout <-chan time.Time
	if q.Timeout > 0 {
		timer := time.NewTimer(q.Timeout * time.Millisecond)
		defer timer.Stop()
		timeout = timer.C
	}
	for {
		committed := d.writer.changed() // before the look, so that no commit is missed
		f := &changes{}
		if err := d.read(ctx, func(c contents) error { return f.read(c, since, q) }); err != nil {
			return nil, err
		}
		if len(f.list) > 0 || q.Feed == "normal" {
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

// read reads the changes after since, as many as q.Limit allows.
func (f *changes) read(c contents, since uint64, q feedQuery) error {
	f.last = min(since, c.updateSeq())
	cursor := c.part(changesBucket).Cursor()
	for k, id := cursor.Seek(seqKey(f.last + 1)); k != nil && int64(len(f.list)) < q.Limit; k, id = cursor.Next() {
		r, err := c.record(string(id))
		if err != nil {
			return err
		}
		f.last = binary.BigEndian.Uint64(k)
		change := driver.Change{
			ID: string(id), Seq: seqText(f.last), Deleted: r.deleted, Changes: driver.ChangedRevs{r.rev},
		}
		if q.Docs {
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
