package notice

import (
	"errors"

	"go.etcd.io/bbolt"
)

// change is something to do to the file.
type change struct {
	do   func(notes, notices *bbolt.Bucket) error
	done chan error
}

// mostChanges bounds what shares one sync.
const mostChanges = 512

var errClosed = errors.New("the file of change notices is closed")

// write changes the file. Writers who come while others are synced to disk share the next sync.
func (q *queue) write(do func(notes, notices *bbolt.Bucket) error) error {
	c := change{do, make(chan error, 1)}
	select {
	case q.changes <- c:
		return <-c.done
	case <-q.quit:
		return errClosed
	}
}

// commit makes changes until the file is closed.
func (q *queue) commit() {
	defer close(q.ended)
	for {
		select {
		case c := <-q.changes:
			q.commitAll(q.gather(c))
		case <-q.quit:
			return
		}
	}
}

// gather answers first and all other changes that wait.
func (q *queue) gather(first change) []change {
	group := []change{first}
	for len(group) < mostChanges {
		select {
		case c := <-q.changes:
			group = append(group, c)
		default:
			return group
		}
	}
	return group
}

func (q *queue) commitAll(group []change) {
	err := q.db.Update(func(tx *bbolt.Tx) error {
		notes, notices := tx.Bucket(notesBucket), tx.Bucket(noticesBucket)
		for _, c := range group {
			if err := c.do(notes, notices); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil { // what was counted is not in the file
		err = errors.Join(err, q.recount())
	}
	for _, c := range group {
		c.done <- err
	}
}
