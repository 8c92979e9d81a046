package crossbar

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// write sends the response and returns how many bytes of its body were sent.
func (s *Server) write(w http.ResponseWriter, r *Request, resp response) (sent int) {
	if resp.data == nil {
		s.setHeaders(w, r, resp)
		if resp.status != http.StatusNotModified {
			w.Header().Set("Content-Length", "0")
		}
		w.WriteHeader(resp.status)
		return 0
	}
	buffer, _ := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	body, err := s.envelope(r, resp, buffer)
	if err == nil && r.indent {
		body = body.indented()
	}
	size := 0
	for _, part := range body {
		size += len(part)
	}
	if err == nil {
		err = r.HoldResponse(size)
	}
	if err != nil {
		resp = fail(err)
		body, _ = s.envelope(r, resp, buffer) // the text of a failure is short, and all of it can be encoded
		size = len(body[0])
	}
	s.setHeaders(w, r, resp)
	maps.Copy(w.Header(), headersOfJSON)
	w.Header().Set("Content-Length", strconv.Itoa(size))
	w.WriteHeader(resp.status)
	return body.send(w)
}

// headersOfJSON are on every response with a body. The values are shared by all responses.
var headersOfJSON = http.Header{
	"Content-Type":     {"application/json"}, // exactly this: Monster UI reads the body of an error under no other
	"Content-Language": {"en"},
	"Vary":             {"accept-language, accept"},
}

func (s *Server) setHeaders(w http.ResponseWriter, r *Request, resp response) {
	h := w.Header()
	if s.lameDuck.Load() {
		h.Set("Connection", "close")
	}
	h.Set("X-Request-Id", r.ID)
	if resp.cors {
		setCORS(h, r)
	}
	if resp.Location != "" {
		h.Set("Location", resp.Location)
	}
	if resp.etag != "" { // a GET that succeeded
		h.Set("Etag", resp.etag)
		h.Set("Expires", "Fri, 01 Jan 1999 00:00:00 GMT")
	}
	if resp.Bypassed {
		h.Set("X-Read-From", "store")
	}
	if resp.status == http.StatusServiceUnavailable || resp.status == http.StatusTooManyRequests {
		h.Set("Retry-After", "1")
	}
	// Or a browser shows one token's page what another token got: to its cache both are the same URL.
	if resp.status >= http.StatusBadRequest || r.Token.Token != "" || r.Text("token") != "" ||
		resp.AuthToken != "" {
		h.Set("Cache-Control", "no-store")
	}
	if r.unread {
		h.Set("Connection", "close")
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(unreadTime)) // net/http reads some of it
	}
	if len(r.TransferEncoding) > 0 { // with a Content-Length beside it, which net/http does not tell, it may be smuggled
		h.Set("Connection", "close")
	}
}

// unreadTime is how long net/http waits for the rest of a body that was refused.
const unreadTime = 2 * time.Second

// HoldResponse makes sure that there is room for n bytes of the response, before it is made. It is fault.Busy if there is
// not. Short responses are in no budget.
func (r *Request) HoldResponse(n int) error {
	if n <= largestBuffer {
		n = 0
	}
	holder := ""
	if r.Identity != nil {
		holder = r.Identity.AccountID
	}
	return r.hold(r.server.responses, holder, int64(n))
}

// parts is the body of a response, in parts: large data is not copied.
type parts [][]byte

// send writes the parts and returns how many bytes were written. A client that reads nothing for a while is given up.
func (p parts) send(w http.ResponseWriter) (sent int) {
	conn := http.NewResponseController(w)
	for _, part := range p {
		for len(part) > 0 {
			piece := part[:min(len(part), largestBuffer)]
			_ = conn.SetWriteDeadline(time.Now().Add(patience))
			n, err := w.Write(piece) // HEAD writes nothing
			sent += n
			if err != nil {
				return sent // a client that is gone does not read an error either
			}
			part = part[len(piece):]
		}
	}
	return sent
}

// buffers are what responses are encoded in. Large ones are not kept.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// largestBuffer is how long a response may be that is in no budget.
const largestBuffer = 64 << 10

// maxIndented bounds a response that is indented. Deep in each other, values take a thousand times their length.
const maxIndented = 1 << 20

// indented returns the parts indented, or as they are where that would be too much to read.
func (p parts) indented() parts {
	if p.indentedSize() > maxIndented {
		return p
	}
	var b bytes.Buffer
	if json.Indent(&b, bytes.Join(p, nil), "", "  ") != nil {
		return p
	}
	return parts{b.Bytes()}
}

// indentedSize returns how long a JSON text is at most once it is indented. It stops above maxIndented.
func (p parts) indentedSize() (size int) {
	depth, inString, escaped := 0, false, false
	for _, part := range p {
		for _, c := range part {
			size++
			switch {
			case escaped:
				escaped = false
			case inString:
				escaped, inString = c == '\\', c != '"'
			case c == '"':
				inString = true
			case c == '{' || c == '[':
				depth++
				size += 1 + 2*depth
			case c == '}' || c == ']':
				depth--
				size += 1 + 2*depth
			case c == ',':
				size += 1 + 2*depth
			case c == ':':
				size++
			}
			if size > maxIndented {
				return size
			}
		}
	}
	return size
}
