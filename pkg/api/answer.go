package api

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// reply is what a handler has to say.
type reply struct {
	data      any
	revision  string // of the one document that data is; empty is the MD5 of data
	metadata  any    // Kazoo 5: the document's private fields
	location  string // makes a tunnelled PUT a 201, as it does in cowboy_rest
	authToken string // issued by this request; empty is the one it came with
	pageSize  *int
	next      string // start key of the next page
	preflight bool   // nothing but headers
	bypassed  bool   // was read from the store, since memory was not current
}

// envelope is the JSON around every answer. Kazoo leaves out what it does not have; so do we, and never write null.
type envelope struct {
	PageSize     *int
	NextStartKey string
	AuthToken    string
	Data         json.RawMessage
	Error        string
	Message      string
	Metadata     any
	Node         string
	RequestID    string
	Revision     string
	Status       string
	Timestamp    string
	Version      string
}

// answer is a finished answer. Headers that are the same on every answer are not in it.
type answer struct {
	status   int
	envelope *envelope // nil is no body
	etag     string
	location string
	cors     bool
	bypassed bool
	err      error // why it is no success; for the log
}

// succeed wraps a reply.
func (s *Server) succeed(r *request, rep reply) answer {
	if rep.preflight {
		return answer{status: http.StatusOK, cors: true}
	}
	data, err := encode(rep.data)
	if err != nil {
		return s.fail(r, err)
	}
	if rep.revision == "" {
		rep.revision = document.MD5(data)
	}
	a := answer{status: http.StatusOK, location: rep.location, cors: isCORS(r), bypassed: rep.bypassed}
	if r.verb == http.MethodPut && (r.Method == http.MethodPut || rep.location != "") {
		a.status = http.StatusCreated
	}
	if r.Method == http.MethodGet { // a GET that a POST carries has no tag, as in cowboy_rest
		a.etag = `"` + rep.revision + `"`
		if err := preconditions(r, rep.revision); err != nil {
			return s.fail(r, err)
		}
		if match(r.Header.Values("If-None-Match"), rep.revision) {
			a.status = http.StatusNotModified
			return a
		}
	}
	a.envelope = s.wrap(r, "success", data)
	a.envelope.Revision, a.envelope.Metadata = rep.revision, rep.metadata
	a.envelope.PageSize, a.envelope.NextStartKey = rep.pageSize, rep.next
	if rep.authToken != "" { // whoever asked is known by now
		a.envelope.AuthToken, a.envelope.Version = rep.authToken, s.Version
	}
	return a
}

// fail turns a failure into an answer, by the table in faults.go. The CORS headers are on every failure, or a
// browser would tell its page nothing but that there was one.
func (s *Server) fail(r *request, err error) answer {
	status, message, data := describe(err)
	encoded, encodeErr := document.Encode(data)
	if encodeErr != nil {
		encoded = json.RawMessage("{}")
	}
	a := answer{status: status, err: err, cors: true, envelope: s.wrap(r, "error", encoded)}
	a.envelope.Error, a.envelope.Message = strconv.Itoa(status), message
	return a
}

func (s *Server) wrap(r *request, status string, data json.RawMessage) *envelope {
	e := &envelope{
		AuthToken: r.token.Token,
		Data:      data,
		Node:      s.node,
		RequestID: r.id,
		Status:    status,
		Timestamp: s.Now().UTC().Format("2006-01-02T15:04:05Z"),
	}
	if r.identity != nil {
		e.Version = s.Version
	}
	return e
}

// preconditions checks If-Match against the revision of what the path names; an empty one is none.
func preconditions(r *request, revision string) error {
	wanted := r.Header.Values("If-Match")
	if len(wanted) == 0 || match(wanted, revision) {
		return nil
	}
	return fault.New(fault.PreconditionFailed, "")
}

// match reports whether one of the entity tags in a header is that of revision. Both If-Match and If-None-Match
// may hold several, and "*" for any that exists.
func match(headers []string, revision string) bool {
	for _, tag := range strings.Split(strings.Join(headers, ","), ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == "*" || revision != "" && strings.Trim(tag, `"`) == revision {
			return true
		}
	}
	return false
}
