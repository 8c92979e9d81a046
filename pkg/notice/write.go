package notice

import (
	"errors"

	"github.com/rs/zerolog"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// note puts down that documents are about to be written. Where that fails the write goes on: an address that
// works is worth more than a cache that knows.
func (o *Outbox) note(db string, docs []document.Document, before map[string]document.Document) []entry {
	entries := o.entries(db, docs, before)
	if len(entries) == 0 {
		return nil
	}
	o.open(entries)
	dropped, err := o.queue.note(entries)
	if err != nil {
		o.close(entries)
		o.drop(len(entries)).Err(err).Msg("change notices can't be noted: Kazoo will not hear of these writes")
		return nil
	}
	if dropped > 0 {
		o.drop(dropped).Msg("too many change notices wait for the broker: the oldest were dropped")
	}
	return entries
}

// open numbers entries, and marks them as those of a write under way, which nobody has to have doubts about.
func (o *Outbox) open(entries []entry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range entries {
		entries[i].number = o.queue.last.Add(1)
		o.opened[entries[i].number] = true
	}
}

// close takes back the mark of entries.
func (o *Outbox) close(entries []entry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range entries {
		delete(o.opened, e.number)
	}
}

// drop counts notices that are given up, and answers the log line that says why.
func (o *Outbox) drop(count int) *zerolog.Event {
	o.dropped.Add(uint64(count))
	return o.options.Log.Error().Int("count", count)
}

// entries answers what to note of a write of documents.
func (o *Outbox) entries(db string, docs []document.Document, before map[string]document.Document) []entry {
	var entries []entry
	for i, doc := range docs {
		m := about(o.options.Node, db, doc, before[doc.ID()])
		if len(m.key()) > longestKey { // no address is as long as that
			o.drop(1).Str("id", doc.ID()).Msg("there is no room for the id in a change notice")
			continue
		}
		entries = append(entries, entry{of: i, Message: m, Before: doc.Rev()})
	}
	if len(entries) > 0 && accountOf(db) != "" && !o.options.KeepProxies {
		m := flush(o.options.Node, db, entries[0].Message.ID)
		entries = append(entries, entry{of: wholeWrite, Message: m, Flush: true})
	}
	return entries
}

// outcome tells what became of a write that was noted. The request does not wait for the file to know.
func (o *Outbox) outcome(entries []entry, written []store.Written, err error) {
	if len(entries) == 0 {
		return
	}
	var happened, void []entry
	for _, e := range entries {
		switch fate := fateOf(e, written, err); {
		case fate.Err == nil:
			e.Message.Rev = fate.Rev
			happened = append(happened, e)
		case refused(fate.Err):
			void = append(void, e)
		}
	}
	o.noting.Go(func() {
		err := o.queue.settle(happened, void)
		if err != nil { // a note that stays is looked into later
			o.options.Log.Error().Err(err).Msg("change notices can't be completed yet")
		}
		o.close(entries)
		ring(o.wake)
		if err != nil || len(happened)+len(void) < len(entries) {
			ring(o.doubt)
		}
	})
}

var errNoAnswer = errors.New("no answer")

// fateOf answers what became of the document of an entry. A notice about the whole write is due when one
// document was written.
func fateOf(e entry, written []store.Written, err error) store.Written {
	switch {
	case err != nil:
		return store.Written{Err: err}
	case e.of == wholeWrite:
		return store.Written{Err: fateOfAll(written)}
	case e.of >= len(written):
		return store.Written{Err: errNoAnswer}
	default:
		return written[e.of]
	}
}

// fateOfAll answers nil where a document was written, and otherwise what leaves most hope of it.
func fateOfAll(written []store.Written) error {
	fate := errNoAnswer
	for i, w := range written {
		if w.Err == nil {
			return nil
		}
		if i == 0 || !refused(w.Err) {
			fate = w.Err
		}
	}
	return fate
}

// refused reports whether an error of the store says that nothing was written. Any other leaves that open.
func refused(err error) bool {
	switch fault.KindOf(err) {
	case fault.Conflict, fault.BadIdentifier, fault.DatastoreMissing, fault.NotImplemented:
		return true
	}
	return false
}
