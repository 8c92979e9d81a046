package api

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"junctor/pkg/dedicatedip"
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

// envelope is the JSON around the data of every response. Kazoo leaves out what it does not have; so does junctor, and
// never writes null.
type envelope struct {
	pageSize     *int
	nextStartKey string
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
	text = appendMember(text, "next_start_key", e.nextStartKey)
	text = appendMember(text, "auth_token", e.authToken)
	text = append(text, `,"data":`...)
	cut, large := len(text), len(e.data) > largestBuffer
	if !large {
		text = append(text, e.data...)
	}
	text = appendMember(text, "error", e.err)
	text = appendMember(text, "message", e.message)
	if e.metadata != nil {
		metadata, err := document.Encode(e.metadata)
		if err != nil {
			return nil, err
		}
		text = append(append(text, `,"metadata":`...), metadata...)
	}
	text = appendMember(text, "node", e.node)
	text = appendMember(text, "request_id", e.requestID)
	text = appendMember(text, "revision", e.revision)
	text = appendMember(text, "status", e.status)
	text = appendMember(text, "timestamp", e.timestamp)
	text = appendMember(text, "version", e.version)
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
	resp.envelope.pageSize, resp.envelope.nextStartKey = rep.pageSize, rep.next
	resp.envelope.revision, resp.envelope.metadata = rep.revision, rep.metadata
	if rep.authToken != "" { // whoever asked is known by now
		resp.envelope.authToken, resp.envelope.version = rep.authToken, s.Version
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
	resp.envelope.err, resp.envelope.message = strconv.Itoa(status), message
	return resp
}

func (s *Server) wrap(r *request, status string, data json.RawMessage) *envelope {
	e := &envelope{
		authToken: r.token.Token, data: data, node: s.node, requestID: r.id, status: status,
		timestamp: s.Now().UTC().Format("2006-01-02T15:04:05Z"),
	}
	if r.identity != nil {
		e.version = s.Version
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

// encode returns data as JSON. Addresses and listings, which are read most often, are encoded without reflection.
func encode(data any) ([]byte, error) {
	switch v := data.(type) {
	case dedicatedip.Address:
		return encodeAddress(v), nil
	case []dedicatedip.Item:
		return encodeItems(v), nil
	}
	return document.Encode(data)
}

func encodeAddress(a dedicatedip.Address) []byte {
	text := appendString(append(make([]byte, 0, 256), `{"id":`...), a.ID)
	text = appendString(append(text, `,"ip":`...), a.IP)
	text = appendMember(text, "zone", a.Zone)
	text = appendMember(text, "host", a.Host)
	text = appendMember(text, "status", a.Status)
	text = appendMember(text, "type", a.Type)
	text = appendMember(text, "assigned_to", a.AssignedTo)
	return append(text, '}')
}

// encodeItems takes no more memory than the text, which may be long.
func encodeItems(items []dedicatedip.Item) []byte {
	size := 2
	for _, item := range items {
		size += len(`{"assigned_to":"","ip":"","zone":""},`) + len(item.AssignedTo) + len(item.IP) + len(item.Zone)
	}
	text := append(make([]byte, 0, size), '[')
	for i, item := range items {
		if i > 0 {
			text = append(text, ',')
		}
		text = appendString(append(text, `{"ip":`...), item.IP)
		text = appendMember(text, "zone", item.Zone)
		text = append(appendMember(text, "assigned_to", item.AssignedTo), '}')
	}
	return append(text, ']')
}

// appendMember appends a comma and a member of an object, nothing if value is empty.
func appendMember(text []byte, key, value string) []byte {
	if value == "" {
		return text
	}
	return appendString(append(append(append(text, `,"`...), key...), `":`...), value)
}

// appendString appends a JSON string.
func appendString(text []byte, value string) []byte {
	for i := range len(value) {
		if c := value[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			encoded, _ := document.Encode(value) // every string can be encoded
			return append(text, encoded...)
		}
	}
	return append(append(append(text, '"'), value...), '"')
}
