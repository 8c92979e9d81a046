package embedded

import (
	"context"
	"io"
	"sync"

	"github.com/go-kivik/kivik/v4/driver"
	bolt "go.etcd.io/bbolt"

	"junctor/pkg/boltfile"
)

// rows is a result set. It holds one read transaction until its end or Close, so all of it is of one moment.
type rows struct {
	client *client
	ctx    context.Context

	mu     sync.Mutex // kivik closes from other goroutines
	tx     *bolt.Tx   // nil when closed
	scan   *scan      // nil for documents by their keys
	source source
	skip   int64
	limit  int64
}

// source describes the next row, in memory that outlives the transaction. It returns false at the end.
type source func(row *driver.Row) (more bool, err error)

// query opens a result set with the rows of the source that open returns.
func (d *database) query(ctx context.Context, q *query, open func(contents, *rows) (source, error)) (driver.Rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := &rows{client: d.client, ctx: ctx, skip: q.Skip, limit: q.Limit}
	var err error
	if r.tx, err = d.begin(); err != nil {
		return nil, err
	}
	err = boltfile.Guard(d.path, func() error {
		c, err := openContents(r.tx, d.name)
		if err != nil {
			return err
		}
		r.source, err = open(c, r)
		return err
	})
	if err != nil {
		_ = r.Close()
		return nil, err
	}
	return r, nil
}

// Next describes the next row.
func (r *rows) Next(row *driver.Row) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := boltfile.Guard(r.client.path, func() error { return r.next(row) })
	if err != nil {
		r.end()
	}
	return err
}

func (r *rows) next(row *driver.Row) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	for ; r.tx != nil && r.limit > 0; r.skip-- {
		into := row
		if r.skip > 0 {
			into = &driver.Row{}
		}
		more, err := r.source(into)
		switch {
		case err != nil:
			return err
		case !more:
			return io.EOF
		case r.skip <= 0:
			r.limit--
			return nil
		}
	}
	return io.EOF
}

// Close ends the result set. It is harmless to call it again.
func (r *rows) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end()
	return nil
}

func (r *rows) end() {
	if r.tx == nil {
		return
	}
	_ = r.tx.Rollback() // a read transaction has nothing to lose
	r.tx = nil
}

// UpdateSeq is not looked up.
func (*rows) UpdateSeq() string { return "" }

// Offset is not counted: that would be reading the rows before the key range.
func (*rows) Offset() int64 { return 0 }

// TotalRows is not counted.
func (*rows) TotalRows() int64 { return 0 }
