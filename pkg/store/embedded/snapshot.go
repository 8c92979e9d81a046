package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	bolt "go.etcd.io/bbolt"

	"junctor/pkg/boltfile"
)

// leastGrowth is what every file may grow by while it is copied, in bytes.
const leastGrowth = 1 << 30

// Snapshot writes the file of the store, as it is now, to what to returns for its size in bytes. Writers go on meanwhile.
// When ctx ends Snapshot returns the cause.
//
// Until the copy is complete, bbolt can't reuse the pages that writers free, so the file grows with every write. A copy
// that is taken so slowly that the file grows by more than its size and by more than a gibibyte ends with an error.
func (c *Client) Snapshot(ctx context.Context, to func(size int64) (io.Writer, error)) error {
	return c.own.snapshot(ctx, leastGrowth, to)
}

func (c *client) snapshot(ctx context.Context, leastGrowth int64, to func(size int64) (io.Writer, error)) error {
	return c.view(ctx, func(tx *bolt.Tx) error {
		w, err := to(tx.Size())
		if err != nil {
			return err
		}
		s := &snapshotWriter{ctx: ctx, client: c, size: tx.Size(), w: w, maxGrowth: max(tx.Size(), leastGrowth)}
		_, err = tx.WriteTo(s)
		return cmp.Or(s.err, err) // bbolt does not wrap all errors of the writer
	})
}

// snapshotWriter passes a copy of the file on, as long as it is wanted and the file does not grow too much.
type snapshotWriter struct {
	ctx       context.Context
	client    *client
	size      int64
	maxGrowth int64
	w         io.Writer
	err       error // of the first Write that failed
}

func (s *snapshotWriter) Write(p []byte) (n int, err error) {
	if s.err = context.Cause(s.ctx); s.err == nil {
		s.err = s.client.view(s.ctx, s.checkGrowth)
	}
	if s.err == nil {
		n, s.err = s.w.Write(p)
	}
	return n, s.err
}

func (s *snapshotWriter) checkGrowth(now *bolt.Tx) error {
	grown := now.Size() - s.size
	if grown <= s.maxGrowth {
		return nil
	}
	return fmt.Errorf("the copy of the store was taken too slowly: the store's file, of %d bytes, grew by %d bytes "+
		"meanwhile, since what writers free can't be reused during a backup; write the backup to a local file, or when "+
		"less is written", s.size, grown)
}

// CheckFile returns an error unless the file path is a store that can be opened. It does not change the file.
func CheckFile(path string) error {
	db, err := boltfile.OpenReadOnly(path)
	if err != nil {
		return err
	}
	err = boltfile.Guard(path, func() error {
		return db.View(func(tx *bolt.Tx) error {
			_, err := readFormat(tx)
			return err
		})
	})
	return errors.Join(err, db.Close())
}
