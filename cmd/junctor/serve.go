package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"go.opentelemetry.io/otel/trace"

	"junctor/pkg/account"
	"junctor/pkg/api"
	"junctor/pkg/auth/remote"
	"junctor/pkg/httpserver"
	"junctor/pkg/metrics"
	"junctor/pkg/notify"
	"junctor/pkg/projection"
	"junctor/pkg/readiness"
	"junctor/pkg/store"
	"junctor/pkg/store/embedded"
)

func (c *cli) serveCommand() *cobra.Command {
	var flags serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the API until SIGTERM or SIGINT",
		Long: `Serves the API until SIGTERM or SIGINT. A folder without a store gets a new one,
and a CouchDB gets the databases and design documents that are missing.`,
		Args: operands(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := flags.check(c.getenv); err != nil {
				return err
			}
			setLevel(flags.logLevel)
			log := newLogger(c.stderr, flags.logFormat)
			return c.serve(cmd.Context(), &flags, log, func() error { return c.reloadLevel(cmd.Flags()) })
		},
	}
	flags.define(cmd.Flags())
	return cmd
}

// server is one run of "junctor serve".
type server struct {
	*serveFlags
	*app
	admin   account.Bootstrapped // of an embedded store
	stdout  io.Writer
	api     *api.Server
	notices *notify.Publisher // nil without a broker
	bills   *biller
	ready   *readiness.Prober

	tracer      trace.Tracer            // nil without --otlp-endpoint
	certificate *httpserver.Certificate // nil without TLS
	hangups     <-chan os.Signal
	reloadLevel func() error

	unprepared  atomic.Pointer[error] // why the store does not hold what requests need; nil if it does
	repair      chan string           // see watchStore
	poolMissing bool                  // as last logged
}

