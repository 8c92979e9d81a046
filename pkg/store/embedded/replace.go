package embedded

import (
	"bytes"

	bolt "go.etcd.io/bbolt"
)

// indexContents is one index inside a transaction.
type indexContents struct {
	*bolt.Bucket
}

func (c contents) index(name string) indexContents {
	return indexContents{c.part(indexesBucket).Bucket([]byte(name))}
}

// view gives the rows of a view.
func (x indexContents) view(name string) *bolt.Bucket {
	return dense(x.Bucket.Bucket(rowsBucket).Bucket(viewBucket(name)))
}

// viewBucket names a view's bucket: the name of a view can be empty, that of a bucket cannot.
func viewBucket(view string) []byte { return append([]byte("v"), view...) }

// entry names a row in the list of those that a document has.
func (r row) entry() []byte {
	return appendBytes(appendBytes(nil, []byte(r.view)), r.key)
}

// replace puts the rows of a document in the place of those it had. Most stay as they are, which spares the pages
// that they are on.
func (x indexContents) replace(id string, rows []row) error {
	emitted := dense(x.Bucket.Bucket(emittedBucket))
	before := bytes.Clone(emitted.Get([]byte(id)))
	stale, err := entries(before)
	if err != nil {
		return err
	}
	var after []byte
	for _, r := range rows {
		entry := r.entry()
		after = append(after, entry...)
		_, was := stale[string(entry)]
		delete(stale, string(entry))
		if err := x.put(r, was); err != nil {
			return err
		}
	}
	for _, r := range stale {
		if err := x.remove(r); err != nil {
			return err
		}
	}
	switch {
	case bytes.Equal(before, after):
		return nil
	case len(rows) == 0:
		return emitted.Delete([]byte(id))
	}
	return emitted.Put([]byte(id), after)
}

// entries reads a list of rows; they are without their values.
func entries(list []byte) (map[string]row, error) {
	rows := map[string]row{}
	for rest := list; len(rest) > 0; {
		view, behind, ok := cutBytes(rest)
		key, behind, ok2 := cutBytes(behind)
		if !ok || !ok2 {
			return nil, errCorrupt
		}
		rows[string(rest[:len(rest)-len(behind)])] = row{view: string(view), key: key}
		rest = behind
	}
	return rows, nil
}

func (x indexContents) put(r row, was bool) error {
	view := x.view(r.view)
	if was && bytes.Equal(view.Get(r.key), r.value) {
		return nil
	}
	if !was {
		if err := count(view, +1); err != nil {
			return err
		}
	}
	return view.Put(r.key, r.value)
}

func (x indexContents) remove(r row) error {
	view := x.view(r.view)
	if err := count(view, -1); err != nil {
		return err
	}
	return view.Delete(r.key)
}
