package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sync/errgroup"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/history"
)

// bareBolt is bbolt with a copy of a world's file. It writes the keys and values that junctor wrote there, in the
// transactions that are necessary: one for the address with the event of its history, and one for the account's copy,
// each shared by all who wait. There is no HTTP, no view function and no revision in that.
type bareBolt struct {
	db    *bbolt.DB
	steps [][][]entry // by step and client
}

// entry is a key of a bbolt file that a write changed.
type entry struct {
	path  []string // the buckets, and the key
	value []byte   // nil is deleted
}

// newBareBolt records what junctor writes to the file of a world.
func (b *bench) newBareBolt(ctx context.Context, w *world) (*bareBolt, error) {
	// The first time leaves tombstones, and does not count.
	if err := b.once(ctx, w, http.MethodPost, http.MethodDelete); err != nil {
		return nil, err
	}
	bolt := &bareBolt{}
	file := w.file() + ".bare"
	for _, method := range []string{http.MethodPost, http.MethodDelete} {
		err := copyFile(ctx, file, w.file())
		if err == nil {
			err = b.once(ctx, w, method)
		}
		if err != nil {
			return nil, err
		}
		entries, err := difference(file, w.file())
		if err != nil {
			return nil, err
		}
		bolt.steps = append(bolt.steps, steps(entries)...)
	}
	err := copyFile(ctx, file, w.file())
	if err == nil {
		bolt.db, err = openBolt(file, false)
	}
	if err == nil {
		bolt.db.MaxBatchSize = writers
	}
	return bolt, err
}

// once serves a world, has every writer assign (POST) or release (DELETE) an address, and stops the server. Then all of
// it is in the file.
func (b *bench) once(ctx context.Context, w *world, methods ...string) error {
	if err := b.start(ctx, w); err != nil {
		return err
	}
	defer w.server.stop()
	for _, method := range methods {
		group, ctx := errgroup.WithContext(ctx)
		for client := range writers {
			group.Go(func() error { return b.change(w, method)(ctx, client) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// steps returns two transactions of entries, each in equal shares for the writers: first the pool and its history, then
// the accounts. Whose share an entry is in makes no difference to the file. What else a server writes is left out.
func steps(entries []entry) [][][]entry {
	pool, accounts := make([][]entry, writers), make([][]entry, writers)
	for i, e := range entries {
		switch db := e.path[1]; { // below the bucket "databases"
		case db == dedicatedip.Database, db == history.Database:
			pool[i%writers] = append(pool[i%writers], e)
		case strings.HasPrefix(db, "account/"):
			accounts[i%writers] = append(accounts[i%writers], e)
		}
	}
	return [][][]entry{pool, accounts}
}

func (b *bareBolt) assignAndRelease(clients int) operation {
	update := b.db.Batch
	if clients == 1 { // nobody to wait for
		update = b.db.Update
	}
	return func(_ context.Context, client int) error {
		for _, shares := range b.steps {
			if err := update(func(tx *bbolt.Tx) error { return apply(tx, shares[client]) }); err != nil {
				return err
			}
		}
		return nil
	}
}

func (b *bareBolt) close() error { return b.db.Close() }

func openBolt(file string, readOnly bool) (*bbolt.DB, error) {
	return bbolt.Open(file, 0o600, &bbolt.Options{
		FreelistType: bbolt.FreelistMapType, Timeout: time.Minute, ReadOnly: readOnly, // as the store
	})
}

// copyFile leaves no holes: bbolt would wait for their blocks to be allocated.
func copyFile(ctx context.Context, to, from string) error {
	if text, err := exec.CommandContext(ctx, "cp", "--sparse=never", from, to).CombinedOutput(); err != nil {
		return fmt.Errorf("cp %s: %w: %s", from, err, text)
	}
	return nil
}

// apply writes entries whose buckets exist.
func apply(tx *bbolt.Tx, entries []entry) error {
	for _, e := range entries {
		in, last := tx.Cursor().Bucket(), len(e.path)-1
		for _, name := range e.path[:last] {
			if in = in.Bucket([]byte(name)); in == nil {
				return fmt.Errorf("no bucket %q", e.path[:last])
			}
		}
		write := func() error { return in.Put([]byte(e.path[last]), e.value) }
		if e.value == nil {
			write = func() error { return in.Delete([]byte(e.path[last])) }
		}
		if err := write(); err != nil {
			return err
		}
	}
	return nil
}

// difference returns what makes one bbolt file of another. New buckets are left out.
func difference(before, after string) (entries []entry, err error) {
	old, err := openBolt(before, true)
	if err != nil {
		return nil, err
	}
	defer old.Close()
	db, err := openBolt(after, true)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	err = old.View(func(was *bbolt.Tx) error {
		return db.View(func(is *bbolt.Tx) error {
			entries = appendDifference(nil, nil, was.Cursor().Bucket(), is.Cursor().Bucket())
			return nil
		})
	})
	return entries, err
}

// appendDifference walks through two buckets of a path side by side: files may be large.
func appendDifference(entries []entry, path []string, before, after *bbolt.Bucket) []entry {
	at := func(key []byte) []string { return append(path[:len(path):len(path)], string(key)) }
	was, is := before.Cursor(), after.Cursor()
	oldKey, old := was.First()
	key, value := is.First()
	for oldKey != nil || key != nil {
		order := bytes.Compare(oldKey, key)
		if oldKey == nil || key == nil { // the end of one
			order = -order
		}
		switch {
		case order < 0 && old != nil:
			entries = append(entries, entry{path: at(oldKey)})
		case order > 0 && value != nil, order == 0 && value != nil && !bytes.Equal(old, value):
			entries = append(entries, entry{at(key), bytes.Clone(value)})
		case order == 0 && old == nil && value == nil:
			entries = appendDifference(entries, at(key), before.Bucket(key), after.Bucket(key))
		}
		if order <= 0 {
			oldKey, old = was.Next()
		}
		if order >= 0 {
			key, value = is.Next()
		}
	}
	return entries
}
