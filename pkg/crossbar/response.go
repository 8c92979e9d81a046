package crossbar

import (
	"encoding/json"
	"net/http"
	"strconv"

	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// Reply is what a handler returns.
type Reply struct {
	// Data is what package document encodes, or the text itself as json.RawMessage.
	Data any
	// Revision is that of the one document that Data is; empty is the MD5 of Data.
	Revision string
	// Metadata are the document's private fields, which Kazoo 5 shows; nil leaves them out.
	Metadata any
	// Location makes a tunnelled PUT a 201, as it does in cowboy_rest.
	Location string
	// AuthToken was issued by this request; empty is the one that it came with.
	AuthToken string
	// PageSize is how many rows a page has, nil where there are no pages.
	PageSize *int
	// Next is the start key of the next page, empty if there is none.
	Next string
	// MaxAge is for how many seconds a client may use Data without asking again; 0 leaves it open.
	MaxAge int
	// Since is the position of a list of changes, from which the next one goes on; empty elsewhere.
	Since string
	// Bypassed says that Data was read from the store, since memory was not current.
	Bypassed bool

	// Nothing says that a PUT has created nothing, as in a dry run: 200 and not 201.
	Nothing bool

	preflight bool // nothing but headers
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

// envelope is the JSON around the data of every response. Kazoo leaves out what it does not have; so does junctor, and
// never writes null.
type envelope struct {
	pageSize     *int
	nextStartKey string
	maxAge       int
	since        string
	authToken    string
	data         json.RawMessage
	err          string
	message      string
	metadata     any
	node         string
	requestID    string
	revision     string
	status       string
	timestamp    string
	version      string
}

// text returns the encoded envelope. It is valid as long as buffer is not used otherwise. Large data, which is encoded
// already, is not copied.
func (e *envelope) text(buffer *[]byte) (parts, error) {
	text := (*buffer)[:0]
	if e.pageSize != nil {
		text = strconv.AppendInt(append(text, `,"page_size":`...), int64(*e.pageSize), 10)
	}
	text = document.AppendMember(text, "next_start_key", e.nextStartKey)
	text = document.AppendMember(text, "next_since", e.since)
	if e.maxAge > 0 {
		text = strconv.AppendInt(append(text, `,"max_age_s":`...), int64(e.maxAge), 10)
	}
	text = document.AppendMember(text, "auth_token", e.authToken)
	text = append(text, `,"data":`...)
	cut, large := len(text), len(e.data) > largestBuffer
	if !large {
		text = append(text, e.data...)
	}
	text = document.AppendMember(text, "error", e.err)
	text = document.AppendMember(text, "message", e.message)
	if e.metadata != nil {
		metadata, err := document.Encode(e.metadata)
		if err != nil {
			return nil, err
		}
		text = append(append(text, `,"metadata":`...), metadata...)
	}
	text = document.AppendMember(text, "node", e.node)
	text = document.AppendMember(text, "request_id", e.requestID)
	text = document.AppendMember(text, "revision", e.revision)
	text = document.AppendMember(text, "status", e.status)
	text = document.AppendMember(text, "timestamp", e.timestamp)
	text = document.AppendMember(text, "version", e.version)
	text = append(text, '}')
	text[0] = '{' // for the comma of the first member
	if cap(text) <= 2*largestBuffer {
		*buffer = text
	}
	if large {
		return parts{text[:cut], e.data, text[cut:]}, nil
	}
	return parts{text}, nil
}

// succeed wraps a reply.
func (s *Server) succeed(r *Request, rep Reply) response {
	data, err := document.Encode(rep.Data)
	if err != nil {
		return s.fail(r, err)
	}
	if rep.Revision == "" {
		rep.Revision = document.MD5(data)
	}
	resp := response{status: http.StatusOK, location: rep.Location, cors: r.cors, bypassed: rep.Bypassed}
	if r.verb == http.MethodPut && (r.Method == http.MethodPut || rep.Location != "") && !rep.Nothing {
		resp.status = http.StatusCreated
	}
	if r.Method == http.MethodGet { // a GET that a POST carries has no tag, as in cowboy_rest
		resp.etag = `"` + rep.Revision + `"`
		if wanted := r.Header.Values("If-Match"); len(wanted) > 0 && !match(wanted, rep.Revision) {
			return s.fail(r, fault.New(fault.PreconditionFailed, ""))
		}
		if known := r.Header.Values("If-None-Match"); len(known) > 0 && match(known, rep.Revision) {
			resp.status = http.StatusNotModified
			return resp
		}
	}
	resp.envelope = s.wrap(r, "success", data)
	resp.envelope.pageSize, resp.envelope.nextStartKey = rep.PageSize, rep.Next
	resp.envelope.maxAge, resp.envelope.since = rep.MaxAge, rep.Since
	resp.envelope.revision, resp.envelope.metadata = rep.Revision, rep.Metadata
	if rep.AuthToken != "" { // whoever asked is known by now
		resp.envelope.authToken, resp.envelope.version = rep.AuthToken, s.Version
	}
	return resp
}

// fail turns a failure into a response, by the table in errors.go. The CORS headers are on every failure, or a browser
// would tell its page nothing but that there was one.
func (s *Server) fail(r *Request, err error) response {
	status, message, data := describe(err)
	encoded, encodeErr := document.Encode(data)
	if encodeErr != nil {
		encoded = json.RawMessage("{}")
	}
	resp := response{status: status, err: err, cors: true, envelope: s.wrap(r, "error", encoded)}
	resp.envelope.err, resp.envelope.message = strconv.Itoa(status), message
	return resp
}

func (s *Server) wrap(r *Request, status string, data json.RawMessage) *envelope {
	e := &envelope{
		authToken: r.Token.Token, data: data, node: s.node, requestID: r.ID, status: status,
		timestamp: s.Now().UTC().Format("2006-01-02T15:04:05Z"),
	}
	if r.Identity != nil {
		e.version = s.Version
	}
	return e
}
