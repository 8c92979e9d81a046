package api_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"junctor/pkg/api"
)

// validating returns a handler that validates each exchange of h against the contract.
func validating(t testing.TB, format api.Format, h http.Handler) http.Handler {
	c := theContract()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &teeWriter{ResponseWriter: w, text: capture{most: largestValidated}}
		o := &observation{method: r.Method, target: r.URL, header: r.Header, format: format}
		body := capture{most: largestValidated}
		if r.Body != http.NoBody {
			copied := *r
			copied.Body = both{io.TeeReader(r.Body, &body), r.Body}
			r = &copied
		}
		h.ServeHTTP(seen, r)
		if body.cut || seen.text.cut {
			return
		}
		o.body, o.status, o.returned, o.text = body.Bytes(), seen.status, w.Header(), seen.text.Bytes()
		c.count(o)
		for _, complaint := range c.check(o) {
			t.Errorf("%s %s breaks openapi.yaml: %s\n%.300s\n%d %.500s", o.method, o.target, complaint, o.body, o.status, o.text)
		}
	})
}

// largestValidated is how long a body is at most that is validated. Tests of the limits of memory send longer ones.
const largestValidated = 256 << 10

// capture collects what is written to it, unless that is longer than most.
type capture struct {
	bytes.Buffer
	most int
	cut  bool
}

func (c *capture) Write(p []byte) (int, error) {
	if c.cut = c.cut || c.Len()+len(p) > c.most; !c.cut {
		c.Buffer.Write(p)
	}
	return len(p), nil
}

// both reads from one and closes the other.
type both struct {
	io.Reader
	io.Closer
}

// teeWriter remembers a response while it is sent.
type teeWriter struct {
	http.ResponseWriter
	status int
	text   capture
}

// Unwrap is http.ResponseController's.
func (r *teeWriter) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *teeWriter) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *teeWriter) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	_, _ = r.text.Write(p)
	return r.ResponseWriter.Write(p)
}
