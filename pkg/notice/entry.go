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
	number uint64 // in the order noted
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
// The order of revisions is mostly that of the notes, since whoever writes over a revision has read it first and
// noted after that. But a document may be made anew without reading: its note can be older than that of the
// removal it followed. So a document waits while an older note of it is open, and then goes by its revisions.
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

// ready answers up to limit notices that no older note stands before.
func ready(notices *bbolt.Bucket, open map[string]uint64, limit int) (batch []entry, err error) {
	seen := 0
	err = each(notices, func(e entry) bool {
		if oldest, blocked := open[e.subject()]; !blocked || e.number < oldest {
			batch = append(batch, e)
		}
		seen++
		return len(batch) < limit && seen < lookAhead*limit
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
