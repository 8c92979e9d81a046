package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// write sends the answer and returns how many bytes of its body were sent.
func (s *Server) write(w http.ResponseWriter, r *request, a answer) int {
	if a.envelope == nil {
		s.setHeaders(w, r, a)
		if a.status != http.StatusNotModified {
			w.Header().Set("Content-Length", "0")
		}
		w.WriteHeader(a.status)
		return 0
	}
	buffer, _ := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	text, err := a.text(r, buffer)
	if err == nil {
		err = s.holdResponse(r, text.size())
	}
	if err != nil {
		a = s.fail(r, err)
		text, _ = a.text(r, buffer) // the text of a failure is short, and there is none that can't be encoded
	}
	s.setHeaders(w, r, a)
	h := w.Header()
	// Exactly this: Monster UI reads the body of an error only under this very value.
	h.Set("Content-Type", "application/json")
	h.Set("Content-Language", "en")
	h.Set("Vary", "accept-language, accept")
	h.Set("Content-Length", strconv.Itoa(text.size()))
	w.WriteHeader(a.status)
	return text.send(w)
}

func (s *Server) setHeaders(w http.ResponseWriter, r *request, a answer) {
	s.closeIfLame(w)
	h := w.Header()
	h.Set("X-Request-Id", r.id)
	if a.cors {
		setCORS(h, r)
	}
	if a.location != "" {
		h.Set("Location", a.location)
	}
	if a.etag != "" { // a GET that succeeded
		h.Set("Etag", a.etag)
		h.Set("Expires", "Fri, 01 Jan 1999 00:00:00 GMT")
	}
	if a.bypassed {
		h.Set("X-Read-From", "store")
	}
	if a.status == http.StatusServiceUnavailable || a.status == http.StatusTooManyRequests {
		h.Set("Retry-After", "1")
	}
	// Or a browser shows one token's page what another token got: to its cache both are the same URL.
	if a.status >= http.StatusBadRequest || r.token.Token != "" || r.text("token") != "" ||
		a.envelope != nil && a.envelope.AuthToken != "" {
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

// holdResponse makes sure that there is room for n bytes of the response to r.
func (s *Server) holdResponse(r *request, n int) error {
	if n <= largestBuffer && r.response == nil {
		return nil
	}
	if r.response == nil {
		r.response = &hold{of: s.responses}
		if r.identity != nil {
			r.response.holder = r.identity.AccountID
		}
		r.holds = append(r.holds, r.response)
	}
	return r.response.set(int64(n))
}

// parts is the body of a response, in parts: large data is not copied.
type parts [][]byte

// text returns the body. It is valid as long as buffer is not used otherwise.
func (a answer) text(r *request, buffer *[]byte) (parts, error) {
	e := a.envelope
	text := e.appendHead((*buffer)[:0])
	cut := len(text)
	large := len(e.Data) > largestBuffer
	if !large {
		text = append(text, e.Data...)
	}
	text, err := e.appendTail(text)
	if err != nil {
		return nil, err
	}
	if cap(text) <= 2*largestBuffer {
		*buffer = text
	}
	all := parts{text}
	if large {
		all = parts{text[:cut], e.Data, text[cut:]}
	}
	if r.decoded && pretty(r) {
		return all.indented(), nil
	}
	return all, nil
}

func (p parts) size() (n int) {
	for _, part := range p {
		n += len(part)
	}
	return n
}

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

// buffers are what responses are put together in. Large ones are not kept.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// largestBuffer is how long a response may be that is in no budget.
const largestBuffer = 64 << 10

// maxIndented bounds a response that is indented. Deep in each other, values take a thousand times their length.
const maxIndented = 1 << 20

// pretty reports whether the client wants to read the response itself: a header, or a setting
// (api_util:get_pretty_print).
func pretty(r *request) bool {
	if header := r.Header.Get("X-Pretty-Print"); header != "" {
		return header == "true"
	}
	return r.says("pretty_print")
}

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
