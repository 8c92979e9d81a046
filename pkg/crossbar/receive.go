package crossbar

import (
	"io"
	"net/http"
	"time"

	"junctor/pkg/fault"
)

const (
	// maxBody is how long a body may be (Crossbar: max_upload_size).
	maxBody = 8_000_000
	// unverifiedBody is how long a body may be as long as no good token has been shown.
	unverifiedBody = 64 << 10
	// patience is how long a client may make no progress, in sending its body or in reading the response.
	patience = 10 * time.Second
	// progress is how many bytes of a body count as such.
	progress = 16 << 10
	// copies is how many times its length a body takes while it is decoded: the decoder's buffer is up to twice as long
	// as the longest string. For large bodies there is room for that before they are read.
	copies = 4
)

// receive reads the body of r before a slot is taken for it: slow clients occupy memory, within a budget, and
// nothing else. What is longer than unverifiedBody is read only after the token in header or query has proved good.
func (s *Server) receive(w http.ResponseWriter, r *Request) (raw []byte, err error) {
	in := &intake{request: r, conn: http.NewResponseController(w), budget: s.smallBodies, copies: 1}
	whole := false
	if r.ContentLength <= unverifiedBody {
		whole, err = in.read(unverifiedBody)
	}
	if !whole && err == nil {
		err = s.receiveLarge(r, in)
	}
	if err != nil {
		return nil, err
	}
	r.unread = false
	_ = in.conn.SetReadDeadline(time.Time{}) // net/http goes on to watch the connection
	values := min(countValues(in.text), maxValues)
	return in.text, r.hold(in.budget, in.account, copies*int64(cap(in.text))+bytesPerValue*int64(values))
}

// receiveLarge reads what is left of a body that is longer than unverifiedBody.
func (s *Server) receiveLarge(r *Request, in *intake) error {
	if r.Token.Token == "" {
		return tooLarge(unverifiedBody, "Without a token, a body must not be more than 65536 bytes")
	}
	if r.ContentLength > maxBody {
		return tooLarge(maxBody, "Payload or Files must not be more than 8000000 bytes")
	}
	account, err := s.vouch(r)
	if err != nil {
		return err
	}
	_ = r.hold(s.smallBodies, "", 0)
	in.budget, in.account, in.copies = s.largeBodies, account, copies
	if size := int(r.ContentLength) + 1; size > cap(in.text) { // known: refuse or make room for all of it at once
		if err := in.grow(size); err != nil {
			return err
		}
	}
	whole, err := in.read(maxBody)
	if !whole && err == nil {
		err = tooLarge(maxBody, "Payload or Files must not be more than 8000000 bytes")
	}
	return err
}

// vouch returns the account of a token that is good.
func (s *Server) vouch(r *Request) (account string, err error) {
	early := *r // of what is found out here nothing counts once the body is there
	early.held = nil
	defer early.release()
	if err := s.enter(&early); err != nil {
		return "", err
	}
	defer early.limit(requestTime)()
	foreign, err := s.findCluster(&early)
	if err != nil {
		return "", err
	}
	identity, err := s.authenticate(&early, foreign)
	if err != nil {
		return "", err
	}
	return identity.AccountID, nil
}

func tooLarge(target int, message string) error {
	return fault.Finding("file", "maxSize", message, map[string]any{"target": target})
}

// intake reads a body, in pieces of growing size.
type intake struct {
	request *Request
	conn    *http.ResponseController
	budget  *budget
	account string // that has what the body takes of budget; empty for one of which no good token has been shown
	copies  int64  // how many times the length of text is held while it is read
	text    []byte
	due     int // length of text at which the client gets more time
}

// read reads on until text is the whole body, or longer than limit. A client that stops sending is given up after
// patience.
func (in *intake) read(limit int) (whole bool, err error) {
	for len(in.text) <= limit {
		if len(in.text) == cap(in.text) {
			if err := in.grow(min(max(2*cap(in.text), 512), limit+1)); err != nil {
				return false, err
			}
		}
		if len(in.text) >= in.due {
			in.due = len(in.text) + progress
			_ = in.conn.SetReadDeadline(time.Now().Add(patience))
		}
		n, err := in.request.Body.Read(in.text[len(in.text):cap(in.text)])
		in.text = in.text[:len(in.text)+n]
		if err == io.EOF {
			return len(in.text) <= limit, nil
		}
		if err != nil {
			return false, unreadable(err)
		}
	}
	return false, nil
}

func (in *intake) grow(size int) error {
	if err := in.request.hold(in.budget, in.account, in.copies*int64(size)); err != nil {
		return err
	}
	in.text = append(make([]byte, 0, size), in.text...)
	return nil
}
