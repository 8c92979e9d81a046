package embedded

import "net/http"

// edit is one update that somebody asks for. against makes what is to be stored from what is stored, which is nil
// for an id never used; it can be called again when that has changed.
type edit struct {
	id      string
	against func(current *record) (*record, error)
}

// against makes the record that a submitted document becomes.
func (s *submission) against(current *record) (*record, error) {
	if err := checkBase(current, s.rev, s.deleted); err != nil {
		return nil, err
	}
	next := &record{deleted: s.deleted, body: s.body}
	for _, u := range s.attachments {
		file := u.attachment
		if u.stub {
			kept, ok := current.attachmentOf(u.Name)
			if !ok {
				return nil, &Error{http.StatusPreconditionFailed, "Invalid attachment stub for " + u.Name}
			}
			file = kept
		}
		next.atts = append(next.atts, file)
	}
	return next, nil
}

// deletion makes the tombstone of a document.
func deletion(rev string) func(*record) (*record, error) {
	return func(current *record) (*record, error) {
		switch {
		case current == nil:
			return nil, errMissing
		case current.deleted:
			return nil, errDeleted
		case current.rev != rev:
			return nil, errConflict
		}
		return &record{deleted: true, body: []byte("{}")}, nil
	}
}

// checkBase refuses an update that does not follow what is stored. A deleted document can be created again
// without a revision; it goes on from its tombstone.
func checkBase(current *record, rev string, deleting bool) error {
	switch {
	case current == nil && rev == "":
		return nil
	case current == nil:
		return errConflict
	case current.rev == rev:
		return nil
	case current.deleted && rev == "" && !deleting:
		return nil
	}
	return errConflict
}
