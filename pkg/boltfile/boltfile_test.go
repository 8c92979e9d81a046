package boltfile_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"junctor/pkg/boltfile"
)

var options = boltfile.Options{Bolt: bolt.Options{NoSync: true}, Fill: fill}

// fill makes nested buckets, small and large ones, a value of several pages, and keys that need a branch.
func fill(tx *bolt.Tx) error {
	outer, err := tx.CreateBucket([]byte("outer"))
	if err != nil {
		return err
	}
	small, err := outer.CreateBucket([]byte("small"))
	if err != nil {
		return err
	}
	large, err := outer.CreateBucket([]byte("large"))
	if err != nil {
		return err
	}
	for n := range 300 {
		if err := large.Put(fmt.Appendf(nil, "key %03d", n), bytes.Repeat([]byte{'v'}, 60)); err != nil {
			return err
		}
	}
	return errors.Join(small.Put([]byte("k"), []byte("v")), outer.Put([]byte("long"), make([]byte, 9000)))
}

// sample returns the content of a file that was written to several times, so that it has free pages.
func sample(t testing.TB) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sample.db")
	db, created, err := boltfile.Open(path, options)
	if err != nil || !created {
		t.Fatalf("created %t, %v", created, err)
	}
	for range 3 {
		if err := use(db); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// use reads all of a database and writes to it.
func use(db *bolt.DB) error {
	if err := db.View(func(tx *bolt.Tx) error { return tx.ForEach(func(_ []byte, b *bolt.Bucket) error { return readAll(b) }) }); err != nil {
		return err
	}
	return db.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte("written"))
		if err != nil {
			return err
		}
		n, err := b.NextSequence()
		if err != nil {
			return err
		}
		return b.Put(binary.BigEndian.AppendUint64(nil, n), make([]byte, 3000))
	})
}

func readAll(b *bolt.Bucket) error {
	return b.ForEach(func(k, v []byte) error {
		if v == nil {
			return readAll(b.Bucket(k))
		}
		_ = bytes.Count(v, []byte{0})
		return nil
	})
}

// try opens a file with some content and uses it. It has to work, or to be refused in one line that names the file.
func try(t *testing.T, path string, raw []byte, what string) (opened bool) {
	t.Helper()
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	db, created, err := boltfile.Open(path, options)
	if created {
		t.Errorf("%s: a new file was created", what)
	}
	if err != nil {
		text := err.Error()
		if !errors.Is(err, boltfile.ErrDamaged) || !strings.Contains(text, path) || strings.Contains(text, "\n") {
			t.Errorf("%s: %v", what, err)
		}
		if left, _ := os.ReadFile(path); !bytes.Equal(left, raw) {
			t.Errorf("%s: a file that is refused was changed", what)
		}
		return false
	}
	if err := boltfile.Guard(path, func() error { return use(db) }); err != nil {
		t.Errorf("%s: it was opened and does not work: %v", what, err)
		return true // and can't be closed
	}
	if err := db.Close(); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	return true
}

// TestTruncatedFile: P6, P7.
func TestTruncatedFile(t *testing.T) {
	t.Parallel()
	raw, path := sample(t), filepath.Join(t.TempDir(), "test.db")
	if !try(t, path, raw, "whole") {
		t.Error("the whole file is refused")
	}
	page := os.Getpagesize()
	for size := 0; size < len(raw); size += page / 4 {
		for _, n := range []int{size, size + 1} {
			if try(t, path, raw[:n], fmt.Sprintf("%d of %d bytes", n, len(raw))) && n < len(raw)/2 {
				t.Errorf("%d of %d bytes are taken for a database", n, len(raw))
			}
		}
	}
}

// TestDamagedFile: P7.
func TestDamagedFile(t *testing.T) {
	t.Parallel()
	raw, path := sample(t), filepath.Join(t.TempDir(), "test.db")
	page := os.Getpagesize()
	var places []int
	for start := 0; start < len(raw); start += page { // what bbolt steers by is at the beginning of a page
		for n := range 96 {
			places = append(places, start+n)
		}
	}
	rounds := 1000
	if testing.Short() {
		rounds = 500
	}
	random := rand.New(rand.NewPCG(1, 2))
	refused := 0
	for n := range rounds {
		damaged := bytes.Clone(raw)
		at := places[random.IntN(len(places))]
		if n%4 == 0 {
			at = random.IntN(len(raw))
		}
		damaged[at] ^= byte(1 + random.IntN(255))
		if !try(t, path, damaged, fmt.Sprintf("byte %d (page %d, offset %d) is %#x instead of %#x", at, at/page, at%page,
			damaged[at], raw[at])) {
			refused++
		}
	}
	if refused < rounds/10 {
		t.Errorf("%d of %d files were refused: this test damages nothing that matters", refused, rounds)
	}
	for start := 0; start < len(raw); start += page {
		for name, fillWith := range map[string]byte{"zeros": 0, "ones": 0xFF} {
			damaged := bytes.Clone(raw)
			copy(damaged[start:start+page], bytes.Repeat([]byte{fillWith}, page))
			try(t, path, damaged, fmt.Sprintf("page %d is all %s", start/page, name))
		}
	}
}

func TestForeignFile(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string][]byte{
		"text":   []byte(strings.Repeat("no database ", 2000)),
		"short":  []byte("x"),
		"sqlite": append([]byte("SQLite format 3\x00"), make([]byte, 8176)...),
	} {
		if try(t, filepath.Join(t.TempDir(), "test.db"), raw, name) {
			t.Errorf("%s is taken for a database", name)
		}
	}
}

func TestOpenCreatesOnce(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "test.db")
	for n := range 2 {
		db, created, err := boltfile.Open(path, options)
		if err != nil || created != (n == 0) {
			t.Fatalf("open %d: created %t, %v", n, created, err)
		}
		if _, _, err := boltfile.Open(path, options); err == nil || !strings.Contains(err.Error(), "in use by another") {
			t.Errorf("second opener: %v", err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	failed := boltfile.Options{Fill: func(*bolt.Tx) error { return errors.New("no") }}
	if _, _, err := boltfile.Open(filepath.Join(folder, "other.db"), failed); err == nil {
		t.Error("a file that could not be filled was opened")
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 1 {
		t.Errorf("the folder holds %v, %v", files, err)
	}
}

// TestGuard: a file that is cut off while it is open gives errors, for reads and writes.
func TestGuard(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	db, _, err := boltfile.Open(path, options)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(3*os.Getpagesize())); err != nil {
		t.Fatal(err)
	}
	err = boltfile.Guard(path, func() error {
		return db.View(func(tx *bolt.Tx) error { return tx.ForEach(func(_ []byte, b *bolt.Bucket) error { return readAll(b) }) })
	})
	if !errors.Is(err, boltfile.ErrDamaged) || strings.Contains(err.Error(), "\n") {
		t.Errorf("read: %v", err)
	}
	err = boltfile.Guard(path, func() error {
		return db.Update(func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte("outer")) })
	})
	if !errors.Is(err, boltfile.ErrDamaged) {
		t.Errorf("write: %v", err)
	}
	other := errors.New("other")
	if err := boltfile.Guard(path, func() error { return other }); err != other {
		t.Errorf("an ordinary error becomes %v", err)
	}
}
