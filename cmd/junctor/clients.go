package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	api "go.opentelemetry.io/otel/trace"

	"junctor/pkg/account"
	"junctor/pkg/auth/trust"
	"junctor/pkg/billing"
	"junctor/pkg/metrics"
	"junctor/pkg/notify"
	"junctor/pkg/store"
)

// Beside its store a server is the client of others: of a billing hook, a Kazoo, a broker and a collector of spans.

// biller has the billing hook that approves assignments, and the queues of accounts whose copies have changed.
type biller struct {
	hook   *billing.Hook // nil disables it
	queues []*billing.Queue
	stats  map[string]func() billing.Stats // of the queues, by "hook" and "kazoo"
}

// openBilling returns the clients of --billing-url and --kazoo-url.
func (f *serveFlags) openBilling(s *store.Store, m *metrics.Metrics, log zerolog.Logger) (*biller, error) {
	b := &biller{stats: map[string]func() billing.Stats{}}
	if f.billingURL != "" {
		hook, err := billing.New(billing.Options{
			URL: f.billingURL, AllowOnError: f.billingOnError == "allow", Observe: m.ObserveBilling, Log: log,
		})
		if err != nil {
			return nil, err
		}
		m.WatchHook(hook.Stats)
		b.hook, b.stats["hook"] = hook, hook.Stats
		b.queues = append(b.queues, hook.Queue)
	}
	if f.kazooURL != "" {
		kazoo, err := newKazoo(f.kazooURL, s, f.node(), billing.KazooOptions{Observe: m.ObserveBilling, Log: log})
		if err != nil {
			return nil, err
		}
		m.WatchKazoo(kazoo.Stats)
		b.stats["kazoo"] = kazoo.Stats
		b.queues = append(b.queues, kazoo.Queue)
	}
	return b, nil
}

// newKazoo returns the Crossbar at a URL, to which the master account of a store logs in.
func newKazoo(url string, s account.Reader, node account.Node, o billing.KazooOptions) (*billing.Kazoo, error) {
	root, err := kazooRoot(url)
	if err != nil {
		return nil, err
	}
	o.URL = root
	o.APIKey = func(ctx context.Context) (string, error) { return account.MasterAPIKey(ctx, s, node) }
	return billing.NewKazoo(o), nil
}

// kazooRoot returns the URL to which the paths of a Crossbar are added. Its API's own URL, which ends in /v2, is
// accepted, too. Errors do not repeat the URL.
func kazooRoot(url string) (string, error) {
	root, err := trust.NormalizeURL(url)
	return strings.TrimSuffix(root, "/v2"), err
}

// changed queues an account whose copies have changed.
func (b *biller) changed(ctx context.Context, accountID string) {
	for _, q := range b.queues {
		q.Reconcile(ctx, accountID)
	}
}

// openNotices opens the publisher of change notices in the state folder; home is an embedded store's folder, see
// openHome. It returns nil if no broker is configured.
func (f *serveFlags) openNotices(home string, s *store.Store, log zerolog.Logger) (*notify.Publisher, error) {
	if f.amqpURL == "" {
		return nil, nil
	}
	folder := cmp.Or(f.stateDir, home, f.userDir)
	if folder == "" {
		return nil, fmt.Errorf("the checkpoint of change notices: %w", errNoState)
	}
	return notify.Open(notify.Options{URL: f.amqpURL, Dir: folder, Node: nodeName(), Log: log}, s)
}

// openTracing returns what records spans and sends them to --otlp-endpoint, and what sends the last ones. Both are nil
// without an endpoint.
func (f *serveFlags) openTracing(
	ctx context.Context, log zerolog.Logger,
) (tracer api.Tracer, closeIt func() error, err error) {
	if f.otlpEndpoint == "" {
		return nil, nil, nil
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(strings.TrimRight(f.otlpEndpoint, "/")+"/v1/traces"))
	if err != nil {
		return nil, nil, err
	}
	provider := trace.NewTracerProvider(
		trace.WithBatcher(loggingExporter{exporter, log}),
		trace.WithResource(resource.NewSchemaless(attribute.String("service.name", "junctor"),
			attribute.String("service.version", version()), attribute.String("service.instance.id", nodeName()))),
	)
	return provider.Tracer("junctor"), func() error {
		ctx, cancel := context.WithTimeout(context.Background(), closeTime*time.Duration(9)/10)
		defer cancel()
		return provider.Shutdown(ctx)
	}, nil
}

// loggingExporter logs spans that are lost, in place of OpenTelemetry's handler, which is global to the process.
type loggingExporter struct {
	trace.SpanExporter
	log zerolog.Logger
}

// ExportSpans implements trace.SpanExporter.
func (e loggingExporter) ExportSpans(ctx context.Context, spans []trace.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	if err != nil {
		e.log.Warn().Err(err).Int("spans", len(spans)).Msg("spans were lost: the collector of --otlp-endpoint does not take them")
	}
	return nil
}
