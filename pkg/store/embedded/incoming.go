package embedded

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"junctor/pkg/document"
)

// Limits on what is stored. The first is CouchDB's default; bbolt bounds a key, and a document id is part of some.
const (
	maxDocument   = 8_000_000
	maxAttachment = 8 << 20
	maxDocumentID = 4096
)

// incoming is a document as a client sent it, with CouchDB's own members separated from the rest.
type incoming struct {
	id, rev     string
	deleted     bool
	body        []byte
	attachments []attachment // one without data is the stub of one that is to stay
}

// readIncoming reads a document: a map as package document has it, or what becomes a JSON object.
func readIncoming(doc any) (*incoming, error) {
	fields, err := fieldsOf(doc)
	if err != nil {
		return nil, badRequest("Document must be a JSON object: %s", err)
	}
	in, others := &incoming{}, make(map[string]any, len(fields))
	for name, value := range fields {
		if !strings.HasPrefix(name, "_") {
			others[name] = value
		} else if err := in.special(name, value); err != nil {
			return nil, err
		}
	}
	if in.body, err = document.Encode(others); err != nil {
		return nil, badRequest("invalid JSON: %s", err)
	}
	if len(in.body) > maxDocument {
		return nil, &Error{http.StatusRequestEntityTooLarge, in.id}
	}
	return in, checkRevision(in.rev)
}

func fieldsOf(doc any) (map[string]any, error) {
	switch doc := doc.(type) {
	case document.Document:
		return doc, nil
	case map[string]any:
		return doc, nil
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	return document.Decode(text)
}

// special takes one of CouchDB's own members.
func (in *incoming) special(name string, value any) error {
	known := true
	switch name {
	case "_id":
		in.id, known = value.(string)
	case "_rev":
		in.rev, known = value.(string)
	case "_deleted":
		in.deleted, known = value.(bool)
	case "_attachments":
		return in.readAttachments(value)
	case "_revs_info", "_conflicts", "_deleted_conflicts", "_local_seq": // what a read may have added; CouchDB drops it too
	case "_revisions":
		return notSupported("_revisions in a document")
	default:
		known = false
	}
	if !known {
		return badMember(name)
	}
	return nil
}

func badMember(name string) error {
	return badRequest("Bad special document member: %s", name)
}

func (in *incoming) readAttachments(value any) error {
	all, ok := value.(map[string]any)
	if !ok {
		return badMember("_attachments")
	}
	for name, value := range all {
		fields, _ := value.(map[string]any)
		if fields["stub"] == true {
			in.attachments = append(in.attachments, attachment{Name: name})
			continue
		}
		data, decoded := fields["data"].([]byte)
		text, ok := fields["data"].(string)
		if !ok && !decoded {
			return badRequest("Attachment %s has neither data nor a stub", name)
		}
		if ok {
			var err error
			if data, err = base64.StdEncoding.DecodeString(text); err != nil {
				return badRequest("Attachment data is not base64: %s", name)
			}
		}
		file, err := newAttachment(name, document.Document(fields).String("content_type"), data)
		if err != nil {
			return err
		}
		in.attachments = append(in.attachments, file)
	}
	slices.SortFunc(in.attachments, func(a, b attachment) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

// next returns the record that the document becomes in the place of current, which is nil for an id that was never used.
// It may be called more than once.
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

var revision = regexp.MustCompile(`^[0-9]+-[0-9a-zA-Z]+$`)

// checkRevision checks the spelling of a revision; empty is none.
func checkRevision(rev string) error {
	if rev != "" && !revision.MatchString(rev) {
		return badRequest("Invalid rev format")
	}
	return nil
}

// checkDocumentID applies CouchDB's rule, and bounds what becomes part of a key.
func checkDocumentID(id string) error {
	switch {
	case id == "":
		return badRequest("Document id must not be empty")
	case id == designPrefix:
		return badRequest("Illegal document id `%s`", id)
	case strings.HasPrefix(id, "_local/"):
		return notSupported("a _local document")
	case strings.HasPrefix(id, "_") && !isDesign(id):
		return badRequest("Only reserved document ids may start with underscore.")
	case len(id) > maxDocumentID:
		return badRequest("Document id is too long")
	case strings.ContainsRune(id, 0) || !utf8.ValidString(id):
		return badRequest("Document id must be UTF-8 without NUL")
	}
	return nil
}

const designPrefix = "_design/"

func isDesign(id string) bool { return strings.HasPrefix(id, designPrefix) }
