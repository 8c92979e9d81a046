package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/fault"
)

// ServeHTTP answers one request and writes one log line about it. The log event is in the request's context.
func (s *Server) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	if operational[hr.URL.Path] {
		s.internal.ServeHTTP(w, hr)
		return
	}
	start := time.Now()
	id := requestID(hr)
	log := s.Log.With().Str("request_id", id).Logger()
	ctx, cancel := context.WithTimeout(log.WithContext(hr.Context()), requestTime)
	defer cancel()
	r := &request{Request: hr.WithContext(ctx), id: id, verb: hr.Method}
	a := s.serve(r)
	size := a.write(w, r)
	s.record(r, a, size, time.Since(start))
}

// serve takes a slot, answers the request and turns a panic into an answer.
func (s *Server) serve(r *request) (a answer) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		return s.fail(r, fault.New(fault.Busy, ""))
	}
	defer func() {
		if p := recover(); p != nil {
			zerolog.Ctx(r.ctx()).Error().Str("stack", string(debug.Stack())).Msg("panic while serving a request")
			a = s.fail(r, fmt.Errorf("panic: %v", p))
		}
	}()
	rep, err := s.answer(r)
	if err != nil {
		a = s.fail(r, err)
		a.behind = rep.behind
		return a
	}
	return s.succeed(r, rep)
}

// answer goes through Crossbar's checks in Crossbar's order (api_resource, cowboy_rest), with one difference:
// the account in the path is looked up after the token, so that nobody without one learns which accounts exist.
func (s *Server) answer(r *request) (reply, error) {
	if err := s.read(r); err != nil {
		return reply{}, err
	}
	s.identify(r)
	r.settled = s.leads(r.segments) && !stops(r.refused)
	if s.isPreflight(r) {
		return reply{preflight: true}, nil
	}
	if stops(r.refused) {
		return reply{}, r.refused
	}
	if err := find(r); err != nil {
		return reply{}, err
	}
	if err := r.resource.gate(s, r); err != nil {
		return reply{}, err
	}
	if !acceptsJSON(r) {
		return reply{}, fault.New(fault.NotAcceptable, "")
	}
	// Crossbar validates before it looks at the media type. Of the methods that carry a body only PUT has
	// something to say about an empty one.
	if r.body.foreign && (r.verb == http.MethodPost || r.verb == http.MethodPatch) {
		return reply{}, fault.New(fault.UnsupportedMedia, "")
	}
	return r.resource.methods[r.verb](r)
}

// version is the first segment of every path; all but 1 are served as 2, and hardly any is another.
var version = regexp.MustCompile(`^v([0-9]{1,9})$`)

const usualVersion = "v2"

// maxRequestLine is how long path and query may be together (cowboy: max_request_line_length).
const maxRequestLine = 8000

// read takes in what needs no decision: the version, the path, the query and the body.
func (s *Server) read(r *request) error {
	if len(r.RequestURI) > maxRequestLine {
		return fault.New(fault.TooLong, "")
	}
	segments, err := split(r.URL)
	if err != nil {
		return badQuery(err)
	}
	if err := checkVersion(segments[0]); err != nil {
		return err
	}
	r.segments = segments[1:]
	if r.query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return badQuery(err)
	}
	if r.body, err = readBody(r.Request); err != nil {
		return err
	}
	r.token = credentials(r)
	return tunnel(r)
}

func checkVersion(segment string) error {
	if segment == usualVersion {
		return nil
	}
	switch v := version.FindStringSubmatch(segment); {
	case v == nil || strings.Trim(v[1], "0") == "":
		return fault.New(fault.NotFound, "")
	case strings.TrimLeft(v[1], "0") == "1":
		return &fault.Error{Kind: fault.Gone,
			Data: "API version 1 is not supported. Please upgrade your code to use version 2."}
	}
	return nil
}

func badQuery(err error) error {
	return &fault.Error{Kind: fault.Invalid, Message: "parse_error", Err: err,
		Data: map[string]any{"message": "failed to parse the request line"}}
}

// known are the methods that HTTP's own semantics are implemented for (cowboy_rest: known_methods).
var known = map[string]bool{
	"GET": true, "HEAD": true, "POST": true, "PUT": true, "PATCH": true, "DELETE": true, "OPTIONS": true,
}

// tunnel replaces the method by the one that a POST carries in "verb" (api_util:get_http_verb). Other methods
// mean what they say: a link must not delete.
func tunnel(r *request) error {
	if !known[r.Method] {
		return fault.New(fault.NotImplemented, "")
	}
	verb := strings.ToUpper(r.text("verb"))
	switch {
	case verb == "" || verb == r.Method:
		return nil
	case r.Method != http.MethodPost:
		return fault.New(fault.MethodNotAllowed, "")
	}
	r.verb = verb
	return nil
}

// find says whether there is a resource that has the verb. That comes before the question who asks, except where
// not even the first segment is known, or where it is about an account.
func find(r *request) error {
	switch {
	case r.resource != nil && r.resource.methods[r.verb] != nil:
		return nil
	case r.resource != nil:
		return fault.New(fault.MethodNotAllowed, "")
	case r.refused != nil && (!r.settled || r.segments[0] == ownAccount || namesNoAccount(r.segments)):
		return r.refused
	case namesNoAccount(r.segments):
		return badAccount("missing account_id")
	}
	return fault.New(fault.NotFound, "")
}

// namesNoAccount reports whether nothing stands where the id of an account should.
func namesNoAccount(segments []string) bool {
	return len(segments) > 1 && segments[0] == "accounts" && segments[1] == ""
}

// isPreflight reports whether a browser asks what its page may do. No token comes with that question.
func (s *Server) isPreflight(r *request) bool {
	return r.verb == http.MethodOptions && isCORS(r) && s.leads(r.segments)
}

// leads reports whether the first segment leads anywhere.
func (s *Server) leads(segments []string) bool {
	return len(segments) > 0 && (s.nouns[segments[0]] || segments[0] == ownAccount)
}

// idShape keeps what a client names its request by fit for a header and a log line.
var idShape = regexp.MustCompile(`^[!-~]{1,128}$`)

func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); idShape.MatchString(id) {
		return id
	}
	var random [16]byte
	_, _ = rand.Read(random[:])
	return hex.EncodeToString(random[:])
}
