package metrics

import (
	"math"
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"

	"junctor/pkg/auth/ratelimit"
	"junctor/pkg/billing"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/history"
	"junctor/pkg/notify"
)

// number is what a metric may be read as.
type number interface{ int | uint64 | float64 }

// gauge adds a gauge that is read at every scrape.
func gauge[N number](to prometheus.Registerer, name, help string, read func() N) {
	to.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help},
		func() float64 { return float64(read()) }))
}

// counter adds a counter that is read at every scrape.
func counter[N number](to prometheus.Registerer, name, help string, read func() N) {
	to.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
		func() float64 { return float64(read()) }))
}

// collector is a prometheus.Collector of gauges that are left out while they are not known.
type collector func(add func(d *prometheus.Desc, value float64, labels ...string))

// Describe implements prometheus.Collector. It leaves the descriptions to the metrics.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c collector) Collect(metrics chan<- prometheus.Metric) {
	c(func(d *prometheus.Desc, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	})
}

// indicator returns the value of a gauge that is 1 or 0.
func indicator(on bool) int {
	if on {
		return 1
	}
	return 0
}

// WatchFile adds the size of the file of an embedded store, and the space that is left for it.
func (m *Metrics) WatchFile(path string) {
	size := prometheus.NewDesc("junctor_store_file_bytes", "Size of the file of the embedded store.", nil, nil)
	free := prometheus.NewDesc("junctor_store_disk_free_bytes",
		"Space that is left for the file of the embedded store on its file system.", nil, nil)
	m.registry.MustRegister(collector(func(add func(*prometheus.Desc, float64, ...string)) {
		if info, err := os.Stat(path); err == nil {
			add(size, float64(info.Size()))
		}
		var disk unix.Statfs_t
		if err := unix.Statfs(filepath.Dir(path), &disk); err == nil {
			add(free, float64(disk.Bavail)*float64(disk.Bsize))
		}
	}))
}

// WatchNotices adds the state of change notices.
func (m *Metrics) WatchNotices(stats func() notify.Stats) {
	gauge(m.registry, "junctor_notices_waiting", "Change notices that the broker has not confirmed yet.",
		func() int { return stats().Waiting })
	gauge(m.registry, "junctor_notices_oldest_seconds", "How long the next change notice to be confirmed has waited.",
		func() float64 { return stats().Oldest.Seconds() })
	gauge(m.registry, "junctor_broker_connected",
		"Whether there is a connection to the broker of change notices: 1 or 0.",
		func() int { return indicator(stats().Connected) })
	counter(m.registry, "junctor_notices_dropped_total",
		"Change notices that were given up: no queue took them, or the checkpoint was full.",
		func() uint64 { return stats().Dropped })
}

// WatchHistory adds the state of the history.
func (m *Metrics) WatchHistory(stats func() history.Stats) {
	gauge(m.registry, "junctor_history_waiting", "Addresses whose last changes are not in the history yet.",
		func() int { return stats().Waiting })
	gauge(m.registry, "junctor_history_oldest_seconds", "How long the first of those changes has waited.",
		func() float64 { return stats().Oldest.Seconds() })
}

// WatchHook adds the metrics of the billing hook.
func (m *Metrics) WatchHook(stats func() billing.Stats) {
	for _, outcome := range []string{
		billing.Free, billing.Quoted, billing.Accepted, billing.Refused, billing.Failed,
	} {
		m.billing.WithLabelValues(billing.Quote, outcome)
	}
	m.watchQueue("hook", billing.Reconcile, stats)
}

// WatchKazoo adds the metrics of the Crossbar that reconciles services.
func (m *Metrics) WatchKazoo(stats func() billing.Stats) {
	m.watchQueue("kazoo", billing.KazooReconcile, stats)
}

func (m *Metrics) watchQueue(target, event string, stats func() billing.Stats) {
	for _, outcome := range []string{billing.Done, billing.Failed} {
		m.billing.WithLabelValues(event, outcome)
	}
	of := prometheus.WrapRegistererWith(prometheus.Labels{"target": target}, m.registry)
	gauge(of, "junctor_billing_accounts_waiting", "Accounts whose changes wait for a reconcile call, by target.",
		func() int { return stats().Waiting })
	counter(of, "junctor_billing_accounts_dropped_total",
		"Changes of accounts that were given up without a reconcile call, by target.",
		func() uint64 { return stats().Dropped })
}

// WatchDocuments adds the memory of the document cache.
func (m *Metrics) WatchDocuments(bytes func() uint64) {
	gauge(m.registry, "junctor_document_cache_bytes",
		"Approximate memory of cached accounts, users, keys and settings.", bytes)
}

// WatchReadiness adds whether the server is ready, as on /readyz.
func (m *Metrics) WatchReadiness(ready func() bool) {
	gauge(m.registry, "junctor_ready", "Whether a write would succeed, as on /readyz: 1 or 0.",
		func() int { return indicator(ready()) })
}

// WatchRequests adds how many requests are being served.
func (m *Metrics) WatchRequests(inFlight func() int) {
	gauge(m.registry, "junctor_http_requests_in_flight", "Requests that are being served.", inFlight)
}

// WatchCredentials adds how many credentials were refused.
func (m *Metrics) WatchCredentials(failures func() ratelimit.Failures) {
	counter(m.registry, "junctor_logins_failed_total", "Logins with a wrong password, name or key.",
		func() uint64 { return failures().Logins })
	counter(m.registry, "junctor_tokens_refused_total", "Tokens and API keys that were refused.",
		func() uint64 { return failures().Tokens })
}

// Build adds what the program was built of.
func (m *Metrics) Build(version, commit, goVersion string) {
	labels := prometheus.Labels{"version": version, "commit": commit, "go": goVersion}
	gauge(prometheus.WrapRegistererWith(labels, m.registry), "junctor_build_info",
		"1, with the version, the commit and the Go version of the program.", func() int { return 1 })
}

// WatchPool adds the sizes of the pool, and how current it is in memory.
func (m *Metrics) WatchPool(pool *dedicatedip.Pool) {
	size := prometheus.NewDesc("junctor_dedicated_ips", "Addresses in the pool, by zone and status.",
		[]string{"zone", "status"}, nil)
	m.registry.MustRegister(collector(func(add func(*prometheus.Desc, float64, ...string)) {
		counts, _ := pool.Counts()
		for key, n := range counts {
			add(size, float64(n), key[0], key[1])
		}
	}))
	memory := func() dedicatedip.Memory {
		look, _ := pool.Memory()
		return look
	}
	gauge(m.registry, "junctor_memory_addresses", "Addresses of the pool that are in memory.",
		func() int { return memory().Entries })
	gauge(m.registry, "junctor_memory_age_seconds",
		"How far the addresses in memory may be behind the store; NaN before they are read.",
		func() float64 {
			look := memory()
			if !look.Loaded {
				return math.NaN()
			}
			return look.Age.Seconds()
		})
	counter(m.registry, "junctor_memory_bypassed_total",
		"Reads of addresses that went to the store, as memory was behind.",
		func() uint64 { return memory().Bypassed })
}
