package crossbar

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/auth"
	"junctor/pkg/fault"
	"junctor/pkg/requesttime"
)

// ServeHTTP responds to one request and writes one log line about it.
func (s *Server) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	start := time.Now()
	r := s.newRequest(hr)
	defer r.release()
	resp := s.respond(w, r)
	size := s.write(w, r, resp)
	s.record(r, resp, size, time.Since(start))
}

// respond makes the response to a request, and turns a panic into one.
func (s *Server) respond(w http.ResponseWriter, r *Request) (resp response) {
	defer func() {
		if p := recover(); p != nil {
			r.log.Error().Str("stack", string(debug.Stack())).Msg("panic while serving a request")
			resp = fail(fmt.Errorf("panic: %v", p))
		}
	}()
	err := s.readHead(r)
	if r.verb == http.MethodOptions && r.cors {
		return s.preflight(r)
	}
	var raw []byte
	if err == nil && r.Body != http.NoBody {
		raw, err = s.receive(w, r)
	}
	if err != nil {
		return fail(err)
	}
	defer r.limit(requestTime)()
	if err := s.enter(r); err != nil {
		return fail(err)
	}
	rep, err := s.serve(r, raw)
	switch {
	case err != nil:
		resp = fail(err)
		resp.Bypassed = rep.Bypassed
		return resp
	case r.verb == http.MethodOptions: // which no resource has: a preflight, tunnelled in a POST
		return s.preflight(r)
	}
	return s.succeed(r, rep)
}

// serve goes through Crossbar's checks in Crossbar's order (api_resource, cowboy_rest), with two differences. The
// account in the path is looked up after the token, so that nobody without one learns which accounts exist. The token is
// verified before a large body is read, see receive.
func (s *Server) serve(r *Request, raw []byte) (Reply, error) {
	// An empty body is decoded only for its media type.
	if r.Body != http.NoBody || r.Header.Get("Content-Type") != "" && r.Header.Get("Content-Type") != "application/json" {
		if err := s.decode(r, raw); err != nil {
			return Reply{}, err
		}
	}
	// A header decides whether the response is indented, or else a parameter (api_util:get_pretty_print).
	if r.indent = r.Is("pretty_print"); r.Header.Get("X-Pretty-Print") != "" {
		r.indent = r.Header.Get("X-Pretty-Print") == "true"
	}
	if err := r.tunnel(); err != nil {
		return Reply{}, err
	}
	if r.verb == http.MethodOptions && r.cors {
		return Reply{}, nil
	}
	refused := s.identify(r)
	if r.Identity != nil {
		if err := r.hold(s.accountSlots, r.Identity.AccountID, 1); err != nil {
			return Reply{}, err
		}
	}
	if refused != nil && endsRequest(refused) {
		return Reply{}, refused
	}
	handle := r.resource.Methods[r.verb]
	if handle == nil {
		s.announce(r)
		return Reply{}, s.missing(r, refused)
	}
	r.allow = r.resource.allow
	if refused != nil {
		return Reply{}, refused
	}
	if r.Identity != nil {
		if id, ok := r.Vars["account"]; ok && r.Identity.LookupKey == "" { // a key may not learn which accounts exist
			var err error
			if r.Account, err = s.accountInPath(r, id); err != nil {
				return Reply{}, err
			}
		}
		wanted := auth.Access{Path: r.segments, Verb: r.verb, Account: r.Account}
		if err := s.Tokens.CheckRestrictions(r.Context(), r.Identity, wanted); err != nil {
			return Reply{}, err
		}
	}
	if err := r.resource.Authorize(r); err != nil {
		return Reply{}, err
	}
	if !r.acceptsJSON() {
		return Reply{}, fault.New(fault.NotAcceptable, "")
	}
	// Crossbar validates before it checks the media type. Of the methods that carry a body only PUT validates an empty
	// one.
	if r.body.unsupported && (r.verb == http.MethodPost || r.verb == http.MethodPatch) {
		return Reply{}, fault.New(fault.UnsupportedMedia, "")
	}
	return handle(r)
}

// enter takes a slot. Requests that show no token, and attempts to log in, take one of a few, so that they can't take
// them all.
func (s *Server) enter(r *Request) error {
	slots := s.slots
	if r.resource.Open || r.Token.Token == "" || r.Token.Kind == auth.Basic {
		slots = s.openSlots
	}
	return r.hold(slots, "", 1)
}

// limit bounds what the request may take from now on. The log is in its context from then on, too.
func (r *Request) limit(d time.Duration) context.CancelFunc {
	ctx, cancel := context.WithTimeout(requesttime.Begin(r.log.WithContext(r.Context())), d)
	r.Request, r.log = r.WithContext(ctx), zerolog.Ctx(ctx)
	return cancel
}

// knownMethods are the methods that HTTP's own semantics are implemented for (cowboy_rest: known_methods).
var knownMethods = map[string]bool{
	"GET": true, "HEAD": true, "POST": true, "PUT": true, "PATCH": true, "DELETE": true, "OPTIONS": true,
}

// tunnel replaces the method by the one that a POST carries in "verb" (api_util:get_http_verb). Other methods mean what
// they say: a link must not delete.
func (r *Request) tunnel() error {
	if !knownMethods[r.Method] {
		return fault.New(fault.NotImplemented, "")
	}
	verb := strings.ToUpper(r.Text("verb"))
	switch {
	case verb == "" || verb == r.Method:
		return nil
	case r.Method != http.MethodPost:
		return fault.New(fault.MethodNotAllowed, "")
	}
	r.verb = verb
	return nil
}

// missing returns why there is no resource that has the verb. A refusal of the token comes first where not even the first
// segment is known, or where the path is about an account.
func (s *Server) missing(r *Request, refused error) error {
	switch {
	case r.resource != nowhere:
		return fault.New(fault.MethodNotAllowed, "")
	case refused != nil && (!s.knowsNoun(r.segments) || r.segments[0] == ownAccount || namesNoAccount(r.segments)):
		return refused
	case namesNoAccount(r.segments):
		return badAccount("missing account_id")
	}
	return fault.New(fault.NotFound, "")
}

// namesNoAccount reports whether nothing stands where the id of an account should.
func namesNoAccount(segments []string) bool {
	return len(segments) > 1 && segments[0] == "accounts" && segments[1] == ""
}

// knowsNoun reports whether any resource begins with the first segment.
func (s *Server) knowsNoun(segments []string) bool {
	if len(segments) == 0 {
		return false
	}
	_, known := s.routes.nouns[segments[0]]
	return known
}
