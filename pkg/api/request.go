package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/account"
	"junctor/pkg/auth"
	"junctor/pkg/document"
)

// request is one request of the API on its way to a handler. Its parts are filled in from top to bottom.
type request struct {
	*http.Request
	log      *zerolog.Logger
	id       string     // X-Request-ID
	segments []string   // of the path, decoded, without the version
	query    url.Values // the first value of a name counts
	raw      []byte     // the body as it came, until it is decoded
	unread   bool       // there is more of the body than was read
	holds    []*hold
	response *hold // one of them; nil while the response is short
	decoded  bool  // reading has succeeded
	body     body
	verb     string // the method, or what the request tunnels
	resource *resource
	settled  bool              // whether it is known which resource that is, or that there is none
	vars     map[string]string // what the path says where the resource leaves it open; others have the same map
	cluster  string            // that a request about routing is about
	foreign  bool              // whether that is another than our own
	token    auth.Credentials
	identity *auth.Identity   // who asks
	refused  error            // why nobody does
	account  *account.Account // the one in the path
}

// ctx is the request's context.
func (r *request) ctx() context.Context { return r.Context() }

// limit bounds what the request may take from now on. The log is in its context from then on, too.
func (r *request) limit(d time.Duration) context.CancelFunc {
	ctx, cancel := context.WithTimeout(r.log.WithContext(r.Context()), d)
	r.Request, r.log = r.Request.WithContext(ctx), zerolog.Ctx(ctx)
	return cancel
}

// release gives back what the request holds of the budgets.
func (r *request) release() {
	for _, h := range r.holds {
		h.release()
	}
}

// value looks a setting up where Crossbar does (cb_context:req_value): in data, the query and the envelope.
func (r *request) value(name string) any {
	if data, ok := r.body.data.(map[string]any); ok {
		if v, ok := data[name]; ok {
			return v
		}
	}
	if r.query.Has(name) {
		return r.parameter(name)
	}
	return r.body.envelope[name]
}

// parameter answers what the query says. A name without "=" is true there (cowboy_req:parse_qs).
func (r *request) parameter(name string) any {
	value := r.query.Get(name)
	if value == "" && slices.Contains(strings.Split(r.URL.RawQuery, "&"), name) {
		return true
	}
	return value
}

// says reports whether a setting is true, or the word (kz_term:is_true).
func (r *request) says(name string) bool {
	value := r.value(name)
	return value == true || value == "true"
}

// text is value where it is a string.
func (r *request) text(name string) string {
	s, _ := r.value(name).(string)
	return s
}

// data is the request's data as an object; a list, which only some resources take, is an empty one.
func (r *request) data() document.Document {
	object, _ := r.body.data.(map[string]any)
	return object
}

// split cuts the path into decoded segments. Slashes at the end never matter.
func split(u *url.URL) ([]string, error) {
	segments := strings.Split(strings.TrimRight(strings.TrimPrefix(u.EscapedPath(), "/"), "/"), "/")
	for i, part := range segments {
		text, err := url.PathUnescape(part)
		if err != nil {
			return nil, err
		}
		segments[i] = text
	}
	return segments, nil
}

// route finds the resource that segments name.
func (s *Server) route(r *request) {
	if to := s.routers.find(r.segments); to.resource != nil {
		r.resource, r.vars = to.resource, to.vars
	}
}

// endpoint answers the last noun of the path, which restrictions are about, and what comes after it.
func (r *request) endpoint() (noun string, parameters []string) {
	segments := r.segments
	if segments[0] == "accounts" && len(segments) > 2 {
		segments = segments[2:]
	}
	return segments[0], segments[1:]
}

// label is the resource's path for logs and metrics, which must not grow with what clients ask for.
func (r *request) label() string {
	if r.resource == nil {
		return "(none)"
	}
	return r.resource.path
}
