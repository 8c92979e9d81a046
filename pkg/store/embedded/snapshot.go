package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"junctor/pkg/backoff"
	"junctor/pkg/boltfile"
)

const (
	// leastGrowth is what every file may grow by while it is copied, in bytes.
	leastGrowth = 1 << 30
	growthEvery = time.Second // how often the growth is looked at
)

// Snapshot writes the file of the store, as it is now, to what to returns for its size in bytes. Writers go on meanwhile.
// When ctx ends Snapshot returns the cause.
//
// Until the copy is complete, bbolt can't reuse the pages that writers free, so the file grows with every write. A copy
// that is taken so slowly that the file grows by more than its size and by more than a gibibyte ends with an error, and
// the file does not grow on although a Write may still be under way.
func (c *Client) Snapshot(ctx context.Context, to func(size int64) (io.Writer, error)) error {
	return c.own.snapshot(ctx, leastGrowth, to)
}

func (c *client) snapshot(ctx context.Context, leastGrowth int64, to func(size int64) (io.Writer, error)) error {
	tx, err := c.begin()
	if err != nil {
		return err
	}
	size := tx.Size()
	ctx, stop := context.WithCancelCause(ctx)
	reader, writer := io.Pipe()
	var both sync.WaitGroup
	both.Go(func() {
		defer func() { _ = tx.Rollback() }() // a read transaction has nothing to lose
		_ = writer.CloseWithError(boltfile.Guard(c.path, func() error {
			_, err := tx.WriteTo(writer)
			return err
		}))
	})
	both.Go(func() {
		for backoff.Sleep(ctx, growthEvery) == nil {
			if err := c.checkGrowth(ctx, size, max(size, leastGrowth)); err != nil {
				stop(err)
			}
		}
	})
	context.AfterFunc(ctx, func() { _ = writer.CloseWithError(context.Cause(ctx)) })
	w, err := to(size)
	if err == nil {
		_, err = io.Copy(w, reader)
	}
	if cause := context.Cause(ctx); cause != nil { // by which the copy may have failed
		err = cause
	}
	stop(nil)
	both.Wait()
	return err
}

// checkGrowth returns an error if the file has grown by more than limit bytes.
func (c *client) checkGrowth(ctx context.Context, size, limit int64) error {
	return c.view(ctx, func(now *bolt.Tx) error {
		grown := now.Size() - size
		if grown <= limit {
			return nil
		}
		return fmt.Errorf("the copy of the store was taken too slowly: the store's file, of %d bytes, grew by %d bytes "+
			"meanwhile, since what writers free can't be reused during a backup; write the backup to a local file, or when "+
			"less is written", size, grown)
	})
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
