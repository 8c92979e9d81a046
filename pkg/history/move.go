package history

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// batchSize is about how many documents are compared, and how many events are written, in one call of the store.
const batchSize = 500

// move writes the events of documents to the database, in the order of the documents. first says that the database had
// no events before. It must be called through exclusively.
func (l *Log) move(ctx context.Context, docs []document.Document, first bool) error {
	b := &batch{Log: l, newest: map[string]latest{}, recorded: map[string]Event{}, first: first}
	var err error
	if b.prunedUntil, err = l.prunedBefore(ctx); err != nil {
		return err
	}
	if err := b.readRecorded(ctx, docs); err != nil {
		return err
	}
	for _, doc := range docs {
		if err := b.collect(ctx, doc); err != nil {
			return err
		}
	}
	if err := l.put(ctx, b.events); err != nil {
		return err
	}
	for ip, e := range b.newest {
		l.known.Add(ip, e)
	}
	return nil
}

// batch is the documents of one move.
type batch struct {
	*Log
	events []Event
	newest map[string]latest // by address; known once the events are written

	recorded map[string]Event // by id: changes from elsewhere that the database has

	prunedUntil int64 // Gregorian seconds: events from before were removed
	first       bool  // the database had no events before
}

// last returns the newest known event of an address.
func (b *batch) last(ip string) (latest, bool) {
	if e, ok := b.newest[ip]; ok {
		return e, true
	}
	return b.known.Get(ip)
}

// readRecorded reads those changes from elsewhere that the database has already, of addresses that are not known.
func (b *batch) readRecorded(ctx context.Context, docs []document.Document) error {
	ids := map[string]bool{}
	for _, doc := range docs {
		if _, known := b.last(doc.ID()); !known && !b.first && writtenElsewhere(doc) {
			ids[elsewhereID(doc)] = true
		}
	}
	found, err := b.store.GetMany(ctx, Database, slices.Sorted(maps.Keys(ids)))
	for id, doc := range found {
		b.recorded[id] = decodeDocument(doc)
	}
	return err
}

// collect adds the events of a document that the database may not have.
func (b *batch) collect(ctx context.Context, doc document.Document) error {
	before, known := b.last(doc.ID())
	last, generation, changes := before.Event, kazoo.Generation(doc.Rev()), Changes(doc)
	if known && generation >= before.generation && !last.mayPrecede(changes) {
		last, known = Event{}, false
	}
	add := func(e Event, wanted bool) {
		if wanted {
			b.events = append(b.events, e)
		}
		last = e
	}
	for i, e := range slices.Backward(changes) {
		switch {
		case known && !last.precedes(e): // the database has it
			continue
		case known && e.Source == Elsewhere:
			if e.after() == last.after() { // another server has recorded the change
				continue
			}
			e = e.from(last.after())
		case known && last.Number == e.Number-1 && last.To != e.From: // there was a change from elsewhere in between
			add(unseen(last, e), true)
		}
		// Events that were pruned must not come back from a document, except the one that says who holds the address.
		add(e, e.At >= b.prunedUntil || i == 0 && e.Action != Deleted)
	}
	if writtenElsewhere(doc) {
		if !known && !b.first {
			stored, err := b.storedLast(ctx, doc)
			if err != nil {
				return err
			}
			if last.precedes(stored) {
				last = stored
			}
		}
		e := elsewhere(last, doc, kazoo.Gregorian(b.now()))
		isNews := last.precedes(e) && last.after() != e.after()
		if isNews && !(b.first && e.Action == Created) { // at the first start only assigned addresses get an event
			add(e, true)
		}
	}
	if last.Action != "" {
		b.newest[doc.ID()] = latest{last, max(generation, before.generation)}
	}
	return nil
}

// mayPrecede reports whether e may be an event of the address before or among changes that a document holds. It is not if
// the pool was replaced by an earlier one.
func (e Event) mayPrecede(changes []Event) bool {
	for _, c := range changes {
		if c.Number == e.Number && c.revision == "" && e.revision == "" {
			return c == e
		}
	}
	return len(changes) == 0 || changes[0].Number >= e.Number
}

