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

// view returns the rows of a view.
func (x indexContents) view(name string) *bolt.Bucket {
	return dense(x.Bucket.Bucket(rowsBucket).Bucket(viewBucket(name)))
}

// viewBucket names a view's bucket: the name of a view can be empty, that of a bucket cannot.
func viewBucket(view string) []byte { return append([]byte("v"), view...) }

// entry names the row in the list of its document's rows.
func (r row) entry() []byte {
	return appendBytes(appendBytes(nil, []byte(r.view)), r.key)
}

// add stores what a batch has for an index, which then reaches a sequence. It does nothing if the index was dropped, or
// made anew, since the batch was read.
func (x indexContents) add(ix index, batch []pending, reached uint64) error {
	if x.Bucket == nil || x.Sequence() != ix.reached {
		return nil
	}
	for _, p := range batch {
		if rows, mapped := p.rows[ix.name]; mapped {
			if err := x.replace(p.id, rows); err != nil {
				return err
			}
		}
	}
	return x.SetSequence(max(reached, ix.reached))
}

// replace replaces the rows of a document. Rows that stay as they are are not written, which spares their pages.
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
		view := x.view(r.view)
		if was && bytes.Equal(view.Get(r.key), r.value) {
			continue
		}
		if err := view.Put(r.key, r.value); err != nil {
			return err
		}
	}
	for _, r := range stale {
		if err := x.view(r.view).Delete(r.key); err != nil {
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

// entries reads a list of rows. The rows have no values.
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
