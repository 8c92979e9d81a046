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
	_ driver.DB                   = (*database)(nil)
	_ driver.BulkDocer            = (*database)(nil)
	_ driver.DocCreator           = (*database)(nil)
	_ driver.RevGetter            = (*database)(nil)
	_ driver.DesignDocer          = (*database)(nil)
	_ driver.AttachmentMetaGetter = (*database)(nil)
)

// Stats counts the documents. The sizes are those of the whole store, which is one file.
func (d *database) Stats(ctx context.Context) (*driver.DBStats, error) {
	var s *driver.DBStats
	err := d.read(ctx, func(c contents) error {
		size := c.Tx().Size()
		s = &driver.DBStats{
			Name:         d.name,
			DocCount:     int64(c.part(docsBucket).Sequence()),
			DeletedCount: int64(c.part(deletedBucket).Sequence()),
			UpdateSeq:    seqText(c.updateSeq()),
			DiskSize:     size,
			ActiveSize:   size - int64(d.bolt.Stats().FreeAlloc),
			ExternalSize: size,
		}
		return nil
	})
	return s, err
}

// Compact is not supported: bbolt uses the space of deleted rows again by itself.
func (*database) Compact(context.Context) error { return notSupported("Compact") }

// CompactView is not supported, for the same reason.
func (*database) CompactView(context.Context, string) error { return notSupported("CompactView") }

// ViewCleanup is not supported: an index goes with its design document.
func (*database) ViewCleanup(context.Context) error { return notSupported("ViewCleanup") }

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

// update runs fn on the database as one write.
func (d *database) update(ctx context.Context, fn func(contents) error) error {
	return d.writer.do(ctx, func(tx *bolt.Tx) error {
		c, err := openContents(tx, d.name)
		if err != nil {
			return err
		}
		return fn(c)
	}, 1)
}

func seqText(seq uint64) string {
	return strconv.FormatUint(seq, 10)
}