// storedLast returns the newest event that the database has of a document.
func (b *batch) storedLast(ctx context.Context, doc document.Document) (Event, error) {
	if e, ok := b.recorded[elsewhereID(doc)]; ok {
		return e, nil
	}
	return b.newestOf(ctx, doc.ID())
}

// from returns e as the change that has led from another state to the one it left.
func (e Event) from(before State) Event {
	led := change(e.IP, before, e.after())
	e.Action, e.From, e.Zone, e.Host = led.Action, led.From, led.Zone, led.Host
	return e
}

// unseen returns a change by others between two events. It is known only because the second event does not continue
// from the first.
func unseen(last, next Event) Event {
	before := last.after()
	e := change(next.IP, before, State{Exists: true, Holder: next.From, Zone: before.Zone, Host: before.Host})
	e.Number, e.At, e.Source = last.Number, next.At, Elsewhere
	e.revision = strconv.Itoa(kazoo.Generation(last.revision)+1) + "-unseen" // so that it comes after last within a second
	e.ID = eventID(e.IP, e.Number, e.revision)
	return e
}

// writtenElsewhere reports whether somebody else may have written a document, or deleted it.
func writtenElsewhere(doc document.Document) bool {
	newest := Newest(doc)
	modified, _ := doc.Int(kazoo.FieldModified)
	return newest.ID == "" || newest.after() != StateOf(doc) || modified != newest.At && !doc.Bool("_deleted")
}

// put writes events to the database. One that is there already, as another server has written it, is left alone.
func (l *Log) put(ctx context.Context, events []Event) error {
	for part := range slices.Chunk(events, batchSize) {
		docs := make([]document.Document, len(part))
		for i, e := range part {
			docs[i] = e.document()
		}
		var present []Event
		for i, w := range store.PutEach(ctx, l.store, Database, docs) {
			switch {
			case fault.Is(w.Err, fault.Conflict):
				present = append(present, part[i])
			case w.Err != nil:
				return w.Err
			}
		}
		if err := l.putDifferent(ctx, present); err != nil {
			return err
		}
	}
	return nil
}

// document returns the document of an event.
func (e Event) document() document.Document {
	doc := document.Document(e.encode())
	doc["_id"], doc[kazoo.FieldType], doc[keyIP] = e.ID, typeEvent, e.IP
	return doc
}

const typeEvent = "ip_event"

// conflictTime is how far apart two writes over one revision can be.
const conflictTime = 60 // seconds

// putDifferent writes events whose ids the database has with other events. Of two writes that a CouchDB cluster has
// accepted over one revision the one that the pool holds counts. Otherwise the number is one of an earlier pool: the
// event gets an id of its own.
func (l *Log) putDifferent(ctx context.Context, events []Event) error {
	ids := make([]string, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	stored, err := l.store.GetMany(ctx, Database, ids)
	if err != nil {
		return err
	}
	events = slices.DeleteFunc(events, func(e Event) bool {
		old := stored[e.ID]
		return old == nil || e.Source == Elsewhere || decodeDocument(old) == e
	})
	if len(events) == 0 {
		return nil
	}
	ips := make([]string, len(events))
	for i, e := range events {
		ips[i] = e.IP
	}
	winners, err := l.store.Contested(ctx, kazoo.DedicatedIPs, ips)
	if err != nil {
		return err
	}
	var writes []document.Document
	for _, e := range events {
		doc, old, won := e.document(), decodeDocument(stored[e.ID]), Changes(winners[e.IP])
		near := max(e.At-old.At, old.At-e.At) <= conflictTime
		switch {
		case near && slices.Contains(won, old): // e is the loser's
			continue
		case near && slices.Contains(won, e):
			doc["_rev"] = stored[e.ID].Rev()
		default:
			doc["_id"] = e.ID + ":" + strconv.FormatInt(e.At, 10)
		}
		writes = append(writes, doc)
	}
	for _, w := range store.PutEach(ctx, l.store, Database, writes) {
		if w.Err != nil && !fault.Is(w.Err, fault.Conflict) {
			return w.Err
		}
	}
	return nil
}
