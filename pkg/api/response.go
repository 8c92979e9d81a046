package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// reply is what a handler returns.
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

// response is a finished response. Headers that are the same on every response are not in it.
type response struct {
	status   int
	envelope *envelope // nil is no body
	etag     string
	location string
	cors     bool
	bypassed bool
	err      error // why it is no success; for the log
}

// envelope is the JSON around the data of every response, in Crossbar's order. Kazoo leaves out what it does not have; so
// does junctor, and never writes null.
type envelope struct {
	head envelopeHead
	data json.RawMessage
	tail envelopeTail
}

type envelopeHead struct {
	PageSize     *int   `json:"page_size,omitempty"`
	NextStartKey string `json:"next_start_key,omitempty"`
	AuthToken    string `json:"auth_token,omitempty"`
}

type envelopeTail struct {
	Error     string `json:"error,omitempty"`
	Message   string `json:"message,omitempty"`
	Metadata  any    `json:"metadata,omitempty"`
	Node      string `json:"node,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	Revision  string `json:"revision,omitempty"`
	Status    string `json:"status"`
	Timestamp string `json:"timestamp"`
	Version   string `json:"version,omitempty"`
}

// text returns the encoded envelope. Large data, which is encoded already, is not copied.
func (e *envelope) text() (parts, error) {
	head, err := document.Encode(e.head)
	if err != nil {
		return nil, err
	}
	tail, err := document.Encode(e.tail)
	if err != nil {
		return nil, err
	}
	head = bytes.TrimSuffix(head, []byte("}"))
	if len(head) > 1 {
		head = append(head, ',')
	}
	head = append(head, `"data":`...)
	tail[0] = ','
	if len(e.data) > largestBuffer {
		return parts{head, e.data, tail}, nil
	}
	return parts{append(append(head, e.data...), tail...)}, nil
}

// succeed wraps a reply.
func (s *Server) succeed(r *request, rep reply) response {
	data, err := encode(rep.data)
	if err != nil {
		return s.fail(r, err)
	}
	if rep.revision == "" {
		rep.revision = document.MD5(data)
	}
	resp := response{status: http.StatusOK, location: rep.location, cors: r.cors, bypassed: rep.bypassed}
	if r.verb == http.MethodPut && (r.Method == http.MethodPut || rep.location != "") {
		resp.status = http.StatusCreated
	}
	if r.Method == http.MethodGet { // a GET that a POST carries has no tag, as in cowboy_rest
		resp.etag = `"` + rep.revision + `"`
		if wanted := r.Header.Values("If-Match"); len(wanted) > 0 && !match(wanted, rep.revision) {
			return s.fail(r, fault.New(fault.PreconditionFailed, ""))
		}
		if known := r.Header.Values("If-None-Match"); len(known) > 0 && match(known, rep.revision) {
			resp.status = http.StatusNotModified
			return resp
		}
	}
	resp.envelope = s.wrap(r, "success", data)
	resp.envelope.head.PageSize, resp.envelope.head.NextStartKey = rep.pageSize, rep.next
	resp.envelope.tail.Revision, resp.envelope.tail.Metadata = rep.revision, rep.metadata
	if rep.authToken != "" { // whoever asked is known by now
		resp.envelope.head.AuthToken, resp.envelope.tail.Version = rep.authToken, s.Version
	}
	return resp
}

// fail turns a failure into a response, by the table in errors.go. The CORS headers are on every failure, or a browser
// would tell its page nothing but that there was one.
func (s *Server) fail(r *request, err error) response {
	status, message, data := describe(err)
	encoded, encodeErr := document.Encode(data)
	if encodeErr != nil {
		encoded = json.RawMessage("{}")
	}
	resp := response{status: status, err: err, cors: true, envelope: s.wrap(r, "error", encoded)}
	resp.envelope.tail.Error, resp.envelope.tail.Message = strconv.Itoa(status), message
	return resp
}

func (s *Server) wrap(r *request, status string, data json.RawMessage) *envelope {
	e := &envelope{head: envelopeHead{AuthToken: r.token.Token}, data: data, tail: envelopeTail{
		Node: s.node, RequestID: r.id, Status: status, Timestamp: s.Now().UTC().Format("2006-01-02T15:04:05Z"),
	}}
	if r.identity != nil {
		e.tail.Version = s.Version
	}
	return e
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
