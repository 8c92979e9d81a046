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

// readIncoming reads a document that is or becomes a JSON object.
func readIncoming(doc any) (*incoming, error) {
	raw, err := encodeJSON(doc)
	switch {
	case err != nil:
		return nil, badRequest("invalid JSON: %s", err)
	case !utf8.Valid(raw):
		return nil, badRequest("invalid UTF-8 JSON")
	case raw[0] != '{':
		return nil, badRequest("Document must be a JSON object")
	}
	in := &incoming{body: make([]byte, 1, len(raw))}
	in.body[0] = '{'
	for name, value := range members(raw) {
		if err := in.member(name, value); err != nil {
			return nil, err
		}
	}
	in.body = append(in.body, '}')
	if len(in.body) > maxDocument {
		return nil, &Error{http.StatusRequestEntityTooLarge, in.id}
	}
	return in, checkRevision(in.rev)
}

// member adds one member of the document.
func (in *incoming) member(quoted, value []byte) error {
	name := unquote(string(quoted))
	switch name {
	case "_id":
		return in.text(name, value, &in.id)
	case "_rev":
		return in.text(name, value, &in.rev)
	case "_deleted":
		if json.Unmarshal(value, &in.deleted) != nil {
			return badMember(name)
		}
		return nil
	case "_attachments":
		return in.readAttachments(value)
	case "_revs_info", "_conflicts", "_deleted_conflicts", "_local_seq":
		return nil // what a read may have added; CouchDB drops it too
	case "_revisions":
		return notSupported("_revisions in a document")
	}
	if strings.HasPrefix(name, "_") {
		return badMember(name)
	}
	if len(in.body) > 1 {
		in.body = append(in.body, ',')
	}
	in.body = append(document.AppendString(in.body, name), ':')
	in.body = append(in.body, value...)
	return nil
}

func (in *incoming) text(name string, value []byte, dst *string) error {
	if text, ok := plainString(value); ok {
		*dst = text
	} else if json.Unmarshal(value, dst) != nil {
		return badMember(name)
	}
	return nil
}

func badMember(name string) error {
	return badRequest("Bad special document member: %s", name)
}

func (in *incoming) readAttachments(value json.RawMessage) error {
	var given map[string]struct {
		ContentType string  `json:"content_type"`
		Data        *string `json:"data"`
		Stub        bool    `json:"stub"`
	}
	if json.Unmarshal(value, &given) != nil {
		return badMember("_attachments")
	}
	for name, a := range given {
		if a.Stub {
			in.attachments = append(in.attachments, attachment{Name: name})
			continue
		}
		if a.Data == nil {
			return badRequest("Attachment %s has neither data nor a stub", name)
		}
		data, err := base64.StdEncoding.DecodeString(*a.Data)
		if err != nil {
			return badRequest("Attachment data is not base64: %s", name)
		}
		file, err := newAttachment(name, a.ContentType, data)
		if err != nil {
			return err
		}
		in.attachments = append(in.attachments, file)
	}
	slices.SortFunc(in.attachments, func(a, b attachment) int { return strings.Compare(a.Name, b.Name) })
	return nil
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
