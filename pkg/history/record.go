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
// Changes beyond Held stay until Trim.
func Record(after, before document.Document, by Actor, at int64) {
	record(after, before, by, at, false)
}

// RecordUndo is Record for a change that takes back the one before it: after is the document as it was before that. What
// it holds of older changes, and before does not any more, is added.
func RecordUndo(after, before document.Document, by Actor, at int64) {
	earlier, _ := after[Field].([]any)
	record(after, before, by, at, true)
	changes, _ := after[Field].([]any)
	oldest := numberOf(changes[len(changes)-1])
	for _, older := range earlier {
		if numberOf(older) < oldest {
			changes = append(changes, older)
		}
	}
	after[Field] = changes
}

// numberOf returns the number of a change as a document holds it.
func numberOf(value any) int {
	object, _ := value.(map[string]any)
	return decode("", object).Number
}

func record(after, before document.Document, by Actor, at int64, undo bool) {
	ip := after.ID()
	older, _ := before[Field].([]any)
	was := stateOf(before)
	changes := slices.Clone(older)
	newest, _ := newestOf(before)
	at = max(at, newest.At)
	if was != newest.after() {
		missed := elsewhere(newest, before, at)
		changes, at = slices.Insert(changes, 0, any(missed.encode())), max(at, missed.At)
	}
	e := change(ip, was, stateOf(after))
	e.Number, e.At, e.Actor, e.undo = lastNumber(before)+1, at, by, undo
	after[Field] = slices.Insert(changes, 0, any(e.encode()))
	if !after.Bool("_deleted") {
		after[kazoo.FieldModified] = document.Number(at)
	}
}

// elsewhere returns the event of a change that junctor did not make: the one that has led from the last known event of
// an address to a document or a tombstone. The zero Event is before the first. If the document does not say when it was
// changed, that was now, in Gregorian seconds, when it was found.
func elsewhere(last Event, doc document.Document, now int64) Event {
	e := change(doc.ID(), last.after(), stateOf(doc))
	e.Number, e.revision, e.Source = lastNumber(doc), doc.Rev(), Elsewhere
	e.ID = elsewhereID(doc)
	if e.At, _ = doc.Int(kazoo.FieldModified); e.At <= last.At {
		e.At = max(now, last.At)
	}
	return e
}

// elsewhereID returns the id of the event of a change that has led to a document and that junctor did not make.
func elsewhereID(doc document.Document) string { return eventID(doc.ID(), lastNumber(doc), doc.Rev()) }

// lastNumber returns the number of the newest change that a document holds. Without one every write counts as a change.
func lastNumber(doc document.Document) int {
	if newest, ok := newestOf(doc); ok {
		return newest.Number
	}
	return kazoo.Generation(doc.Rev())
}

// Changes returns the changes that a document of the pool or a tombstone holds, newest first. Values that are not
// objects are ignored.
func Changes(doc document.Document) []Event {
	list, _ := doc[Field].([]any)
	events := make([]Event, 0, len(list))
	for _, value := range list {
		if e, ok := decodeChange(doc, value); ok {
			events = append(events, e)
		}
	}
	return events
}

// Newest returns the newest change that a document of the pool or a tombstone holds, the zero Event if it holds none.
func Newest(doc document.Document) Event {
	e, _ := newestOf(doc)
	return e
}

func newestOf(doc document.Document) (e Event, ok bool) {
	list, _ := doc[Field].([]any)
	if len(list) == 0 {
		return Event{}, false
	}
	return decodeChange(doc, list[0])
}

// decodeChange returns a change as a document holds it. ok is false for a value that is not an object.
func decodeChange(doc document.Document, value any) (e Event, ok bool) {
	object, ok := value.(map[string]any)
	if !ok {
		return Event{}, false
	}
	return decode(doc.ID(), object), true
}

// Excess returns the changes of a document that Trim removes.
func Excess(doc document.Document, held int) []Event {
	_, excess := divide(doc, held)
	return Changes(document.Document{"_id": doc["_id"], Field: excess})
}

// Trim removes the oldest changes from a document, beyond so many. The last release of an address that is available is
// not removed as long as the document has it: see LastRelease.
func Trim(doc document.Document, held int) {
	if left, excess := divide(doc, held); len(excess) > 0 {
		doc[Field] = left
	}
}

// divide returns the changes of a document that Trim leaves, and those that it removes.
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
