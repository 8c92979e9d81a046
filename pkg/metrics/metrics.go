// Package metrics is what /metrics shows: counters that other packages call as functions, and the state of the parts of
// the server, which is read at every scrape. It alone imports Prometheus.
package metrics

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"junctor/pkg/auth/ratelimit"
	"junctor/pkg/billing"
	"junctor/pkg/crossbar"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/doccache"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/notify"
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
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "junctor_http_request_duration_seconds",
			Help: "Requests by route, method and status, and how long they took.", Buckets: durations,
		}, []string{"route", "method", "status"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "junctor_http_failures_total",
			Help: "Requests that failed, by the kind of failure: busy ones were shed, at a limit of this process.",
		}, []string{"kind"}),
		lastPass: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "junctor_last_full_pass_timestamp_seconds",
			Help: "When this process last completed a pass over the copies of all accounts; 0 before the first.",
		}),
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "junctor_store_call_duration_seconds",
			Help: "Calls of the store by operation and database, and how long they took.", Buckets: durations,
		}, []string{"operation", "database"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "junctor_store_errors_total",
			Help: "Calls of the store that failed, by operation, database and kind of failure.",
		}, []string{"operation", "database", "kind"}),
		conflicts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "junctor_store_conflicts_total",
			Help: "Writes that lost to another writer, by database.",
		}, []string{"database"}),
		repaired: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "junctor_copies_repaired_total",
			Help: "Accounts' copies of addresses that were not what the pool says, by what was done to them.",
		}, []string{"kind"}),
		abandoned: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "junctor_addresses_abandoned_total",
			Help: "Addresses found to be held by accounts that are gone, counted again in every pass over all accounts.",
		}),
		passes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "junctor_full_passes_total",
			Help: "Passes over the copies of all accounts, by how they ended: completed, failed, no_progress or stopped.",
		}, []string{"result"}),
		billing: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "junctor_billing_call_duration_seconds",
			Help:    "Calls of the billing hook and reconcile calls of Kazoo, by event and outcome, and how long they took.",
			Buckets: durations,
		}, []string{"event", "outcome"}),
	}
	m.registry.MustRegister(m.requests, m.refused, m.lastPass, m.calls, m.failures, m.conflicts, m.repaired, m.abandoned, m.passes, m.billing,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
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

// WatchNotices adds the state of change notices, which is read at every scrape.
func (m *Metrics) WatchNotices(stats func() notify.Stats) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "junctor_notices_waiting", Help: "Change notices that the broker has not confirmed yet.",
		}, func() float64 { return float64(stats().Waiting) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "junctor_notices_oldest_seconds", Help: "How long the next change notice to be confirmed has waited.",
		}, func() float64 { return stats().Oldest.Seconds() }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "junctor_broker_connected", Help: "Whether there is a connection to the broker of change notices: 1 or 0.",
		}, func() float64 {
			if stats().Connected {
				return 1
			}
			return 0
		}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "junctor_notices_confirmed_total", Help: "Change notices that the broker has confirmed.",
		}, func() float64 { return float64(stats().Confirmed) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "junctor_notices_dropped_total", Help: "Change notices that were given up: no queue took them, or the checkpoint was full.",
		}, func() float64 { return float64(stats().Dropped) }),
	)
}

// WatchHistory adds the state of the history, which is read at every scrape.
func (m *Metrics) WatchHistory(stats func() history.Stats) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "junctor_history_waiting", Help: "Addresses whose last changes are not in the history yet.",
		}, func() float64 { return float64(stats().Waiting) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "junctor_history_oldest_seconds", Help: "How long the first of those changes has waited.",
		}, func() float64 { return stats().Oldest.Seconds() }),
	)
}

// ObserveBilling counts one call of the billing hook or of Kazoo.
func (m *Metrics) ObserveBilling(c billing.Call) {
	m.billing.WithLabelValues(c.Event, c.Outcome).Observe(c.Duration.Seconds())
}

// WatchHook adds the metrics of the billing hook, whose queue is read at each scrape.
func (m *Metrics) WatchHook(stats func() billing.Stats) {
	for _, outcome := range []string{
		billing.Free, billing.Quoted, billing.Accepted, billing.Refused, billing.Failed,
	} {
		m.billing.WithLabelValues(billing.Quote, outcome)
	}
	m.watchQueue("hook", billing.Reconcile, stats)
}

// WatchKazoo adds the metrics of the Crossbar that reconciles services, whose queue is read at each scrape.
func (m *Metrics) WatchKazoo(stats func() billing.Stats) {
	m.watchQueue("kazoo", billing.KazooReconcile, stats)
}

func (m *Metrics) watchQueue(target, event string, stats func() billing.Stats) {
	for _, outcome := range []string{billing.Done, billing.Failed} {
		m.billing.WithLabelValues(event, outcome)
	}
	labels := prometheus.Labels{"target": target}
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "junctor_billing_accounts_waiting", Help: "Accounts whose changes wait for a reconcile call, by target.",
			ConstLabels: labels,
		}, func() float64 { return float64(stats().Waiting) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name:        "junctor_billing_accounts_dropped_total",
			Help:        "Changes of accounts that were given up without a reconcile call, by target.",
			ConstLabels: labels,
		}, func() float64 { return float64(stats().Dropped) }),
	)
}

