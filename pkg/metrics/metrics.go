// Package metrics is what /metrics shows: counters that other packages call as functions, and the state of the parts of
// the server, which is read at every scrape. It alone imports Prometheus.
package metrics

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"junctor/pkg/billing"
	"junctor/pkg/crossbar"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/fault"
	"junctor/pkg/projection"
	"junctor/pkg/routing"
	"junctor/pkg/store"
)

// Metrics is what /metrics shows. It is made before the store is opened, so that it can be told of every call.
type Metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.HistogramVec
	refused   *prometheus.CounterVec
	lastPass  prometheus.Gauge
	calls     *prometheus.HistogramVec
	failures  *prometheus.CounterVec
	conflicts *prometheus.CounterVec
	repaired  *prometheus.CounterVec
	abandoned prometheus.Counter
	passes    *prometheus.CounterVec
	billing   *prometheus.HistogramVec
	seen      sync.Map // storeCall > struct{}: those whose failures are counted
}

// storeCall is a kind of call of the store.
type storeCall struct{ operation, database string }

// durations are the buckets of all histograms: a read from memory takes some 50 µs, a request at most a minute.
var durations = []float64{
	50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
}

// New returns metrics without observations.
func New() *Metrics {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	made := promauto.With(registry)
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		return made.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: durations}, labels)
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return made.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &Metrics{
		registry: registry,
		requests: histogram("junctor_http_request_duration_seconds",
			"Requests by route, method and status, and how long they took.", "route", "method", "status"),
		refused: counter("junctor_http_failures_total",
			"Requests that failed, by the kind of failure: busy ones were shed, at a limit of this process.", "kind"),
		lastPass: made.NewGauge(prometheus.GaugeOpts{
			Name: "junctor_last_full_pass_timestamp_seconds",
			Help: "When this process last completed a pass over the copies of all accounts; 0 before the first.",
		}),
		calls: histogram("junctor_store_call_duration_seconds",
			"Calls of the store by operation and database, and how long they took.", "operation", "database"),
		failures: counter("junctor_store_errors_total",
			"Calls of the store that failed, by operation, database and kind of failure.", "operation", "database", "kind"),
		conflicts: counter("junctor_store_conflicts_total", "Writes that lost to another writer, by database.", "database"),
		repaired: counter("junctor_copies_repaired_total",
			"Accounts' copies of addresses that were not what the pool says, by what was done to them.", "kind"),
		abandoned: made.NewCounter(prometheus.CounterOpts{
			Name: "junctor_addresses_abandoned_total",
			Help: "Addresses found to be held by accounts that are gone, counted again in every pass over all accounts.",
		}),
		passes: counter("junctor_full_passes_total",
			"Passes over the copies of all accounts, by how they ended: completed, failed, no_progress or stopped.", "result"),
		billing: histogram("junctor_billing_call_duration_seconds",
			"Calls of the billing hook and reconcile calls of Kazoo, by event and outcome, and how long they took.",
			"event", "outcome"),
	}
	m.begin()
	return m
}

// begin makes counters exist before they count, so that their first increase is seen as one.
func (m *Metrics) begin() {
	for _, kind := range []fault.Kind{
		fault.Internal, fault.Busy, fault.TooManyRequests, fault.Unauthenticated, fault.TokenRejected,
		fault.DatastoreUnreachable, fault.DatastorePartial, fault.DatastoreFault, fault.DatastoreMissing,
	} {
		m.refused.WithLabelValues(kind.String())
	}
	for _, result := range projection.PassResults() {
		m.passes.WithLabelValues(result)
	}
	for _, kind := range copyRepairs {
		m.repaired.WithLabelValues(kind)
	}
	for _, database := range []string{
		"account", dedicatedip.Database, projection.StateDatabase, routing.Database, routing.ClaimsDatabase,
	} {
		m.conflicts.WithLabelValues(database)
	}
}

// ObserveStore counts one call of the store. What does not exist is a result and no failure: an account, a database of
// Kazoo's where there is no Kazoo, or a view of Kazoo's that has one of ours in its place. Conflicts are counted by
// StoreConflict.
func (m *Metrics) ObserveStore(c store.Call) {
	m.calls.WithLabelValues(c.Operation, c.Database).Observe(c.Duration.Seconds())
	if _, seen := m.seen.LoadOrStore(storeCall{c.Operation, c.Database}, struct{}{}); !seen {
		for _, kind := range []fault.Kind{fault.DatastoreUnreachable, fault.DatastoreFault} {
			m.failures.WithLabelValues(c.Operation, c.Database, kind.String())
		}
	}
	if c.Err == nil {
		return
	}
	switch kind := fault.KindOf(c.Err); kind {
	case fault.BadIdentifier, fault.DatastoreMissing, fault.DatastoreMissingView, fault.Conflict:
	default:
		m.failures.WithLabelValues(c.Operation, c.Database, kind.String()).Inc()
	}
}

// StoreConflict counts a write that lost to another writer.
func (m *Metrics) StoreConflict(database string) { m.conflicts.WithLabelValues(database).Inc() }

// CopyRepaired takes note of what was done to an account's copy of an address.
func (m *Metrics) CopyRepaired(kind string) { m.repaired.WithLabelValues(kind).Inc() }

// CopiesRepaired returns how many copies were repaired, by what was done to them.
func (m *Metrics) CopiesRepaired() map[string]uint64 {
	counts := map[string]uint64{}
	for _, kind := range copyRepairs {
		var metric dto.Metric
		if m.repaired.WithLabelValues(kind).Write(&metric) == nil {
			counts[kind] = uint64(metric.GetCounter().GetValue())
		}
	}
	return counts
}

// copyRepairs is what can be done to a copy.
var copyRepairs = []string{projection.CopyCreated, projection.CopyUpdated, projection.CopyRemoved}

// AddressAbandoned takes note of an address that is held by an account that is gone.
func (m *Metrics) AddressAbandoned() { m.abandoned.Inc() }

// FullPass counts a full pass over the accounts' copies by its result.
func (m *Metrics) FullPass(result string) {
	m.passes.WithLabelValues(result).Inc()
	if result == projection.PassCompleted {
		m.lastPass.SetToCurrentTime()
	}
}

// ObserveBilling counts one call of the billing hook or of Kazoo.
func (m *Metrics) ObserveBilling(c billing.Call) {
	m.billing.WithLabelValues(c.Event, c.Outcome).Observe(c.Duration.Seconds())
}

// ObserveRequest counts one request of the API.
func (m *Metrics) ObserveRequest(f crossbar.Finished) {
	m.requests.WithLabelValues(f.Route, f.Method, strconv.Itoa(f.Status)).Observe(f.Took.Seconds())
	if f.Failure != nil {
		m.refused.WithLabelValues(fault.KindOf(f.Failure).String()).Inc()
	}
}

// maxScrapes bounds how many clients read /metrics at once, which takes no token and a hundred KiB each.
const maxScrapes = 8

// patience is how long a client may make no progress in reading the metrics.
const patience = 10 * time.Second

// Handler returns the handler of /metrics.
func (m *Metrics) Handler() http.Handler {
	scrape := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(patience))
		scrape.ServeHTTP(w, r)
	})
}
