// Package api is the HTTP interface of junctor: Crossbar's envelope, its order of checks and its words for failure,
// around the rules of the other packages.
//
// It alone knows routes, status codes, headers and the keys of the envelope, and it alone imports gorilla/mux. Handlers
// return replies and never write; one adapter does that, and one table turns faults into responses. What is sourced from
// Kazoo's Crossbar names the module or function it was read from.
package api

import (
	"context"
	"crypto/md5" //nolint:gosec // names the node as kz_nodes:node_encoded does; it protects nothing
	"encoding/base64"
	"log"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/account"
	"junctor/pkg/auth"
	"junctor/pkg/auth/ratelimit"
	"junctor/pkg/auth/remote"
	"junctor/pkg/billing"
	"junctor/pkg/dedicatedip"
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
	Pool     *dedicatedip.Pool
	Routing  *routing.Registry
	Accounts *account.Directory
	Tokens   *auth.Authenticator
	Issuer   *auth.Issuer
	Schemas  *schema.Set
	Throttle *ratelimit.Throttle
	Clusters *remote.Introspector
	Metrics  *Metrics
	// Billing is asked before an account is given addresses; nil approves.
	Billing *billing.Hook
	// IssueTokens says whether users and API keys can log in here; beside a Kazoo they may as well do it there.
	IssueTokens bool
	// Ready returns why a write would not succeed, as one of the reasons of /readyz; "" means that it would.
	Ready func(context.Context) (reason string)
	// SeparateMetrics leaves /metrics to MetricsHTTP.
	SeparateMetrics bool
	// Format is the format of responses to requests that do not choose one.
	Format Format
	// MaxRequests bounds how many requests are served at once; more are refused with 503.
	MaxRequests int
	// TrustedProxies may say in X-Forwarded-For whose request they pass on. May be empty.
	TrustedProxies []netip.Prefix
	// Node names this process to clients and Kazoo, as "junctor@host".
	Node string
	// Version is the product's.
	Version string
	Now     func() time.Time
	Log     zerolog.Logger
}

// Server serves the API. It is an http.Handler.
type Server struct {
	Config
	node        string
	routes      *routes
	operational map[string]http.Handler // by path, outside the API
	// proxyWarning is done once a peer that is not trusted has sent X-Forwarded-For.
	proxyWarning sync.Once
	lameDuck     atomic.Bool // see LameDuck

	slots, openSlots                    chan struct{}
	seats                               *budget // slots by account: clients may be slow to read their responses
	decoding                            sync.Mutex
	smallBodies, largeBodies, responses *budget // bytes by account
}

// New returns a server for c.
func New(c Config) *Server {
	hash := md5.Sum([]byte(c.Node)) //nolint:gosec // see the import
	s := &Server{
		Config: c,
		node:   base64.RawURLEncoding.EncodeToString(hash[:]),

		slots:       make(chan struct{}, c.MaxRequests),
		openSlots:   make(chan struct{}, maxOpenRequests),
		seats:       newBudget(int64(c.MaxRequests+maxOpenRequests), (3*int64(c.MaxRequests)+3)/4),
		smallBodies: newBudget(maxSmallBodies, maxSmallBodies),
		largeBodies: newBudget(maxLargeBodies, maxLargeBodies/2),
		responses:   newBudget(maxResponses, maxResponses/2),
	}
	s.Metrics.watchPool(c.Pool)
	s.Metrics.watchMemory(c.Pool)
	s.operational = s.operations()
	s.routes = s.tableOfContents()
	return s
}

// maxOpenRequests is how many requests without a token, and attempts to log in, are served at once.
const maxOpenRequests = 64

// The limits of one connection. Bodies and responses have limits of their own, see patience: readTime and writeTime are
// for what is not read or written by this package, as are the paths for operators.
const (
	headerTime  = 10 * time.Second
	readTime    = time.Minute
	requestTime = time.Minute // what a request may take, once read
	writeTime   = readTime + requestTime + 30*time.Second
	idleTime    = 2 * time.Minute
	headerBytes = 64 << 10
)

// HTTP returns the http.Server to run s with, bounded in header size and in the time of every phase.
func (s *Server) HTTP() *http.Server {
	return &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       readTime,
		WriteTimeout:      writeTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    headerBytes,
		ErrorLog:          log.New(errorLog{s.Log}, "", 0),
	}
}