// WatchDocuments adds the state of the document cache, which is read when the metrics are.
func (m *Metrics) WatchDocuments(stats func() doccache.Stats) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "junctor_document_cache_entries",
			Help: "Cached accounts, users, keys and settings, including those known to be missing.",
		}, func() float64 { return float64(stats().Entries) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "junctor_document_cache_bytes", Help: "Approximate memory of the document cache.",
		}, func() float64 { return float64(stats().Bytes) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "junctor_document_cache_hits_total", Help: "Documents served from the document cache.",
		}, func() float64 { return float64(stats().Hits) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "junctor_document_cache_misses_total", Help: "Documents that had to be read from the store.",
		}, func() float64 { return float64(stats().Misses) }),
	)
}

// ObserveRequest counts one request of the API.
func (m *Metrics) ObserveRequest(f crossbar.Finished) {
	m.requests.WithLabelValues(f.Route, f.Method, strconv.Itoa(f.Status)).Observe(f.Took.Seconds())
	if f.Failure != nil {
		m.refused.WithLabelValues(fault.KindOf(f.Failure).String()).Inc()
	}
}

// WatchReadiness adds whether the server is ready, as on /readyz, which is looked at on every scrape.
func (m *Metrics) WatchReadiness(ready func() bool) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "junctor_ready", Help: "Whether a write would succeed, as on /readyz: 1 or 0.",
	}, func() float64 {
		if ready() {
			return 1
		}
		return 0
	}))
}

// WatchRequests adds how many requests are being served, which is read at every scrape.
func (m *Metrics) WatchRequests(inFlight func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "junctor_http_requests_in_flight", Help: "Requests that are being served.",
	}, func() float64 { return float64(inFlight()) }))
}

// WatchCredentials adds how many credentials were refused, which is read at every scrape.
func (m *Metrics) WatchCredentials(failures func() ratelimit.Failures) {
	m.registry.MustRegister(
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "junctor_logins_failed_total", Help: "Logins with a wrong password, name or key.",
		}, func() float64 { return float64(failures().Logins) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "junctor_tokens_refused_total", Help: "Tokens and API keys that were refused.",
		}, func() float64 { return float64(failures().Tokens) }),
	)
}

// Build adds what the program was built of.
func (m *Metrics) Build(version, commit, goVersion string) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "junctor_build_info", Help: "1, with the version, the commit and the Go version of the program.",
		ConstLabels: prometheus.Labels{"version": version, "commit": commit, "go": goVersion},
	}, func() float64 { return 1 }))
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

// WatchPool adds the sizes of the pool, and how current it is in memory.
func (m *Metrics) WatchPool(pool *dedicatedip.Pool) {
	m.watchSizes(pool)
	m.watchMemory(pool)
}

// watchSizes adds the sizes of the pool, which are counted when somebody looks.
func (m *Metrics) watchSizes(pool *dedicatedip.Pool) {
	m.registry.MustRegister(&poolSizes{pool: pool, size: prometheus.NewDesc(
		"junctor_dedicated_ips", "Addresses in the pool, by zone and status.", []string{"zone", "status"}, nil)})
}

// watchMemory adds how current the pool in memory is, and how large.
func (m *Metrics) watchMemory(pool *dedicatedip.Pool) {
	gauge := func(name, help string, value func(dedicatedip.Memory) float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			look, _ := pool.Memory()
			return value(look)
		}))
	}
	gauge("junctor_memory_addresses", "Addresses of the pool that are in memory.",
		func(l dedicatedip.Memory) float64 { return float64(l.Entries) })
	gauge("junctor_memory_kept", "Documents that are cached beside them.",
		func(l dedicatedip.Memory) float64 { return float64(l.Cached) })
	gauge("junctor_memory_age_seconds", "How far the addresses in memory may be behind the store; NaN before they are read.",
		func(l dedicatedip.Memory) float64 {
			if !l.Loaded {
				return math.NaN()
			}
			return l.Age.Seconds()
		})
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "junctor_memory_bypassed_total", Help: "Reads of addresses that went to the store, as memory was behind.",
	}, func() float64 {
		look, _ := pool.Memory()
		return float64(look.Bypassed)
	}))
}

type poolSizes struct {
	pool *dedicatedip.Pool
	size *prometheus.Desc
}

// Describe is a prometheus.Collector's.
func (p *poolSizes) Describe(descriptions chan<- *prometheus.Desc) { descriptions <- p.size }

// Collect is a prometheus.Collector's. It leaves the sizes out while they are not known from memory.
func (p *poolSizes) Collect(metrics chan<- prometheus.Metric) {
	counts, _ := p.pool.Counts()
	for key, n := range counts {
		metrics <- prometheus.MustNewConstMetric(p.size, prometheus.GaugeValue, float64(n), key[0], key[1])
	}
}
