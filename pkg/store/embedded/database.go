package embedded

import (
	"context"
	"strconv"

	"github.com/go-kivik/kivik/v4/driver"
	bolt "go.etcd.io/bbolt"
)

// database is a handle to one database. It holds nothing: whether the database exists is looked up by each call.
type database struct {
	*client
	name string
}

var (
	_ driver.DB        = (*database)(nil)
	_ driver.BulkDocer = (*database)(nil)
)

// Stats returns the update sequence. Documents and bytes are not counted.
func (d *database) Stats(ctx context.Context) (*driver.DBStats, error) {
	s := &driver.DBStats{Name: d.name}
	err := d.read(ctx, func(c contents) error {
		s.UpdateSeq = seqText(c.updateSeq())
		return nil
	})
	return s, err
}

// Close has nothing to release.
func (*database) Close() error { return nil }

// read runs fn on the database in a read transaction.
func (d *database) read(ctx context.Context, fn func(contents) error) error {
	return d.view(ctx, func(tx *bolt.Tx) error {
		c, err := openContents(tx, d.name)
		if err != nil {
			return err
		}
		return fn(c)
	})
}

// update runs fn on the database as one write, of so many documents.
func (d *database) update(ctx context.Context, documents int, fn func(contents) error) error {
	return d.writer.do(ctx, func(tx *bolt.Tx) error {
		c, err := openContents(tx, d.name)
		if err != nil {
			return err
		}
		return fn(c)
	}, documents)
}

// lock serialises the updates of the indexes of one database.
func (d *database) lock(ctx context.Context) (unlock func(), err error) {
	lock, _ := d.refreshLocks.LoadOrStore(d.name, make(chan struct{}, 1))
	c := lock.(chan struct{})
	select {
	case c <- struct{}{}:
		return func() { <-c }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func seqText(seq uint64) string {
	return strconv.FormatUint(seq, 10)
}
