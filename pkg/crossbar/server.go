// Package crossbar serves resources over HTTP the way Kazoo's Crossbar does: its order of checks, its authentication and
// authorization, its envelope, and its words for failure.
//
// It knows no resource: those are a table of paths, authorizers and handlers, given to New. Handlers return replies or
// errors and never write; one adapter does that, and one table turns the kinds of package fault into responses. It alone
// decides the statuses of responses of the API, knows the keys of the envelope, and imports gorilla/mux. What is sourced
// from Crossbar names the module or function that it was read from.
package crossbar

import (
	"crypto/md5" //nolint:gosec // names the node as kz_nodes:node_encoded does; it protects nothing
	"encoding/base64"
	"log"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/trace"

	"junctor/pkg/account"
	"junctor/pkg/auth"
	"junctor/pkg/auth/ratelimit"
	"junctor/pkg/auth/remote"
)

// Config is what a Server is made of. Every field is required unless it says otherwise.
type Config struct {
	Accounts *account.Directory
	Tokens   *auth.Authenticator
	Throttle *ratelimit.Throttle
	Clusters *remote.Introspector
	// MaxRequests bounds how many requests are served at once; more are refused with 503.
	MaxRequests int
	// TrustedProxies may say in X-Forwarded-For whose request they pass on. May be empty.
	TrustedProxies []netip.Prefix
	// Node names this process to clients and Kazoo, as "junctor@host".
	Node string
	// Version is the product's.
	Version string
	// Tracer records a span for each request. Nil records none; the trace of a request is passed on all the same.
	Tracer trace.Tracer
	// Observe is called with every finished request. May be nil.
	Observe func(Finished)
	Now     func() time.Time
	Log     zerolog.Logger
}

// Finished is a request that was responded to.
type Finished struct {
	Route   string // the path of the resource
	Method  string // one that HTTP knows, or "(other)"
	Status  int
	Failure error // what the response is about if the request failed; nil otherwise
	Took    time.Duration
}

// Server serves resources. It is an http.Handler.
type Server struct {
	Config
	node   string
	routes *routes
	// proxyWarning is done once a peer that is not trusted has sent X-Forwarded-For.
	proxyWarning sync.Once
	lameDuck     atomic.Bool // see LameDuck

	slots, openSlots                    *budget
	accountSlots                        *budget // slots by account: clients may be slow to read their responses
	decoding                            sync.Mutex
	smallBodies, largeBodies, responses *budget // bytes by account
}

// New returns a server of resources.
func New(c Config, resources []*Resource) *Server {
	hash := md5.Sum([]byte(c.Node)) //nolint:gosec // see the import
	return &Server{
		Config: c,
		node:   base64.RawURLEncoding.EncodeToString(hash[:]),
		routes: newRoutes(resources),

		slots:        newBudget(int64(c.MaxRequests), int64(c.MaxRequests)),
		openSlots:    newBudget(maxOpenRequests, maxOpenRequests),
		accountSlots: newBudget(int64(c.MaxRequests+maxOpenRequests), (3*int64(c.MaxRequests)+3)/4),
		smallBodies:  newBudget(maxSmallBodies, maxSmallBodies),
		largeBodies:  newBudget(maxLargeBodies, maxLargeBodies/2),
		responses:    newBudget(maxResponses, maxResponses/2),
	}
}

// LameDuck announces the end of the server: requests are served as before, but every response closes its connection, so
// that clients and balancers go elsewhere.
func (s *Server) LameDuck() { s.lameDuck.Store(true) }

// Stopping reports whether LameDuck was called.
func (s *Server) Stopping() bool { return s.lameDuck.Load() }

// Held returns how many bytes requests hold of the budgets for bodies and for responses.
func (s *Server) Held() (bodies, responses int64) {
	return s.smallBodies.total() + s.largeBodies.total(), s.responses.total()
}

// InFlight returns how many requests are being served.
func (s *Server) InFlight() int { return int(s.slots.total() + s.openSlots.total()) }

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
