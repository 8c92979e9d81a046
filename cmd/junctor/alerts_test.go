package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/annotations"

	"junctor/pkg/crossbar"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/metrics"
	"junctor/pkg/notify"
	"junctor/pkg/projection"
	"junctor/pkg/testutil"
)

// alerts returns the expressions of packaging/prometheus/alerts.yaml by the names of the alerts.
func alerts(t *testing.T) map[string]string {
	t.Helper()
	groups, problems := rulefmt.ParseFile("../../packaging/prometheus/alerts.yaml", false, model.UTF8Validation,
		parser.NewParser(parser.Options{}), slog.Default())
	if len(problems) > 0 || len(groups.Groups) != 1 {
		t.Fatalf("%+v, %v", groups, problems)
	}
	expressions := map[string]string{}
	for _, rule := range groups.Groups[0].Rules {
		expressions[rule.Alert] = rule.Expr
	}
	return expressions
}

// TestAlerts brings servers into the states that the alerts are for, and evaluates each expression over what /metrics
// says before and after. With a healthy server no alert fires.
func TestAlerts(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	healthy := start(t, "--store", home)
	ok(t, "ips", "add", "192.0.2.1-192.0.2.30", "--zone", "z", "--host", "h", "--store", home)
	healthy.awaitFullPass()
	var fine string
	testutil.Eventually(t, "a healthy server", func() bool {
		fine = up(healthy.metrics())
		return strings.Contains(fine, "\njunctor_ready 1\n")
	})

	states := alertStates(t)
	for name, expression := range alerts(t) {
		state, known := states[name]
		if !known {
			t.Errorf("%s: the test has no state that it is for", name)
			continue
		}
		if fires(t, expression, fine, fine) {
			t.Errorf("%s fires for a healthy server", name)
		}
		if !fires(t, expression, state.before, state.after) {
			t.Errorf("%s does not fire:\n%s", name, state.after)
		}
	}
	if len(states) != len(alerts(t)) {
		t.Errorf("%d states for %d alerts", len(states), len(alerts(t)))
	}
	operations := readFile(t, "../../docs/operations.md")
	for name := range states {
		if !strings.Contains(operations, "`"+name+"`") {
			t.Errorf("docs/operations.md has no %s", name)
		}
	}
}

// TestDashboard: the expressions of the Grafana dashboard parse, and name metrics that docs/operations.md has.
func TestDashboard(t *testing.T) {
	t.Parallel()
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(readFile(t, "../../packaging/grafana/junctor.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	operations, expressions := readFile(t, "../../docs/operations.md"), 0
	metric := regexp.MustCompile(`\bjunctor_[a-z_]+`)
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			expressions++
			text := strings.NewReplacer("$__rate_interval", "5m", "$job", "junctor", "$instance", ".*").Replace(target.Expr)
			if _, err := parser.NewParser(parser.Options{}).ParseExpr(text); err != nil {
				t.Errorf("%s: %v", panel.Title, err)
			}
			for _, name := range metric.FindAllString(text, -1) {
				base := regexp.MustCompile(`_(bucket|count)$`).ReplaceAllString(name, "")
				if !strings.Contains(operations, "`"+name+"`") && !strings.Contains(operations, "`"+base+"`") {
					t.Errorf("%s: docs/operations.md has no %s", panel.Title, name)
				}
			}
		}
	}
	if expressions < 20 {
		t.Errorf("%d expressions", expressions)
	}
}

// alertState is what /metrics says before something happens, and after it.
type alertState struct{ before, after string }

// lasting is a state that has lasted for as long as an alert looks back.
func lasting(text string) alertState { return alertState{text, text} }

// up adds what Prometheus records of a scrape that succeeded.
func up(text string) string { return "up 1\n" + text }

