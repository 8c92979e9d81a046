package history

import (
	"slices"

	"junctor/pkg/document"
	"junctor/pkg/kazoo"
)

// Field is the private field in which the document of an address holds its last changes, newest first. It is in no
// response and in no account's copy.
const Field = "pvt_changes"

// Held is how many changes a document holds. MostHeld is how many while the history can't be written; then the oldest
// are lost.
const (
	Held     = 4
	MostHeld = 100
)

// Record adds the change from before to after to the changes in after, as the newest, and sets after's time of
// modification to that of the event. before is the document as it was read: nil for an address that never existed, a
// tombstone for one that was deleted. at is now, in Gregorian seconds; an event is not earlier than the one before it.
//
// If before is not in the state that its newest change left, as after a write of Kazoo's, that change is added, too.
// Changes beyond Held stay until Log.Trim.
func Record(after, before document.Document, by Actor, at int64) {
	ip := after.ID()
	older, _ := before[Field].([]any)
	was := StateOf(before)
	changes := slices.Clone(older)
	newest := Newest(before)
	at = max(at, newest.At)
	if was != newest.after() {
		missed := elsewhere(newest, before, at)
		changes, at = slices.Insert(changes, 0, any(missed.encode())), max(at, missed.At)
	}
	e := change(ip, was, StateOf(after))
	e.Number, e.At, e.Actor = newest.Number+1, at, by
	after[Field] = slices.Insert(changes, 0, any(e.encode()))
	if !after.Bool("_deleted") {
		after[kazoo.FieldModified] = document.Number(at)
	}
}

// RecordUndo is Record for a change that takes back the one before it: after is the document as it was before that. What
// it holds of older changes, and before does not any more, is added.
func RecordUndo(after, before document.Document, by Actor, at int64) {
	earlier, _ := after[Field].([]any)
	Record(after, before, by, at)
	changes, _ := after[Field].([]any)
	undo, _ := changes[0].(map[string]any)
	undo[keyUndo] = true
	oldest := decode("", changes[len(changes)-1]).Number
	for _, older := range earlier {
		if decode("", older).Number < oldest {
			changes = append(changes, older)
		}
	}
	after[Field] = changes
}

// elsewhere returns the event of a change that junctor did not make: the one that has led from the last known event of
// an address to a document or a tombstone. The zero Event is before the first. If the document does not say when it was
// changed, that was now, in Gregorian seconds, when it was found.
func elsewhere(last Event, doc document.Document, now int64) Event {
	e := change(doc.ID(), last.after(), StateOf(doc))
	e.Number, e.revision, e.Source = Newest(doc).Number, doc.Rev(), Elsewhere
	e.ID = elsewhereID(doc)
	if e.At, _ = doc.Int(kazoo.FieldModified); e.At <= last.At {
		e.At = max(now, last.At)
	}
	return e
}

// elsewhereID returns the id of the event of a change that has led to a document and that junctor did not make.
func elsewhereID(doc document.Document) string {
	return eventID(doc.ID(), Newest(doc).Number, doc.Rev())
}

// Changes returns the changes that a document of the pool or a tombstone holds, newest first. Values that are not
// objects are ignored.
func Changes(doc document.Document) []Event {
	list, _ := doc[Field].([]any)
	events := make([]Event, 0, len(list))
	for _, value := range list {
		if e := decode(doc.ID(), value); e.ID != "" {
			events = append(events, e)
		}
	}
	return events
}

// Newest returns the newest change that a document of the pool or a tombstone holds. If it holds none, that is an Event
// with nothing but a Number: then every write of the document counts as a change.
func Newest(doc document.Document) Event {
	if list, _ := doc[Field].([]any); len(list) > 0 {
		if e := decode(doc.ID(), list[0]); e.ID != "" {
			return e
		}
	}
	return Event{Number: kazoo.Generation(doc.Rev())}
}

// divide returns the changes that a document keeps if it holds so many, and those that it drops: the oldest ones. The last
// release of an address that is available is kept as long as the document has it: see LastRelease.
func divide(doc document.Document, held int) (left, excess []any) {
	list, _ := doc[Field].([]any)
	if len(list) <= held {
		return list, nil
	}
	left, excess = slices.Clone(list[:held]), slices.Clone(list[held:])
	if at := lastRelease(doc, list); at >= held && at < len(list) {
		left[held-1] = list[at]
		excess = slices.Delete(slices.Insert(excess, 0, list[held-1]), at-held+1, at-held+2)
	}
	return left, excess
}
