package main

import (
	"bytes"
	"fmt"
	"strings"

	"go.etcd.io/bbolt"
)

// entry is a key of a bbolt file that a write changed.
type entry struct {
	bucketKey
	value []byte // nil is deleted
}

// bucketKey is where a key is: the buckets on the way, each with a NUL after it, and the key.
type bucketKey struct{ buckets, key string }

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

// difference returns what makes one bbolt file of another, in order. It walks through both side by side, and
// remembers only what differs: they may be large.
func difference(before, after string) (entries []entry, err error) {
	err = view(before, func(was *bbolt.Tx) error {
		return view(after, func(is *bbolt.Tx) error {
			entries, err = appendDifference(nil, "", was.Cursor().Bucket(), is.Cursor().Bucket())
			return err
		})
	})
	return entries, err
}

func view(file string, do func(*bbolt.Tx) error) error {
	db, err := openBolt(file, true)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.View(do)
}

func appendDifference(entries []entry, buckets string, before, after *bbolt.Bucket) ([]entry, error) {
	was, is := before.Cursor(), after.Cursor()
	oldKey, old := was.First()
	key, value := is.First()
	for oldKey != nil || key != nil {
		order := compare(oldKey, key)
		switch {
		case order < 0 && old != nil:
			entries = append(entries, entry{bucketKey: bucketKey{buckets, string(oldKey)}})
		case order > 0 && value != nil:
			entries = append(entries, entry{bucketKey{buckets, string(key)}, bytes.Clone(value)})
		case order != 0 || (old == nil) != (value == nil):
			return nil, fmt.Errorf("a bucket came or went in %q", buckets)
		case value == nil:
			var err error
			under := buckets + string(key) + "\x00"
			if entries, err = appendDifference(entries, under, before.Bucket(key), after.Bucket(key)); err != nil {
				return nil, err
			}
		case !bytes.Equal(old, value):
			entries = append(entries, entry{bucketKey{buckets, string(key)}, bytes.Clone(value)})
		}
		if order <= 0 {
			oldKey, old = was.Next()
		}
		if order >= 0 {
			key, value = is.Next()
		}
	}
	return entries, nil
}

// compare orders the keys of two cursors; nil is the end of one.
func compare(a, b []byte) int {
	switch {
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return bytes.Compare(a, b)
}
