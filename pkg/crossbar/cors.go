package crossbar

import (
	"net/http"
	"slices"
	"strings"
)

// isCORS reports whether a page of another origin is asking (api_resource:is_cors_request).
func isCORS(h http.Header) bool {
	return h.Get("Origin") != "" || h.Get("Access-Control-Request-Method") != "" ||
		h.Get("Access-Control-Request-Headers") != ""
}

// preflight responds to a browser that asks what its page may do. No token comes with that question, and whatever the
// path leads to, the browser shows its page the response to the request itself only after a yes.
func (s *Server) preflight(r *Request) response {
	s.announce(r)
	return response{status: http.StatusOK, cors: true}
}

// everyMethod is announced for a request that failed before it was known which resource it is about.
var everyMethod = []string{"OPTIONS", "GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"}

// announce makes the methods of the resource be announced from now on, if any resource has the first noun of the path.
func (s *Server) announce(r *Request) {
	if r.resource != nowhere || s.knowsNoun(r.segments) {
		r.allow = r.resource.allow
	}
}

// setCORS tells a browser that any page may use the resource: tokens are sent on purpose, never by the browser.
func setCORS(h http.Header, r *Request) {
	allowed := r.allow
	if allowed == nil {
		allowed = everyMethod
	}
	if asked := r.Header.Get("Access-Control-Request-Method"); knownMethods[asked] {
		allowed = append([]string{asked}, slices.DeleteFunc(slices.Clone(allowed), func(m string) bool { return m == asked })...)
	}
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", strings.Join(allowed, ", "))
	h.Set("Access-Control-Allow-Headers", "content-type, depth, user-agent, x-http-method-override, x-file-size, "+
		"x-requested-with, if-modified-since, x-file-name, cache-control, x-auth-token, x-kazoo-cluster-id, "+
		"if-match, authorization")
	h.Set("Access-Control-Expose-Headers", "content-type, x-auth-token, x-request-id, x-kazoo-cluster-id, "+
		"location, etag")
	h.Set("Access-Control-Max-Age", "86400")
}
