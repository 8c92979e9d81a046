package notice

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"

	"go.etcd.io/bbolt"

	"junctor/pkg/boltfile"
)

// The two buckets of the file, both from number to entry: notes of writes whose outcome is not known, and
// notices that can be sent. A note gets a new number when it becomes a notice.
var (
	notesBucket   = []byte("notes")
	noticesBucket = []byte("notices")
)

// mostWaiting is how many entries are kept while the broker is away.
const mostWaiting = 100_000

// queue is the file. Whatever is written to it is on disk when the call returns.
type queue struct {
	db    *bbolt.DB
	limit int
	last  atomic.Uint64 // the number given out last
	count atomic.Int64  // entries; changed only by commit

	changes chan change
	quit    chan struct{} // closed to end commit
	ended   chan struct{} // closed by commit
}

func openQueue(path string) (*queue, error) {
	db, _, err := boltfile.Open(path, boltfile.Options{Fill: createBuckets})
	if errors.Is(err, boltfile.ErrDamaged) {
		err = fmt.Errorf("%w; move it away to go on without the notices that waited in it", err)
	}
	if err != nil {
		return nil, err
	}
	q := &queue{
		db: db, limit: mostWaiting,
		changes: make(chan change), quit: make(chan struct{}), ended: make(chan struct{}),
	}
	err = boltfile.Guard(path, func() error {
		if err := db.View(checkBuckets); err != nil {
			return err
		}
		return errors.Join(q.recount(), q.resume())
	})
	if err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	go q.commit()
	return q, nil
}

func createBuckets(tx *bbolt.Tx) error {
	_, notes := tx.CreateBucket(notesBucket)
	_, notices := tx.CreateBucket(noticesBucket)
	return errors.Join(notes, notices)
}

func checkBuckets(tx *bbolt.Tx) error {
	if tx.Bucket(notesBucket) == nil || tx.Bucket(noticesBucket) == nil {
		return errors.New("it is not a file of notices: move it away")
	}
	return nil
}

func (q *queue) close() error {
	close(q.quit)
	<-q.ended
	return q.db.Close()
}

func (q *queue) length() int { return int(q.count.Load()) }

// recount makes count what is in the file.
func (q *queue) recount() error {
	return q.db.View(func(tx *bbolt.Tx) error {
		n := tx.Bucket(notesBucket).Stats().KeyN + tx.Bucket(noticesBucket).Stats().KeyN
		q.count.Store(int64(n))
		return nil
	})
}

// resume makes numbers go on where those in the file end.
func (q *queue) resume() error {
	return q.db.View(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{notesBucket, noticesBucket} {
			if key, _ := tx.Bucket(name).Cursor().Last(); key != nil {
				q.last.Store(max(q.last.Load(), binary.BigEndian.Uint64(key)))
			}
		}
		return nil
	})
}

// note stores numbered entries whose documents are about to be written. Where there are too many, the oldest
// notices go.
func (q *queue) note(entries []entry) (dropped int, err error) {
	err = q.write(func(notes, notices *bbolt.Bucket) (err error) {
		for _, e := range entries {
			if err := q.put(notes, e); err != nil {
				return err
			}
		}
		dropped, err = q.trim(notices)
		return err
	})
	return dropped, err
}

// trim removes the oldest notices as long as there are more entries than may be.
func (q *queue) trim(notices *bbolt.Bucket) (dropped int, err error) {
	for q.length() > q.limit {
		oldest, _ := notices.Cursor().First()
		if oldest == nil {
			break
		}
		if err := q.remove(notices, oldest); err != nil {
			return dropped, err
		}
		dropped++
	}
	return dropped, nil
}

// settle makes notices of the notes of writes that happened, and forgets those of writes that did not. A note
// that is gone has been settled already.
func (q *queue) settle(happened, void []entry) error {
	return q.write(func(notes, notices *bbolt.Bucket) error {
		for _, e := range happened {
			if notes.Get(e.key()) == nil {
				continue
			}
			err := q.remove(notes, e.key())
			e.number = q.last.Add(1)
			if err = errors.Join(err, q.put(notices, e)); err != nil {
				return err
			}
		}
		return q.removeAll(notes, void)
	})
}

// erase forgets notices.
func (q *queue) erase(entries []entry) error {
	return q.write(func(_, notices *bbolt.Bucket) error { return q.removeAll(notices, entries) })
}

func (q *queue) put(b *bbolt.Bucket, e entry) error {
	value, err := json.Marshal(e)
	if err != nil {
		return err
	}
	q.count.Add(1)
	return b.Put(e.key(), value)
}

func (q *queue) removeAll(b *bbolt.Bucket, entries []entry) error {
	for _, e := range entries {
		if err := q.remove(b, e.key()); err != nil {
			return err
		}
	}
	return nil
}

func (q *queue) remove(b *bbolt.Bucket, key []byte) error {
	if b.Get(key) == nil {
		return nil
	}
	q.count.Add(-1)
	return b.Delete(key)
}

// notes answers the notes of writes whose outcome is not known.
func (q *queue) notes() (entries []entry, err error) {
	err = q.db.View(func(tx *bbolt.Tx) error {
		return each(tx.Bucket(notesBucket), func(e entry) bool {
			entries = append(entries, e)
			return true
		})
	})
	return entries, err
}

// each shows entries in order until show has seen enough.
func each(b *bbolt.Bucket, show func(entry) (more bool)) error {
	c := b.Cursor()
	for key, value := c.First(); key != nil; key, value = c.Next() {
		e := entry{number: binary.BigEndian.Uint64(key)}
		if err := json.Unmarshal(value, &e); err != nil {
			return fmt.Errorf("entry %d: %w", e.number, err)
		}
		if !show(e) {
			break
		}
	}
	return nil
}