// alertStates returns a state for each alert.
func alertStates(t *testing.T) map[string]alertState {
	home := t.TempDir()
	s := start(t, "--store", home, "--billing-url", "http://127.0.0.1:1/", "--billing-on-error", "allow",
		"--amqp-url", "amqp://guest:guest@127.0.0.1:1/")
	before := up(s.metrics())
	account := s.assign(home) // the only address of its zone
	token := s.loginAdmin(home)
	for range 4 { // the hook is away
		s.request("DELETE", "/v2/accounts/"+account+assignedAddress, token, "")
		s.request("POST", "/v2/accounts/"+account+assignedAddress, token, "")
	}
	for i := range 55 {
		s.request("PUT", "/v2/user_auth", "", fmt.Sprintf(`{"data":{"credentials":"%032d","account_name":"A"}}`, i))
	}
	after := up(s.metrics())
	happened := alertState{before, after}
	s.stop()

	couch := newFaultyCouch(t)
	c, admin := onCouch(t, couch)
	token = c.login(admin.APIKey)
	lost := alertState{before: up(c.metrics())}
	couch.send(t, "DELETE", "/dedicated_ips")
	testutil.Eventually(t, "the pool to be missed", func() bool {
		status, _ := c.request("PUT", "/v2/ips", token, `{"data":{"ip":"192.0.2.1","zone":"z","host":"h"}}`)
		return status == http.StatusServiceUnavailable
	})
	testutil.Eventually(t, "the server not to be ready", func() bool {
		lost.after = up(c.metrics())
		return strings.Contains(lost.after, "\njunctor_ready 0\n")
	})

	away := begin(t, nil, "--store", "http://user:password@127.0.0.1:1", "--state-dir", t.TempDir())
	away.awaitListening()
	var silent alertState
	attempts := regexp.MustCompile(`(?m)^(junctor_store_errors_total\{.*kind="datastore unreachable".*\}) .*`)
	testutil.Eventually(t, "the first attempt at the store", func() bool {
		silent.before = up(away.metrics())
		return attempts.MatchString(silent.before)
	})
	// There may have been many attempts by then, with long pauses before the next ones.
	silent.before = attempts.ReplaceAllString(silent.before, "$1 0")
	testutil.Eventually(t, "attempts at the store", func() bool {
		silent.after = up(away.metrics())
		return fires(t, alerts(t)["JunctorStoreUnreachable"], silent.before, silent.after)
	})
	return map[string]alertState{
		"JunctorDown":               lasting("up 0"),
		"JunctorNotReady":           lost,
		"JunctorStoreUnreachable":   silent,
		"JunctorMemoryStale":        silent,
		"JunctorNoFullPass":         silent,
		"JunctorPoolMissing":        lost,
		"JunctorZoneRunsLow":        happened,
		"JunctorBillingFails":       happened,
		"JunctorLoginsFail":         happened,
		"JunctorBrokerDisconnected": happened,
		"JunctorWritesUnconfirmed":  counted(t, 1, func(m *metrics.Metrics) { m.ObserveRequest(failed(fault.DatastorePartial)) }),
		"JunctorInternalErrors":     counted(t, 1, func(m *metrics.Metrics) { m.ObserveRequest(failed(fault.Internal)) }),
		"JunctorRequestsShed":       counted(t, 20, func(m *metrics.Metrics) { m.ObserveRequest(failed(fault.Busy)) }),
		"JunctorCopiesDiffer":       counted(t, 20, func(m *metrics.Metrics) { m.CopyRepaired(projection.CopyUpdated) }),
		"JunctorFullPassStopped":    counted(t, 1, func(m *metrics.Metrics) { m.FullPass(projection.PassStopped) }),
		"JunctorAddressesAbandoned": counted(t, 1, (*metrics.Metrics).AddressAbandoned),
		"JunctorNoticesWait":        lasting(scrape(t, withNotices(notify.Stats{Waiting: 2, Connected: true}))),
		"JunctorNoticesDropped": {
			scrape(t, withNotices(notify.Stats{})), scrape(t, withNotices(notify.Stats{Dropped: 3})),
		},
		"JunctorHistoryWaits": lasting(scrape(t, withHistory(history.Stats{Waiting: 1, Oldest: 2 * time.Minute}))),
		"JunctorDiskFillsUp": lasting(regexp.MustCompile(`(?m)^(junctor_store_disk_free_bytes) .*`).
			ReplaceAllString(after, "$1 4096")),
		"JunctorVersionsDiffer": lasting(after + strings.ReplaceAll(after, `version="dev"`, `version="v0.9"`)),
	}
}

