package embedded

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits on what is stored. The first is CouchDB's default; bbolt bounds a key, and a document id is part of some.
const (
	maxDocument   = 8_000_000
	maxAttachment = 8 << 20
	maxDocumentID = 4096
)

// submission is a document as a client sent it, CouchDB's own members taken apart from the rest.
type submission struct {
	id, rev     string
	deleted     bool
	body        []byte
	attachments []upload
}

// upload is one member of `_attachments`: a file, or the stub of one that is to stay.
type upload struct {
	attachment
	stub bool
}

// readSubmission takes a document in any form that kivik's couch driver takes.
func readSubmission(doc any) (*submission, error) {
	var raw []byte
	switch t := doc.(type) {
	case []byte:
		raw = t
	case string:
		raw = []byte(t)
	default:
		var err error
		if raw, err = encodeJSON(doc); err != nil {
			return nil, badRequest("%s", err)
		}
	}
	var compact bytes.Buffer
	compact.Grow(len(raw))
	if !utf8.Valid(raw) || json.Compact(&compact, raw) != nil {
		return nil, badRequest("invalid UTF-8 JSON")
	}
	return parseSubmission(compact.Bytes())
}

// parseSubmission takes compact JSON.
func parseSubmission(raw []byte) (*submission, error) {
	if raw[0] != '{' {
		return nil, badRequest("Document must be a JSON object")
	}
	s := &submission{body: make([]byte, 1, len(raw))}
	s.body[0] = '{'
	for name, value := range members(raw) {
		if err := s.member(name, value); err != nil {
			return nil, err
		}
	}
	s.body = append(s.body, '}')
	if len(s.body) > maxDocument {
		return nil, &Error{http.StatusRequestEntityTooLarge, s.id}
	}
	return s, nil
}

// member takes in one member of the document.
func (s *submission) member(quoted, value []byte) error {
	name := unquote(string(quoted))
	switch name {
	case "_id":
		return s.text(name, value, &s.id)
	case "_rev":
		return s.text(name, value, &s.rev)
	case "_deleted":
		if json.Unmarshal(value, &s.deleted) != nil {
			return badMember(name)
		}
		return nil
	case "_attachments":
		return s.readAttachments(value)
	case "_revs_info", "_conflicts", "_deleted_conflicts", "_local_seq":
		return nil // what a read may have added; CouchDB drops it too
	case "_revisions":
		return notSupported("_revisions in a document")
	}
	if strings.HasPrefix(name, "_") {
		return badMember(name)
	}
	if len(s.body) > 1 {
		s.body = append(s.body, ',')
	}
	s.body = append(append(s.body, quote(name)...), ':')
	s.body = append(s.body, value...)
	return nil
}

func (s *submission) text(name string, value json.RawMessage, dst *string) error {
	if json.Unmarshal(value, dst) != nil {
		return badMember(name)
	}
	return nil
}

func badMember(name string) error {
	return badRequest("Bad special document member: %s", name)
}

func (s *submission) readAttachments(value json.RawMessage) error {
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
			s.attachments = append(s.attachments, upload{attachment: attachment{Name: name}, stub: true})
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
		s.attachments = append(s.attachments, upload{attachment: file})
	}
	slices.SortFunc(s.attachments, func(a, b upload) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

var revision = regexp.MustCompile(`^[0-9]+-[0-9a-zA-Z]+$`)

// expectRev settles which revision a request is based on: the document and the rev option can both name one.
func expectRev(inDocument, option string) (string, error) {
	switch {
	case inDocument != "" && option != "" && inDocument != option:
		return "", badRequest("Document rev from request body and query string have different values")
	case inDocument == "":
		inDocument = option
	}
	if inDocument != "" && !revision.MatchString(inDocument) {
		return "", badRequest("Invalid rev format")
	}
	return inDocument, nil
}

// checkDocumentID applies CouchDB's rule, and bounds what becomes part of a key.
func checkDocumentID(id string) error {
	switch {
	case id == "":
		return badRequest("Document id must not be empty")
	case id == designPrefix || id == localPrefix:
		return badRequest("Illegal document id `%s`", id)
	case strings.HasPrefix(id, "_") && !isDesign(id) && !isLocal(id):
		return badRequest("Only reserved document ids may start with underscore.")
	case len(id) > maxDocumentID:
		return badRequest("Document id is too long")
	case strings.ContainsRune(id, 0) || !utf8.ValidString(id):
		return badRequest("Document id must be UTF-8 without NUL")
	}
	return nil
}

const (
	designPrefix = "_design/"
	localPrefix  = "_local/"
)

func isDesign(id string) bool { return strings.HasPrefix(id, designPrefix) }
func isLocal(id string) bool  { return strings.HasPrefix(id, localPrefix) }

// readLimited reads a file that is to be attached.
func readLimited(r io.Reader, name string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxAttachment+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxAttachment {
		return nil, &Error{http.StatusRequestEntityTooLarge, name}
	}
	return data, nil
}
