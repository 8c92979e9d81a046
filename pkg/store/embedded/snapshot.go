package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	bolt "go.etcd.io/bbolt"

	"junctor/pkg/boltfile"
)

// Snapshot is a copy of a store's file at one moment, to be read once from beginning to end. Writers go on meanwhile.
//
// Until a snapshot has been read, bbolt can't reuse the pages that writers free, so the file grows with every write. A
// reader may be slow, as one behind a network, or stop reading. So growth is logged. A snapshot during which the file
// grows by more than its size and by more than a gibibyte is given up: Read then returns an error.
type Snapshot struct {
	Size int64 // in bytes

	pages    *io.PipeReader
	source   *io.PipeWriter // of pages
	own      *client
	stop     context.CancelFunc
	ended    chan struct{} // closed when the transaction is over
	watching chan struct{} // closed when nothing watches the growth any more
	grown    atomic.Int64
}

const (
	growthEvery = time.Second // how often the growth of the file is looked at
	// loggedGrowth is the growth that is logged first; after that, each time it has doubled.
	loggedGrowth = 64 << 20
	// leastGrowth is what every file may grow by while it is copied.
	leastGrowth = 1 << 30
)

// maxGrowth returns how many bytes a file of that size may grow by while a snapshot of it is read.
func maxGrowth(size int64) int64 { return max(size, leastGrowth) }

// errGrown says why a snapshot was given up.
type errGrown struct{ size, grown int64 }

func (e errGrown) Error() string {
	return fmt.Sprintf("the copy of the store was read too slowly: the store's file, of %d bytes, grew by %d bytes "+
		"meanwhile, since what writers free can't be reused during a backup; write the backup to a local file, or when "+
		"less is written", e.size, e.grown)
}

// Snapshot returns the store as it is now. Close it. When ctx ends, Read returns the cause.
func (c *Client) Snapshot(ctx context.Context) (*Snapshot, error) {
	return c.own.snapshot(ctx, maxGrowth)
}

func (c *client) snapshot(ctx context.Context, limit func(size int64) int64) (*Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	tx, err := c.begin()
	if err != nil {
		return nil, err
	}
	reader, writer := io.Pipe()
	s := &Snapshot{Size: tx.Size(), pages: reader, source: writer, own: c,
		ended: make(chan struct{}), watching: make(chan struct{})}
	ctx, s.stop = context.WithCancel(ctx)
	context.AfterFunc(ctx, func() { _ = writer.CloseWithError(context.Cause(ctx)) })
	go func() {
		defer close(s.ended)
		defer func() { _ = tx.Rollback() }() // a read transaction has nothing to lose
		err := boltfile.Guard(c.path, func() error {
			_, err := tx.WriteTo(writer)
			return err
		})
		_ = writer.CloseWithError(err)
	}()
	go func() {
		defer close(s.watching)
		s.watch(limit(s.Size))
	}()
	return s, nil
}

// Read reads the next part of the file.
func (s *Snapshot) Read(p []byte) (int, error) { return s.pages.Read(p) }

// Grown returns by how many bytes the file has grown since the snapshot was made.
func (s *Snapshot) Grown() int64 { return s.grown.Load() }

// Close ends the snapshot, whether it has been read or not.
func (s *Snapshot) Close() error {
	err := s.pages.Close()
	<-s.ended
	<-s.watching
	s.stop()
	return err
}

// watch looks at the growth of the file until the snapshot has been read.
func (s *Snapshot) watch(limit int64) {
	tick := time.NewTicker(growthEvery)
	defer tick.Stop()
	logged := int64(loggedGrowth)
	for {
		select {
		case <-s.ended:
			s.look()
			return
		case <-tick.C:
		}
		grown := s.look()
		if grown > limit {
			err := errGrown{s.Size, grown}
			_ = s.source.CloseWithError(err)
			s.log(s.own.log.Error(), grown).Msg("a backup was given up: it was read too slowly, and the store's file grew " +
				"without bound meanwhile; write it to a local file")
			return
		}
		if grown >= logged {
			s.log(s.own.log.Warn(), grown).Msg("the store's file grows while a backup is read: what writers free can't be " +
				"reused until the backup ends")
			logged = 2 * grown
		}
	}
}

func (s *Snapshot) log(event *zerolog.Event, grown int64) *zerolog.Event {
	return event.Int64("bytes", s.Size).Int64("grown_bytes", grown)
}

// look returns by how much the used part of the file has grown.
func (s *Snapshot) look() int64 {
	_ = s.own.view(context.Background(), func(tx *bolt.Tx) error {
		s.grown.Store(max(tx.Size()-s.Size, 0))
		return nil
	})
	return s.grown.Load()
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