func failed(kind fault.Kind) crossbar.Finished {
	return crossbar.Finished{Route: "/ips", Method: "GET", Status: 500, Failure: fault.Wrap(kind, errors.New("failed"))}
}

// counted returns the state in which something has happened n times.
func counted(t *testing.T, n int, count func(*metrics.Metrics)) alertState {
	t.Helper()
	m := metrics.New()
	state := alertState{before: scrape(t, m)}
	for range n {
		count(m)
	}
	state.after = scrape(t, m)
	return state
}

func withNotices(stats notify.Stats) *metrics.Metrics {
	m := metrics.New()
	m.WatchNotices(func() notify.Stats { return stats })
	return m
}

func withHistory(stats history.Stats) *metrics.Metrics {
	m := metrics.New()
	m.WatchHistory(func() history.Stats { return stats })
	return m
}

// scrape returns what a server with these metrics shows.
func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	server := httptest.NewServer(m.Handler())
	defer server.Close()
	resp, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// exposed is a line of /metrics: a name, labels, and a value.
var exposed = regexp.MustCompile(`(?m)^([a-z_]+)(?:\{(.*)\})? (\S+)$`)

// fires reports whether an expression returns anything at the end of four hours, of which the last two minutes are as
// after, and all before them as before.
func fires(t *testing.T, expression, before, after string) bool {
	t.Helper()
	values := map[string][2]string{}
	for i, text := range []string{before, after} {
		for _, line := range exposed.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(expression, line[1]) {
				continue
			}
			name := line[1] + "{" + strings.Trim(line[2]+`,job="junctor",instance="a"`, ",") + "}"
			series := values[name]
			series[i] = line[3]
			values[name] = series
		}
	}
	var recorded []storage.Series
	for series, v := range values {
		recorded = append(recorded, record(t, series, v[0], v[1]))
	}
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 10_000, Timeout: patience, Parser: parser.NewParser(parser.Options{}),
	})
	defer engine.Close()
	query, err := engine.NewInstantQuery(t.Context(), prometheus(recorded), nil, expression, time.Unix(0, 0).Add(4*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	defer query.Close()
	result := query.Exec(t.Context())
	vector, err := result.Vector()
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return len(vector) > 0
}

// record returns what Prometheus stores of a series in four hours, with a sample a minute. Empty values are no samples.
func record(t *testing.T, series, before, after string) storage.Series {
	t.Helper()
	name, err := parser.NewParser(parser.Options{}).ParseMetric(series)
	if err != nil {
		t.Fatalf("%s: %v", series, err)
	}
	chunk := chunkenc.NewXORChunk()
	samples, err := chunk.Appender()
	if err != nil {
		t.Fatal(err)
	}
	const last, changed = 4 * 60, 4*60 - 2
	for minute := range last + 1 {
		text := before
		if minute >= changed {
			text = after
		}
		if text == "" {
			continue
		}
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatalf("%s: %v", series, err)
		}
		samples.Append(0, int64(minute)*time.Minute.Milliseconds(), value)
	}
	return &storage.SeriesEntry{Lset: name, SampleIteratorFn: chunk.Iterator}
}

// prometheus lets queries be made over series. Prometheus's own storage would have the tests compile the clients of
// every cloud that it can write to.
func prometheus(recorded []storage.Series) storage.Queryable {
	found := func(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
		set := &seriesSet{}
		for _, series := range recorded {
			misses := func(m *labels.Matcher) bool { return !m.Matches(series.Labels().Get(m.Name)) }
			if !slices.ContainsFunc(matchers, misses) {
				set.rest = append(set.rest, series)
			}
		}
		return set
	}
	return &storage.MockQueryable{MockQuerier: &storage.MockQuerier{SelectMockFunction: found}}
}

// seriesSet hands out series one after the other.
type seriesSet struct {
	current storage.Series
	rest    []storage.Series
}

func (s *seriesSet) Next() bool {
	if len(s.rest) == 0 {
		return false
	}
	s.current, s.rest = s.rest[0], s.rest[1:]
	return true
}

func (s *seriesSet) At() storage.Series                { return s.current }
func (s *seriesSet) Err() error                        { return nil }
func (s *seriesSet) Warnings() annotations.Annotations { return nil }
