package crossbar

import (
	"cmp"
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
}

// response is a finished response. Headers that are the same on every response are not in it.
type response struct {
	Reply   // of a success
	status  int
	data    json.RawMessage // of the envelope; nil is no body
	message string          // of a failure
	etag    string
	cors    bool
	err     error // why it is no success; nil for a success
}

// succeed makes the response of a reply.
func (s *Server) succeed(r *Request, rep Reply) response {
	data, err := document.Encode(rep.Data)
	if err != nil {
		return fail(err)
	}
	if rep.Revision == "" {
		rep.Revision = document.MD5(data)
	}
	resp := response{Reply: rep, status: http.StatusOK, data: data, cors: r.cors}
	if r.verb == http.MethodPut && (r.Method == http.MethodPut || rep.Location != "") && !rep.Nothing {
		resp.status = http.StatusCreated
	}
	if r.Method == http.MethodGet { // a GET that a POST carries has no tag, as in cowboy_rest
		resp.etag = `"` + rep.Revision + `"`
		if wanted := r.Header.Values("If-Match"); len(wanted) > 0 && !match(wanted, rep.Revision) {
			return fail(fault.New(fault.PreconditionFailed, ""))
		}
		if known := r.Header.Values("If-None-Match"); len(known) > 0 && match(known, rep.Revision) {
			resp.status, resp.data = http.StatusNotModified, nil
		}
	}
	return resp
}

// fail turns a failure into a response, by the table in errors.go. The CORS headers are on every failure, or a browser
// would tell its page nothing but that there was one.
func fail(err error) response {
	status, message, data := describe(err)
	encoded, encodeErr := document.Encode(data)
	if encodeErr != nil {
		encoded = json.RawMessage("{}")
	}
	return response{status: status, message: message, data: encoded, err: err, cors: true}
}

// envelope returns the encoded envelope: the JSON around the data of every response. Kazoo leaves out what it does not
// have; so does junctor, and never writes null. The text is valid as long as buffer is not used otherwise. Large data,
// which is encoded already, is not copied.
func (s *Server) envelope(r *Request, resp response, buffer *[]byte) (parts, error) {
	status, failure, version := "success", "", ""
	if resp.err != nil {
		status, failure = "error", strconv.Itoa(resp.status)
	}
	if r.Identity != nil || resp.AuthToken != "" { // whoever asked is known
		version = s.Version
	}
	text := (*buffer)[:0]
	if resp.PageSize != nil {
		text = strconv.AppendInt(append(text, `,"page_size":`...), int64(*resp.PageSize), 10)
	}
	text = document.AppendMember(text, "next_start_key", resp.Next)
	text = document.AppendMember(text, "next_since", resp.Since)
	if resp.MaxAge > 0 {
		text = strconv.AppendInt(append(text, `,"max_age_s":`...), int64(resp.MaxAge), 10)
	}
	text = document.AppendMember(text, "auth_token", cmp.Or(resp.AuthToken, r.Token.Token))
	text = append(text, `,"data":`...)
	cut, large := len(text), len(resp.data) > largestBuffer
	if !large {
		text = append(text, resp.data...)
	}
	text = document.AppendMember(text, "error", failure)
	text = document.AppendMember(text, "message", resp.message)
	if resp.Metadata != nil {
		metadata, err := document.Encode(resp.Metadata)
		if err != nil {
			return nil, err
		}
		text = append(append(text, `,"metadata":`...), metadata...)
	}
	text = document.AppendMember(text, "node", s.node)
	text = document.AppendMember(text, "request_id", r.ID)
	text = document.AppendMember(text, "revision", resp.Revision)
	text = document.AppendMember(text, "status", status)
	text = s.Now().UTC().AppendFormat(append(text, `,"timestamp":"`...), "2006-01-02T15:04:05Z")
	text = append(text, '"')
	text = document.AppendMember(text, "version", version)
	text = append(text, '}')
	text[0] = '{' // for the comma of the first member
	if cap(text) <= 2*largestBuffer {
		*buffer = text
	}
	if large {
		return parts{text[:cut], resp.data, text[cut:]}, nil
	}
	return parts{text}, nil
}
