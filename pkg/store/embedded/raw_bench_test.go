package embedded

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// rawWrite is one key that a write of a document changed; value nil deleted it.
type rawWrite struct {
	bucket, key string
	value       []byte
}

func (w rawWrite) do(in *bolt.Bucket) error {
	if w.value == nil {
		return in.Delete([]byte(w.key))
	}
	return in.Put([]byte(w.key), w.value)
}

// rawScript is what one client's writes change, over and over.
type rawScript struct {
	turns [][]rawWrite
	turn  int
}

func (s *rawScript) next(w *writer) error {
	writes := s.turns[s.turn%len(s.turns)]
	s.turn++
	return w.do(context.Background(), func(tx *bolt.Tx) error {
		for _, write := range writes {
			if err := write.do(tx.Bucket([]byte(write.bucket))); err != nil {
				return err
			}
		}
		return nil
	}, 1)
}

// newRaw makes a file with a plain bucket for each bucket of a store, holding the same.
func newRaw(b *testing.B, store contentsOf) *writer {
	b.Helper()
	file, _, err := openBolt(filepath.Join(b.TempDir(), "raw"), false)
	if err != nil {
		b.Fatal(err)
	}
	for path, keys := range store {
		err := file.Update(func(tx *bolt.Tx) error {
			in, err := tx.CreateBucketIfNotExists([]byte(path))
			in = dense(in)
			for _, key := range slices.Sorted(maps.Keys(keys)) {
				err = errors.Join(err, in.Put([]byte(key), []byte(keys[key])))
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	w := startWriter(file, &storeFile{})
	b.Cleanup(func() {
		w.stop()
		_ = file.Close()
	})
	return w
}

// rawScripts finds out by comparison what each turn of each client changes, the first not counted: it is the one
// to find no tombstone.
func rawScripts(b *testing.B, clients int) []*rawScript {
	b.Helper()
	d := driverDB(b)
	pool, accounts := newPool(b, clientOver(b, d.client))
	load(b, pool, 0, clients)
	var scripts []*rawScript
	for _, h := range newHolders(b, clients, pool, accounts) {
		s := &rawScript{}
		for turn := range 8 {
			before := snapshot(b, d.bolt)
			if err := h.write(b.Context()); err != nil {
				b.Fatal(err)
			}
			if turn >= 4 {
				s.turns = append(s.turns, difference(before, snapshot(b, d.bolt)))
			}
		}
		scripts = append(scripts, s)
	}
	return scripts
}

// contentsOf is all keys of a file, by bucket.
type contentsOf map[string]map[string]string

func snapshot(b *testing.B, file *bolt.DB) contentsOf {
	b.Helper()
	all := contentsOf{}
	var walk func(path string, in *bolt.Bucket) error
	walk = func(path string, in *bolt.Bucket) error {
		all[path] = map[string]string{}
		return in.ForEach(func(k, v []byte) error {
			if v == nil {
				return walk(path+"\x00"+string(k), in.Bucket(k))
			}
			all[path][string(k)] = string(v)
			return nil
		})
	}
	err := file.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, in *bolt.Bucket) error { return walk(string(name), in) })
	})
	if err != nil {
		b.Fatal(err)
	}
	return all
}

func difference(before, after contentsOf) (writes []rawWrite) {
	for bucket, keys := range after {
		for key, value := range keys {
			if old, ok := before[bucket][key]; !ok || old != value {
				writes = append(writes, rawWrite{bucket, key, []byte(value)})
			}
		}
	}
	for bucket, keys := range before {
		for key := range keys {
			if _, ok := after[bucket][key]; !ok {
				writes = append(writes, rawWrite{bucket, key, nil})
			}
		}
	}
	return writes
}
