package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/account"
	"junctor/pkg/api"
	"junctor/pkg/auth"
	"junctor/pkg/auth/introspect"
	"junctor/pkg/auth/throttle"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/store"
)

// drainTime is how long requests under way may take once the process is told to stop.
const drainTime = 15 * time.Second

func defineServe(fs *flag.FlagSet) action {
	c := &serveConfig{}
	c.define(fs)
	return func(ctx context.Context, p *process, operands []string) error {
		if err := c.check(operands); err != nil {
			return err
		}
		log := zerolog.New(p.stderr).Level(c.logLevel).With().Timestamp().Logger()
		return serve(ctx, c, log, p)
	}
}

// server is one run of "junctor serve".
type server struct {
	*serveConfig
	*workplace
	home     string               // see openHome
	admin    account.Bootstrapped // of an embedded store
	log      zerolog.Logger
	stdout   io.Writer
	prepared atomic.Bool // the store holds what requests need
}

// ballastSize is how many bytes are set aside for the garbage collector to count: a heap of a few megabytes would be
// collected dozens of times a second. Nobody touches them, so they take address space only.
const ballastSize = 64 << 20

// serve opens what is needed one after the other, serves until ctx ends, and closes it all in the reverse order.
func serve(ctx context.Context, c *serveConfig, log zerolog.Logger, p *process) error {
	ballast := make([]byte, ballastSize)
	defer runtime.KeepAlive(ballast)
	listener, err := net.Listen("tcp", c.listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	home, closeHome, err := c.openHome()
	if err != nil {
		return err
	}
	defer closeHome()
	key, err := p.secretKey(home, c.stateDir)
	if err != nil {
		return err
	}
	metrics := api.NewMetrics()
	data, err := store.Open(c.dsn, store.Options{Log: log, Observe: metrics.ObserveStore})
	if err != nil {
		return err
	}
	defer data.Close()
	outbox, err := c.openOutbox(home, log)
	if err != nil {
		return err
	}
	if outbox != nil {
		metrics.WatchNotices(outbox.Stats)
		defer sendNotices(ctx, outbox, data)()
	}
	bills, err := c.openBilling(data, metrics, log)
	if err != nil {
		return err
	}
	defer bills.start(ctx)()
	healing := dedicatedip.ReconcilerOptions{Repaired: metrics.CopyRepaired, Abandoned: metrics.AddressAbandoned,
		Passed: metrics.FullPass}
	w, err := newWorkplace(data, workOptions{key: key, node: c.node(), log: log, healing: healing, outbox: outbox,
		billing: bills.hook, changed: bills.changed})
	if err != nil {
		return err
	}
	metrics.WatchDocuments(w.memory.Stats)
	closeSocket, err := c.openSocket(home, w, log)
	if err != nil {
		return err
	}
	defer closeSocket()
	others := introspect.New(w.clusters, time.Now)
	defer others.Close()
	s := &server{serveConfig: c, workplace: w, home: home, log: log, stdout: p.stdout}
	return s.serveHTTP(ctx, s.handler(metrics, others).HTTP(), listener)
}

func (s *server) handler(metrics *api.Metrics, others *introspect.Introspector) *api.Server {
	return api.New(api.Config{
		Pool:     s.pool,
		Routing:  s.routing,
		Accounts: s.accounts,
		Tokens: auth.NewAuthenticator(s.store, auth.Options{
			Documents: s.memory, MasterCluster: s.masterCluster, Node: s.node(),
		}),
		Issuer:         auth.NewIssuer(s.writing, time.Now).At(s.node()),
		Schemas:        s.schemas,
		Throttle:       throttle.New(time.Now),
		Clusters:       others,
		Metrics:        metrics,
		Billing:        s.billing,
		IssueTokens:    s.issueTokens,
		Ready:          s.usable,
		Format:         s.format,
		MaxRequests:    s.maxRequests,
		TrustedProxies: s.trustedProxies,
		Node:           nodeName(),
		Version:        version(),
		Now:            time.Now,
		Log:            s.log,
	})
}

// node is what the settings call this process.
func (c *serveConfig) node() account.Node { return account.Node{Name: nodeName(), Zone: c.zone} }

// nodeName names this process as Kazoo names its nodes.
func nodeName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return "junctor@" + host
}

// usable reports whether requests can be served.
func (s *server) usable(ctx context.Context) error {
	if !s.prepared.Load() {
		return errors.New("the store is not prepared yet")
	}
	return s.store.Ping(ctx)
}

// serveHTTP serves until ctx ends or the listener fails. Requests are taken from the beginning on; it is announced
// when they can be answered.
func (s *server) serveHTTP(ctx context.Context, h *http.Server, listener net.Listener) error {
	serving, failed := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		failed(h.Serve(listener))
	}()
	defer func() { <-done }()
	defer s.drain(ctx, h)
	defer s.withdraw()

	url := address(listener.Addr())
	s.log.Info().Str("url", url).Str("version", version()).Msg("listening")
	err := s.announce(serving, url)
	if err == nil {
		s.follow(serving)
	}
	if ctx.Err() != nil { // told to stop, however far it came
		s.log.Info().Msg("stopping")
		return nil
	}
	return errors.Join(err, context.Cause(serving))
}

// follow does, until ctx ends, what is to be done on a prepared store beside requests.
func (s *server) follow(ctx context.Context) {
	var others sync.WaitGroup
	others.Go(func() { s.memory.Follow(ctx, s.store) })
	others.Go(func() { s.healer.Run(ctx) })
	if s.maxStaleness > 0 {
		others.Go(func() { s.pool.Follow(ctx, s.maxStaleness) })
	}
	s.routing.Follow(ctx)
	others.Wait()
}

// drain lets requests under way finish. Those that do not in time are cut off.
func (s *server) drain(ctx context.Context, h *http.Server) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if err := h.Shutdown(ctx); err != nil {
		s.log.Warn().Err(err).Msg("requests were cut off")
		_ = h.Close()
	}
}
