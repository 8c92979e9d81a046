// Package api is the HTTP interface of junctor: the table of its routes, and the resources that they lead to.
//
// A handler validates a request, makes a typed request of it, calls a rule of another package and returns a reply. How
// requests are read, authorized and responded to is package crossbar's.
package api

import (
	"context"
	"net/http"

	"junctor/pkg/auth"
	"junctor/pkg/billing"
	"junctor/pkg/crossbar"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/history"
	"junctor/pkg/inventory"
	"junctor/pkg/metrics"
	"junctor/pkg/routing"
	"junctor/pkg/schema"
)

// Format is the format of responses to POST and DELETE of an account's ips.
type Format string

// The two formats. A request chooses for itself with ?response_format=.
const (
	Documented Format = "documented" // the ip object, or {"ips":[…]}, as Kazoo's documentation shows
	Crossbar   Format = "crossbar"   // {"success":{IP:{…}},"error":{…}}, as Crossbar 4.3.22 and later
)

// ParseFormat reads a Format by its name.
func ParseFormat(name string) (Format, bool) {
	f := Format(name)
	return f, f == Documented || f == Crossbar
}

// Config is what a Server is made of. Every field is required unless it says otherwise.
type Config struct {
	crossbar.Config // Observe is set by New
	Pool            *dedicatedip.Pool
	Inventory       *inventory.Inventory // of Pool
	History         *history.Log         // of Pool
	Routing         *routing.Registry
	Issuer          *auth.Issuer
	Schemas         *schema.Set
	Metrics         *metrics.Metrics
	// Billing is asked before an account is given addresses; nil approves.
	Billing *billing.Hook
	// IssueTokens says whether users and API keys can log in here; beside a Kazoo they may as well do it there.
	IssueTokens bool
	// Ready returns why a write would not succeed, as one of the reasons of /readyz; "" means that it would.
	Ready func(context.Context) (reason string)
	// Health returns the state of the server, for GET ips/health.
	Health func(context.Context) Health
	// SeparateMetrics leaves /metrics to MetricsHTTP.
	SeparateMetrics bool
	// Console are the handlers of the web console, by path. May be nil.
	Console map[string]http.Handler
	// Format is the format of responses to requests that do not choose one.
	Format Format
}

// Server serves the API. It is an http.Handler.
type Server struct {
	Config
	http    *crossbar.Server
	outside map[string]http.Handler // by path: what is not part of the API, and has no token, envelope or log line
}

// New returns a server for c.
func New(c Config) *Server {
	c.Observe = c.Metrics.ObserveRequest
	c.Metrics.WatchPool(c.Pool)
	s := &Server{Config: c}
	s.http, s.outside = crossbar.New(c.Config, s.tableOfContents()), s.operations()
	c.Metrics.WatchRequests(s.http.InFlight)
	c.Metrics.WatchCredentials(c.Throttle.Failures)
	return s
}

// ServeHTTP responds to one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := s.outside[r.URL.Path]
	if h == nil {
		s.http.ServeHTTP(w, r)
		return
	}
	if s.http.Stopping() {
		w.Header().Set("Connection", "close")
	}
	h.ServeHTTP(w, r)
}

// HTTP returns the http.Server to run s with, see crossbar.Server.HTTP.
func (s *Server) HTTP() *http.Server {
	h := s.http.HTTP()
	h.Handler = s
	return h
}

// MetricsHTTP returns the http.Server for a listener that serves /metrics and nothing else.
func (s *Server) MetricsHTTP() *http.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.Metrics.Handler())
	h := s.HTTP()
	h.Handler = mux
	return h
}

// LameDuck announces the end of the server: requests are served as before, but /readyz responds 503 with the reason
// "stopping", and every response closes its connection, so that clients and balancers go elsewhere.
func (s *Server) LameDuck() { s.http.LameDuck() }
