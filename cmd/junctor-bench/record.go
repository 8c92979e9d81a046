package main

import (
	"context"
	"errors"
	"io"
	"os"

	"junctor/pkg/account"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/store"
)

// script is what each change of a holder does to the file, in as many shares as there are holders.
type script [changesEach][][]entry

// record finds out by comparison what the store writes into a world's file for each change. The first time round does
// not count: it finds no tombstones.
func (w *world) record(ctx context.Context) (found script, err error) {
	holders, err := w.holders(ctx)
	if err != nil {
		return found, err
	}
	for _, do := range changes {
		if err := w.open(func(s *store.Store) error { return each(ctx, s, holders, do) }); err != nil {
			return found, err
		}
	}
	for i, do := range changes {
		entries, err := w.written(func(s *store.Store) error { return each(ctx, s, holders, do) })
		if err != nil {
			return found, err
		}
		found[i] = deal(entries, len(holders))
	}
	return found, nil
}

// holders returns one for each writer, for addresses that are free.
func (w *world) holders(ctx context.Context) (holders []*holder, err error) {
	err = w.open(func(s *store.Store) error {
		for client := range writers {
			t, _ := w.tenant(client)
			h := &holder{pool: dedicatedip.Database, account: t.id, number: firstFree(len(w.tenants)) + client}
			doc, err := s.Get(ctx, h.pool, address(h.number))
			if err != nil {
				return err
			}
			h.rev = doc.Rev()
			if h.own, err = account.Database(t.id); err != nil {
				return err
			}
			holders = append(holders, h)
		}
		return nil
	})
	return holders, err
}

// written returns what something that is done in the world's store changes in its file.
func (w *world) written(do func(*store.Store) error) ([]entry, error) {
	before := w.file() + ".before"
	defer os.Remove(before)
	if err := copyFile(before, w.file()); err != nil {
		return nil, err
	}
	if err := w.open(do); err != nil {
		return nil, err
	}
	return difference(before, w.file())
}

// open does something in the world's store, which has to be closed for the file to be read.
func (w *world) open(do func(*store.Store) error) error {
	s, err := store.Open(w.dsn, store.Options{})
	if err != nil {
		return err
	}
	if err := do(s); err != nil {
		_ = s.Close()
		return err
	}
	return s.Close()
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// deal gives everybody an equal share of each bucket's entries. Whose document an entry is of makes no difference to
// the file.
func deal(entries []entry, shares int) [][]entry {
	dealt := make([][]entry, shares)
	for i, e := range entries {
		dealt[i%shares] = append(dealt[i%shares], e)
	}
	return dealt
}
