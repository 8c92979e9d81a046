package api

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"junctor/pkg/auth"
	"junctor/pkg/fault"
)

// ServeHTTP responds to one request and writes one log line about it.
func (s *Server) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	if s.isOperational(hr.URL.Path) {
		s.closeIfLame(w)
		s.internal.ServeHTTP(w, hr)
		return
	}
	start := time.Now()
	id := requestID(hr)
	log := s.Log.With().Str("request_id", id).Stringer("client", s.client(hr)).Logger()
	r := &request{Request: hr, log: &log, id: id, verb: hr.Method, unread: hr.Body != http.NoBody}
	defer r.release()
	a, size := s.respond(w, r)
	s.record(r, a, size, time.Since(start))
}

// respond reads the request, takes a slot, and keeps it until the response is written.
func (s *Server) respond(w http.ResponseWriter, r *request) (a answer, size int) {
	rep, err := reply{}, s.readLine(r)
	switch {
	case s.isPreflight(r):
		rep.preflight, err = true, nil
	case err == nil:
		err = s.receive(w, r)
	}
	if err != nil || rep.preflight {
		a = s.finish(r, rep, err)
		return a, s.write(w, r, a)
	}
	defer r.limit(requestTime)()
	leave, err := s.enter(r)
	if err != nil {
		a = s.fail(r, err)
	} else {
		defer leave()
		a = s.serve(r)
	}
	return a, s.write(w, r, a)
}

// enter takes a slot. Requests that show no token take one of a few, so that they can't take them all.
func (s *Server) enter(r *request) (leave func(), err error) {
	slots := s.slots
	if s.isOpen(r) {
		slots = s.openSlots
	}
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, nil
	default:
		return nil, fault.New(fault.Busy, "")
	}
}

// seat bounds how many slots one account has: its clients may be slow to read their responses.
func (s *Server) seat(r *request) error {
	if r.identity == nil {
		return nil
	}
	seat := &hold{of: s.seats, holder: r.identity.AccountID}
	r.holds = append(r.holds, seat)
	return seat.set(1)
}

// isOpen reports whether a request is served without a token, or is an attempt to log in.
func (s *Server) isOpen(r *request) bool {
	s.route(r)
	return r.resource != nil && r.resource.open || r.token.Token == "" || r.token.Kind == auth.Basic
}

// serve makes the response and turns a panic into one.
func (s *Server) serve(r *request) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			r.log.Error().Str("stack", string(debug.Stack())).Msg("panic while serving a request")
			a = s.fail(r, fmt.Errorf("panic: %v", p))
		}
	}()
	rep, err := s.answer(r)
	return s.finish(r, rep, err)
}

func (s *Server) finish(r *request, rep reply, err error) answer {
	if err != nil {
		a := s.fail(r, err)
		a.bypassed = rep.bypassed
		return a
	}
	return s.succeed(r, rep)
}

// answer goes through Crossbar's checks in Crossbar's order (api_resource, cowboy_rest), with one difference:
// the account in the path is looked up after the token, so that nobody without one learns which accounts exist.
func (s *Server) answer(r *request) (reply, error) {
	if err := s.decode(r); err != nil {
		return reply{}, err
	}
	if s.isPreflight(r) { // that a POST carries
		return reply{preflight: true}, nil
	}
	s.identify(r)
	if err := s.seat(r); err != nil {
		return reply{}, err
	}
	r.settled = s.leads(r.segments) && !stops(r.refused)
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

// readLine takes in what the request line says.
func (s *Server) readLine(r *request) error {
	r.body = empty()
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
	if r.query, err = parseQuery(r.URL.RawQuery); err != nil {
		return badQuery(err)
	}
	r.token = credentials(r)
	return nil
}

// parseQuery reads a query as cowlib does: a semicolon is a character like any other.
func parseQuery(text string) (url.Values, error) {
	return url.ParseQuery(strings.ReplaceAll(text, ";", "%3B"))
}

// decode makes a body of what was received, which may hold the token and the method as well. Large ones are decoded one
// after the other: each leaves several times its length to the garbage collector.
func (s *Server) decode(r *request) (err error) {
	if len(r.raw) > unverifiedBody {
		s.decoding.Lock()
		defer s.decoding.Unlock()
	}
	if r.Body != http.NoBody || r.Header.Get("Content-Type") != "" {
		r.body, err = decodeBody(r.Header.Get("Content-Type"), r.raw)
	}
	if r.raw = nil; err != nil {
		return err
	}
	r.token = credentials(r)
	r.decoded = true
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

// isPreflight reports whether a browser asks what its page may do. No token comes with that question, and whatever the
// path leads to, the browser shows its page the response to the request itself only after a yes.
func (s *Server) isPreflight(r *request) bool {
	if r.verb != http.MethodOptions || !isCORS(r) {
		return false
	}
	s.route(r)
	r.settled = s.leads(r.segments)
	return true
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
