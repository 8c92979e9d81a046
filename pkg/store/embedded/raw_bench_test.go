package embedded

import (
	"context"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// rawWrite is one key that a write of a document changed; value nil deleted it.
type rawWrite struct {
	bucket, key string
	value       []byte
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
			bucket := tx.Bucket([]byte(write.bucket))
			err := bucket.Delete([]byte(write.key))
			if write.value != nil {
				err = bucket.Put([]byte(write.key), write.value)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// newRaw makes a bbolt file with a plain bucket for each bucket of a store, holding the same, and finds out by
// comparison what each turn of each client changes.
func newRaw(b *testing.B, clients int) (*writer, []*rawScript) {
	b.Helper()
	client, err := openDriver(Memory)
	if err != nil {
		b.Fatal(err)
	}
	file := client.bolt
	pool, accounts := newPool(b, kivikClientOver(b, client))
	load(b, pool, 0, clients)
	holders := newHolders(b, clients, pool, accounts)
	scripts := make([]*rawScript, clients)
	for range 4 { // as it is after a release
		for _, h := range holders {
			if err := h.write(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	before := snapshot(b, file)
	raw := fillRaw(b, before)
	for n, h := range holders {
		scripts[n] = &rawScript{}
		for range 4 {
			if err := h.write(b.Context()); err != nil {
				b.Fatal(err)
			}
			after := snapshot(b, file)
			scripts[n].turns = append(scripts[n].turns, difference(before, after))
			before = after
		}
	}
	return raw, scripts
}

// contentsOf is all keys of a file, by bucket.
type contentsOf map[string]map[string]string

func snapshot(b *testing.B, file *bolt.DB) contentsOf {
	b.Helper()
	all := contentsOf{}
	var walk func(path string, in *bolt.Bucket) error
	walk = func(path string, in *bolt.Bucket) error {
		return in.ForEach(func(k, v []byte) error {
			if v == nil {
				return walk(path+"\x00"+string(k), in.Bucket(k))
			}
			if all[path] == nil {
				all[path] = map[string]string{}
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