// serve opens what it needs, serves until ctx ends, and closes all in the reverse order. What hangs while it is closed is
// abandoned, and logged. SIGHUP loads the certificate again, and has reloadLevel read the configuration file.
func (c *cli) serve(ctx context.Context, flags *serveFlags, log zerolog.Logger, reloadLevel func() error) error {
	if c.getenv("GOGC") == "" {
		go tuneGC(ctx)
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	certificate, err := flags.loadCertificate(log)
	if err != nil {
		return err
	}
	listener, err := httpserver.Listen(flags.listen, httpserver.MaxConnections())
	if err != nil {
		return listenError("--listen", err)
	}
	defer listener.Close()
	var metricsListener net.Listener
	if flags.metricsListen != "" {
		if metricsListener, err = net.Listen("tcp", flags.metricsListen); err != nil {
			return listenError("--metrics-listen", err)
		}
		defer metricsListener.Close()
	}
	home, closeHome, err := flags.openHome()
	if err != nil {
		return err
	}
	defer closeHome()
	key, err := c.secretKey(home, flags.state())
	if err != nil {
		return err
	}
	m, repair := metrics.New(), make(chan string, 1)
	observe := func(call store.Call) {
		m.ObserveStore(call)
		if call.Err != nil {
			watchStore(repair, call)
		}
	}
	tracer, closeTracing, err := flags.openTracing(ctx, log)
	if err != nil {
		return err
	}
	if tracer != nil {
		defer closeWithin(closeTime, "the connection to the collector of spans", closeTracing, log)
	}
	made := buildOf(debug.ReadBuildInfo())
	m.Build(made.Version, made.Commit, made.Go)
	if home != "" {
		m.WatchFile(embedded.File(home))
	}
	data, err := store.Open(flags.dsn, store.Options{Log: log, Convert: true, Observe: observe, Conflict: m.StoreConflict})
	if err != nil {
		return err
	}
	defer closeWithin(closeTime, "the store", data.Close, log)
	notices, err := flags.openNotices(home, data, log)
	if err != nil {
		return err
	}
	if notices != nil {
		m.WatchNotices(notices.Stats)
		defer closeWithin(closeTime, "the checkpoint of change notices", notices.Close, log)
	}
	bills, err := flags.openBilling(data, m, log)
	if err != nil {
		return err
	}
	a, err := newApp(data, appOptions{
		home: home, key: key, staleness: flags.maxStaleness, node: flags.node(), log: log, notices: notices,
		billing: bills.hook,
		copies: projection.Options{
			Written: bills.changed, Repaired: m.CopyRepaired, Abandoned: m.AddressAbandoned,
		},
		passes: projection.ReconcilerOptions{Passed: m.FullPass},
	})
	if err != nil {
		return err
	}
	defer closeWithin(closeTime, "the projector", a.pool.Close, log)
	defer a.documents.Close()
	m.WatchDocuments(a.documents.Bytes)
	m.WatchHistory(a.history.Stats)
	closeSocket, err := flags.openSocket(home, a, log)
	if err != nil {
		return err
	}
	others := remote.New(a.clusters, time.Now)
	defer others.Close()
	s := &server{serveFlags: flags, app: a, stdout: c.stdout, notices: notices, bills: bills,
		repair: repair, tracer: tracer, certificate: certificate, hangups: hangups, reloadLevel: reloadLevel}
	s.unprepared.Store(&errUnprepared)
	s.ready = &readiness.Prober{Probe: s.probe, Remedies: s.remedies(), Log: log}
	if store.IsCouchDB(flags.dsn) {
		s.ready.Grace = flags.maxStaleness
	}
	m.WatchReadiness(func() bool { return s.readiness(ctx) == "" })
	s.api = s.newAPI(m, others)
	return s.run(ctx, listener, metricsListener, closeSocket)
}

// run serves until ctx ends or a listener fails. Then it stops accepting, finishes requests, and stops the followers.
func (s *server) run(ctx context.Context, listener *httpserver.Listener, metrics net.Listener, closeSocket func()) error {
	serving, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	h := httpserver.New(s.secured(s.api.HTTP()), listener)
	go func() { fail(h.Serve()) }()
	if metrics != nil {
		m := s.secured(s.api.MetricsHTTP())
		go func() { fail(httpserver.Serve(m, metrics)) }()
		defer m.Close()
		s.log.Info().Str("url", s.address(metrics.Addr())+"/metrics").Msg("listening for metrics")
	}
	url := s.address(listener.Addr())
	s.log.Info().Str("url", url).Str("version", version()).Msg("listening")
	s.notifyManager(daemon.SdNotifyReady)

	f := newFollowers()
	f.run(s.reload)
	if s.notices != nil {
		f.run(s.notices.Run) // before the store is prepared: an earlier run may have left some
	}
	for _, queue := range s.bills.queues {
		f.run(func(ctx context.Context) {
			defer queue.Close()
			queue.Run(ctx)
		})
	}
	err := s.announce(serving, url)
	if err == nil {
		f.run(func(ctx context.Context) { s.pool.Follow(ctx, s.maxStaleness) })
		f.run(s.accountList.Follow)
		f.run(s.pool.Projector().Run)
		f.run(s.history.Run)
		f.run(s.reconciler.Run)
		f.run(s.routing.Follow)
		f.run(s.repairStore)
		for s.ready.State(serving) == starting && serving.Err() == nil { // then it is logged
		}
		<-serving.Done()
	}
	s.withdraw()
	s.notifyManager(daemon.SdNotifyStopping)
	if ctx.Err() != nil { // stopped by the operator, however far it came
		err = nil
		s.awaitLameDuck()
	} else {
		err = errors.Join(err, context.Cause(serving))
	}
	s.drain(h, closeSocket)
	s.stopFollowers(f)
	return err
}

// listenError says what to do about a TCP address that can't be listened on; flag is where it comes from.
func listenError(flag string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w: another process listens there; stop it, or choose another port with %s", err, flag)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%w: ports below 1024 are root's; choose another one with %s", err, flag)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%w: this machine does not have the address; choose another one with %s", err, flag)
	}
	return fmt.Errorf("%s: %w", flag, err)
}
