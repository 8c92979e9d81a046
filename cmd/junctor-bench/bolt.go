package main

import (
	"context"
	"os"

	"go.etcd.io/bbolt"
)

// boltSetup says which store to copy, and where to, to be written to without the product.
type boltSetup struct {
	File     string   `json:"file"`     // of a filled world, that nobody serves yet
	Folder   string   `json:"folder"`   // of the copy, and of nothing else
	Accounts []string `json:"accounts"` // that have addresses, as tenants do
}

// writeToBolt is bare bbolt: it puts and deletes, in a copy of an embedded store's file, the very keys and values
// that the store would, and shares transactions among those who wait, as the store does. There is no HTTP, no view
// function and no revision in that, only the disk.
func writeToBolt(ctx context.Context, c *coordinator) error {
	var setup boltSetup
	if err := c.in.Decode(&setup); err != nil {
		return err
	}
	w := &world{dsn: setup.Folder}
	for _, id := range setup.Accounts {
		w.tenants = append(w.tenants, tenant{id: id})
	}
	defer os.RemoveAll(setup.Folder)
	if err := os.Mkdir(setup.Folder, 0o700); err != nil {
		return err
	}
	if err := copyFile(w.file(), setup.File); err != nil {
		return err
	}
	script, err := w.record(ctx)
	if err != nil {
		return err
	}
	db, err := openBolt(w.file(), false)
	if err != nil {
		return err
	}
	defer db.Close()
	g := startGroup(db)
	defer g.stop()
	return c.serve(ctx, "", map[string]operation{"writes": func(_ context.Context, client int) error {
		for _, shares := range script {
			if err := g.write(shares[client]); err != nil {
				return err
			}
		}
		return nil
	}})
}

func openBolt(file string, readOnly bool) (*bbolt.DB, error) {
	return bbolt.Open(file, 0o600, &bbolt.Options{
		FreelistType: bbolt.FreelistMapType, Timeout: patience, ReadOnly: readOnly, // as the store, but for the lock
	})
}

// group writes for several at once: whoever waits goes into the next transaction.
type group struct {
	db    *bbolt.DB
	queue chan waiting
	ended chan struct{}
}

type waiting struct {
	entries []entry
	answer  chan error
}

// largestGroup is how many the store takes into one transaction.
const largestGroup = 256

func startGroup(db *bbolt.DB) *group {
	g := &group{db: db, queue: make(chan waiting), ended: make(chan struct{})}
	go g.run()
	return g
}

// stop is to be called when nobody writes any more.
func (g *group) stop() {
	close(g.queue)
	<-g.ended
}

// write returns when the entries are on disk.
func (g *group) write(entries []entry) error {
	answer := make(chan error, 1)
	g.queue <- waiting{entries, answer}
	return <-answer
}

func (g *group) run() {
	defer close(g.ended)
	for first := range g.queue {
		batch := g.gather(first)
		err := g.db.Update(func(tx *bbolt.Tx) error { return apply(tx, batch) })
		for _, w := range batch {
			w.answer <- err
		}
	}
}

func (g *group) gather(first waiting) []waiting {
	batch := []waiting{first}
	for len(batch) < largestGroup {
		select {
		case next, ok := <-g.queue:
			if !ok {
				return batch
			}
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

func apply(tx *bbolt.Tx, batch []waiting) error {
	for _, w := range batch {
		for _, e := range w.entries {
			if err := e.apply(tx); err != nil {
				return err
			}
		}
	}
	return nil
}
