package notice

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"

	"go.etcd.io/bbolt"
)

// entry is a message in the file, and the write that it is about.
type entry struct {
	number uint64 // a note's in the order noted, a notice's in the order its outcome became known
	of     int    // which document of the write, or wholeWrite

	Message message `json:"message"`
	Before  string  `json:"before,omitempty"` // the revision that is written over
	Flush   bool    `json:"flush,omitempty"`  // it is about no document, and true once anything was written
}

// wholeWrite stands for all documents of a write.
const wholeWrite = -1

func (e entry) key() []byte { return binary.BigEndian.AppendUint64(nil, e.number) }

// subject is what the order of notices is kept for.
func (e entry) subject() string {
	return e.Message.Database + "\x00" + e.Message.ID + "\x00" + strconv.FormatBool(e.Flush)
}

// generation is how many writes had made the document with this one, as its revision begins.
func (e entry) generation() int {
	if e.Message.Rev == "" {
		return generation(e.Before) + 1
	}
	return generation(e.Message.Rev)
}

func generation(rev string) int {
	number, _, _ := strings.Cut(rev, "-")
	n, _ := strconv.Atoi(number)
	return n
}

// next answers up to limit notices to send, in order.
//
// The numbers of notices tell when an outcome became known, which is nearly the order of the writes: the outcome
// of an earlier write can be late. While it is, its note is open and older than the notice of the later write. So
// a document waits for such notes, and then goes by its revisions.
func (q *queue) next(limit int) (batch []entry, err error) {
	err = q.db.View(func(tx *bbolt.Tx) error {
		open := map[string]uint64{} // the oldest open note, by subject
		err := each(tx.Bucket(notesBucket), func(e entry) bool {
			if _, known := open[e.subject()]; !known {
				open[e.subject()] = e.number
			}
			return true
		})
		if err != nil {
			return err
		}
		batch, err = ready(tx.Bucket(noticesBucket), open, 2*limit) // the second half is for what overtakes
		return err
	})
	byGeneration(batch)
	return batch[:min(limit, len(batch))], err
}

// lookAhead bounds how far ready looks beyond notices that have to wait, as a multiple of its limit.
const lookAhead = 4

// ready answers up to limit notices that no older note stands before, and no notice of an earlier revision that
// has to wait itself.
func ready(notices *bbolt.Bucket, open map[string]uint64, limit int) (batch []entry, err error) {
	held := map[string]int{} // the lowest generation that has to wait, by subject
	seen := 0
	err = each(notices, func(e entry) bool {
		if oldest, blocked := open[e.subject()]; !blocked || e.number < oldest {
			batch = append(batch, e)
		} else if lowest, known := held[e.subject()]; !known || e.generation() < lowest {
			held[e.subject()] = e.generation()
		}
		seen++
		return len(batch) < limit && seen < lookAhead*limit
	})
	batch = slices.DeleteFunc(batch, func(e entry) bool {
		lowest, known := held[e.subject()]
		return known && e.generation() > lowest
	})
	return batch, err
}

// byGeneration puts the notices of each document in the order of its revisions, in the places they had together.
func byGeneration(batch []entry) {
	places := map[string][]int{}
	for i, e := range batch {
		places[e.subject()] = append(places[e.subject()], i)
	}
	for _, at := range places {
		group := make([]entry, len(at))
		for i, place := range at {
			group[i] = batch[place]
		}
		slices.SortStableFunc(group, func(a, b entry) int { return a.generation() - b.generation() })
		for i, place := range at {
			batch[place] = group[i]
		}
	}
}
