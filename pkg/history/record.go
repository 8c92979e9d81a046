package history

import (
	"slices"

	"junctor/pkg/document"
	"junctor/pkg/kazoo"
)

// Field is the private field in which the document of an address holds its last changes, newest first. It is in no
// response and in no account's copy.
const Field = "pvt_changes"

// Held is how many changes a document holds.
const Held = 4

// Record adds the change from before to after to the changes in after, as the newest, and sets after's time of
// modification to that of the event. before is the document as it was read: nil for an address that never existed, a
// tombstone for one that was deleted. at is now, in Gregorian seconds; an event is not earlier than the one before it.
//
// If before is not in the state that its newest change left, as after a write of Kazoo's, that change is added, too.
// What is beyond Held stays until Trim.
func Record(after, before document.Document, by Actor, at int64) {
	ip := after.ID()
	older, _ := before[Field].([]any)
	was := stateOf(before)
	changes := slices.Clone(older)
	newest, ok := newestOf(before)
	if !ok { // every write counts as a change
		newest.Number = kazoo.Generation(before.Rev())
	}
	at = max(at, newest.At)
	if was != newest.after() {
		missed := elsewhere(newest, before)
		changes, at = slices.Insert(changes, 0, any(missed.encode())), max(at, missed.At)
	}
	e := change(ip, was, stateOf(after))
	e.Number, e.At, e.Actor = newest.Number+1, at, by
	after[Field] = slices.Insert(changes, 0, any(e.encode()))
	if !after.Bool("_deleted") {
		after[kazoo.FieldModified] = document.Number(at)
	}
}

// elsewhere returns the event of a change that junctor did not make: the one that has led from the last known event of
// an address to a document. The zero Event is before the first.
func elsewhere(last Event, doc document.Document) Event {
	e := change(doc.ID(), last.after(), stateOf(doc))
	e.Number, e.revision, e.Source = last.Number, doc.Rev(), Elsewhere
	e.ID = eventID(e.IP, e.Number, e.revision)
	modified, _ := doc.Int(kazoo.FieldModified)
	e.At = max(modified, last.At)
	return e
}

// Changes returns the changes that a document of the pool or a tombstone holds, newest first. Values that are no
// objects are left out.
func Changes(doc document.Document) []Event {
	list, _ := doc[Field].([]any)
	events := make([]Event, 0, len(list))
	for _, value := range list {
		if object, ok := value.(map[string]any); ok {
			events = append(events, decode(doc.ID(), object))
		}
	}
	return events
}

// newestOf returns the newest change that a document holds.
func newestOf(doc document.Document) (Event, bool) {
	list, _ := doc[Field].([]any)
	if len(list) == 0 {
		return Event{}, false
	}
	object, ok := list[0].(map[string]any)
	return decode(doc.ID(), object), ok
}

// LastRelease returns which account held an address last, and since when it does not, in Gregorian seconds. ok is false
// if the address is held, or if its document does not hold a release any more. Kazoo's releases count.
func LastRelease(doc document.Document) (account string, at int64, ok bool) {
	if is := stateOf(doc); !is.exists || is.holder != "" {
		return "", 0, false
	}
	for i, e := range Changes(doc) {
		switch {
		case i == 0 && e.To != "":
			return e.To, elsewhere(e, doc).At, true
		case e.From != "" && e.To == "":
			return e.From, e.At, true
		}
	}
	return "", 0, false
}

// Excess returns the changes of a document that Trim removes.
func Excess(doc document.Document) []Event {
	if list, _ := doc[Field].([]any); len(list) <= Held {
		return nil
	}
	return Changes(doc)[Held:]
}

// Trim removes the oldest changes from a document, beyond Held.
func Trim(doc document.Document) {
	if list, _ := doc[Field].([]any); len(list) > Held {
		doc[Field] = list[:Held:Held]
	}
}
