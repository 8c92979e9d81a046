package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"junctor/pkg/account"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/store"
)

// entry is a key of a bbolt file that a write changed.
type entry struct {
	place
	value []byte // nil is deleted
}

// place is where a key is: the buckets on the way, each with a NUL after it, and the key.
type place struct{ buckets, key string }

func (e entry) apply(tx *bbolt.Tx) error {
	var in *bbolt.Bucket
	for name := range strings.SplitSeq(strings.TrimSuffix(e.buckets, "\x00"), "\x00") {
		if in == nil {
			in = tx.Bucket([]byte(name))
		} else {
			in = in.Bucket([]byte(name))
		}
		if in == nil {
			return fmt.Errorf("no bucket %q", e.buckets)
		}
	}
	if e.value == nil {
		return in.Delete([]byte(e.key))
	}
	return in.Put([]byte(e.key), e.value)
}

// script is what each change of a holder does to the file, in as many shares as there are holders.
type script [changesEach][][]entry

// record makes a world and finds out by comparison what the store writes into its file for each change. The first
// time round does not count: it finds no tombstones.
func (w *world) record(ctx context.Context) (found script, err error) {
	if err := w.seed(ctx); err != nil {
		return found, err
	}
	holders, err := w.holders(ctx)
	if err != nil {
		return found, err
	}
	for range 2 {
		for i, do := range changes {
			before, err := contents(w.file())
			if err != nil {
				return found, err
			}
			if err := w.open(func(s *store.Store) error { return each(ctx, s, holders, do) }); err != nil {
				return found, err
			}
			after, err := contents(w.file())
			if err != nil {
				return found, err
			}
			found[i] = deal(difference(before, after), len(holders))
		}
	}
	return found, nil
}

// holders answers one for each writer, for addresses that are free.
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

// contents reads all of a bbolt file.
func contents(file string) (map[place]string, error) {
	db, err := openBolt(file, true)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	all := map[place]string{}
	var walk func(buckets string, in *bbolt.Bucket) error
	walk = func(buckets string, in *bbolt.Bucket) error {
		return in.ForEach(func(key, value []byte) error {
			if value == nil {
				return walk(buckets+string(key)+"\x00", in.Bucket(key))
			}
			all[place{buckets, string(key)}] = string(value)
			return nil
		})
	}
	err = db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, in *bbolt.Bucket) error { return walk(string(name)+"\x00", in) })
	})
	return all, err
}

// difference answers what makes after of before, in order.
func difference(before, after map[place]string) (entries []entry) {
	for at, value := range after {
		if old, ok := before[at]; !ok || old != value {
			entries = append(entries, entry{at, []byte(value)})
		}
	}
	for at := range before {
		if _, ok := after[at]; !ok {
			entries = append(entries, entry{place: at})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(strings.Compare(a.buckets, b.buckets), strings.Compare(a.key, b.key))
	})
	return entries
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
