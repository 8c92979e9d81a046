package embedded

import "net/http"

// op is one write to a document. next returns what is to be stored in the place of current, which is nil for an id
// that was never used. It may be called more than once.
type op struct {
	id   string
	next func(current *record) (*record, error)
}

// next returns the record that an incoming document becomes.
func (in *incoming) next(current *record) (*record, error) {
	if err := checkBase(current, in.rev, in.deleted); err != nil {
		return nil, err
	}
	next := &record{deleted: in.deleted, body: in.body}
	for _, file := range in.attachments {
		if file.data == nil {
			stored, ok := current.attachmentOf(file.Name)
			if !ok {
				return nil, &Error{http.StatusPreconditionFailed, "Invalid attachment stub for " + file.Name}
			}
			file = stored
		}
		next.atts = append(next.atts, file)
	}
	return next, nil
}

// checkBase refuses a write that does not follow the current record. A deleted document can only be created again without
// a revision, and continues from its tombstone: to name the tombstone's revision is a conflict, as in CouchDB.
func checkBase(current *record, rev string, deleting bool) error {
	switch {
	case current == nil && rev == "":
		return nil
	case current == nil:
		return errConflict
	case current.deleted && rev == "" && !deleting:
		return nil
	case !current.deleted && current.rev == rev:
		return nil
	}
	return errConflict
}
