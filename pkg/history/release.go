package history

import (
	"junctor/pkg/document"
	"junctor/pkg/kazoo"
)

// Release is the last time that an account gave an address back.
type Release struct {
	Account string // empty if it is not known, since Kazoo alone has written the document
	At      int64  // Gregorian seconds
}

// LastRelease returns the last release of an address that is available, by its document in the pool. ok is false if there
// was none, or the address is not available. Releases by Kazoo count; the undoing of a request that failed does not.
func LastRelease(doc document.Document) (r Release, ok bool) {
	if is := StateOf(doc); !is.Exists || is.Holder != "" {
		return Release{}, false
	}
	modified, _ := doc.Int(kazoo.FieldModified)
	newest := Newest(doc)
	switch { // a write of ours sets the time of modification to that of its event
	case newest.ID == "":
		return releasedByKazoo(doc, modified)
	case newest.To != "":
		return Release{newest.To, max(modified, newest.At)}, true
	case modified > newest.At: // Kazoo has assigned and released it
		return Release{"", modified}, true
	}
	list, _ := doc[Field].([]any)
	at := lastRelease(doc, list)
	if at == len(list) {
		return Release{}, false
	}
	e := decode(doc.ID(), list[at])
	if e.Action == Created {
		return releasedByKazoo(doc, e.At)
	}
	return Release{e.From, e.At}, true
}

// releasedByKazoo returns the release of an available address that Kazoo has modified last at a time. Beside a release
// Kazoo's only change of such a document is its creation.
func releasedByKazoo(doc document.Document, modified int64) (Release, bool) {
	created, ok := doc.Int(kazoo.FieldCreated)
	return Release{"", modified}, ok && modified > created
}

// lastRelease returns the position of the last release among the changes that the document of an available address
// holds, newest first. It is that of its creation elsewhere if that comes first, and the number of changes if there is
// neither.
func lastRelease(doc document.Document, list []any) int {
	if is := StateOf(doc); !is.Exists || is.Holder != "" {
		return len(list)
	}
	undone := "" // the account to which an undone change had assigned the address
	for i, value := range list {
		e := decode(doc.ID(), value)
		switch {
		case e.undo:
			undone = e.From
		case e.To != "" && e.To == undone:
			undone = ""
		case e.Action == Released, e.Action == Created && e.Source == Elsewhere:
			return i
		case e.To != "": // held, until it was deleted
			return len(list)
		}
	}
	return len(list)
}
