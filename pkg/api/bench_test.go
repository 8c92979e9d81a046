package api_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/mux"
	"github.com/rs/zerolog"
	"go.etcd.io/bbolt"

	"junctor/pkg/api"
	"junctor/pkg/auth"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/schema"
	"junctor/schemas"
)

// How the table is measured: in rounds, in each of which everything has its turn, so that what disturbs the machine
// disturbs all alike.
const (
	rounds      = 5
	turn        = time.Second
	connections = 16
)

// subject is something that is measured: do performs one operation on one of the connections.
type subject struct {
	name  string
	do    func(connection int) error
	rates []float64 // operations a second, one for each round
}

// row is a line of the table: something of ours, and what the same work costs without us.
type row struct{ ours, bare *subject }

// BenchmarkTable measures requests over HTTP, token and all, on the embedded store in a file, and beside them the
// yardsticks: a bare gorilla/mux handler that answers the same bytes, and bare bbolt that writes the same bytes.
// Client and server share the processors.
func BenchmarkTable(b *testing.B) {
	bench := newBench(b)
	rows := []row{
		bench.get("GET one IP", ipsOfA+"/10.0.0.1"),
		bench.get("GET assigned, 25 rows", ipsOfA+"/assigned"),
		bench.get("GET zones", ipsOfA+"/zones"),
		{ours: &subject{name: "assign + release", do: bench.assignAndRelease}, bare: bench.bolt(b)},
	}
	for range rounds {
		for _, r := range rows {
			r.ours.measure(b)
			r.bare.measure(b)
		}
	}
	b.ReportMetric(0, "ns/op")
	b.Log(table(rows))
}

// measure gives a subject its turn.
func (s *subject) measure(b *testing.B) {
	b.Helper()
	var operations atomic.Int64
	var failure atomic.Value
	var done sync.WaitGroup
	start := time.Now()
	for connection := range connections {
		done.Go(func() {
			for time.Since(start) < turn && failure.Load() == nil {
				if err := s.do(connection); err != nil {
					failure.Store(err)
				}
				operations.Add(1)
			}
		})
	}
	done.Wait()
	if err := failure.Load(); err != nil {
		b.Fatalf("%s: %v", s.name, err)
	}
	s.rates = append(s.rates, float64(operations.Load())/time.Since(start).Seconds())
}

// median answers the middle rate.
func (s *subject) median() float64 { return slices.Sorted(slices.Values(s.rates))[len(s.rates)/2] }

func table(rows []row) string {
	var text strings.Builder
	fmt.Fprintf(&text, "medians of %d rounds of %s, %d connections, GOMAXPROCS %d, %s\n",
		rounds, turn, connections, runtime.GOMAXPROCS(0), runtime.Version())
	fmt.Fprintf(&text, "%-24s %10s %15s   %-32s %10s   %s\n",
		"operation", "per second", "lowest-highest", "yardstick", "per second", "ratio")
	for _, r := range rows {
		spread := fmt.Sprintf("%.0f-%.0f", slices.Min(r.ours.rates), slices.Max(r.ours.rates))
		fmt.Fprintf(&text, "%-24s %10.0f %15s   %-32s %10.0f   %.2f\n", r.ours.name, r.ours.median(), spread,
			r.bare.name, r.bare.median(), r.ours.median()/r.bare.median())
	}
	return text.String()
}

// bench is a server with a pool in a file, and a client with connections that stay open.
type bench struct {
	*service
	client *http.Client
	auth   string
}

func newBench(b *testing.B) *bench {
	b.Helper()
	s := openStore(b, filepath.Join(b.TempDir(), "store"))
	loadKazoo(b, s)
	set, err := schema.Load(schemas.Files)
	if err != nil {
		b.Fatal(err)
	}
	sv := newService(b, s, func(c *api.Config) {
		c.Log = zerolog.New(io.Discard) // lines are made, but not kept
		c.Pool = dedicatedip.New(s, set, "local", c.Now, c.Log)
		c.Tokens = auth.NewAuthenticator(s, auth.Options{Now: c.Now, Staleness: time.Second}) // as serve does
	})
	for i := 1; i <= 25; i++ {
		address := fmt.Sprintf("10.0.0.%d", i)
		sv.create(address)
		sv.want(sv.as("A", "POST", ipsOfA+"/"+address, ""), http.StatusOK)
	}
	for i := range connections {
		sv.create(fmt.Sprintf("10.0.1.%d", i))
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	b.Cleanup(client.CloseIdleConnections)
	return &bench{service: sv, client: client, auth: sv.token("A")}
}

// request makes a request and reads the answer to its end, which a connection needs to be used again.
func (bn *bench) request(method, url string) ([]byte, http.Header, error) {
	r, err := http.NewRequest(method, url, nil)
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("X-Auth-Token", bn.auth)
	resp, err := bn.client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %d %s", method, url, resp.StatusCode, text)
	}
	return text, resp.Header, err
}

func (bn *bench) get(name, path string) row {
	bn.Helper()
	text, header, err := bn.request(http.MethodGet, bn.url+path)
	if err != nil {
		bn.Fatal(err)
	}
	getter := func(url string) func(int) error {
		return func(int) error {
			_, _, err := bn.request(http.MethodGet, url)
			return err
		}
	}
	return row{
		ours: &subject{name: name, do: getter(bn.url + path)},
		bare: &subject{name: "bare mux handler, same bytes", do: getter(bareMux(bn, text, header) + path)},
	}
}

// bareMux serves one answer from routes as ours.
func bareMux(b testing.TB, text []byte, header http.Header) string {
	router := mux.NewRouter()
	answer := func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range header {
			if name != "Date" {
				w.Header()[name] = values
			}
		}
		_, _ = w.Write(text)
	}
	for _, path := range []string{"", "/assigned", "/zones", "/hosts", "/{ip}"} {
		router.HandleFunc("/v2/accounts/{account}/ips"+path, answer).Methods(http.MethodGet)
	}
	server := httptest.NewServer(router)
	b.Cleanup(server.Close)
	return server.URL
}

func (bn *bench) assignAndRelease(connection int) error {
	url := fmt.Sprintf("%s%s/10.0.1.%d", bn.url, ipsOfA, connection)
	for _, method := range []string{http.MethodPost, http.MethodDelete} {
		if _, _, err := bn.request(method, url); err != nil {
			return err
		}
	}
	return nil
}

// bolt writes to disk what an assignment and a release write: the document twice and its copy, which is then
// deleted. Writers share transactions, as they do in the embedded store.
func (bn *bench) bolt(b *testing.B) *subject {
	b.Helper()
	db, err := bbolt.Open(filepath.Join(b.TempDir(), "bare.db"), 0o600, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	stored, err := bn.store.Get(b.Context(), "dedicated_ips", "10.0.0.1")
	if err != nil {
		b.Fatal(err)
	}
	doc, bucket := []byte(jsonText(stored)), []byte("documents")
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket(bucket)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	db.MaxBatchSize, db.MaxBatchDelay = connections, time.Millisecond
	do := func(connection int) error {
		pool, held := fmt.Appendf(nil, "pool/%d", connection), fmt.Appendf(nil, "account/%d", connection)
		for _, change := range []func(*bbolt.Bucket) error{
			func(docs *bbolt.Bucket) error { return docs.Put(pool, doc) },
			func(docs *bbolt.Bucket) error { return docs.Put(held, doc) },
			func(docs *bbolt.Bucket) error { return docs.Put(pool, doc) },
			func(docs *bbolt.Bucket) error { return docs.Delete(held) },
		} {
			err := db.Batch(func(tx *bbolt.Tx) error { return change(tx.Bucket(bucket)) })
			if err != nil {
				return err
			}
		}
		return nil
	}
	return &subject{name: "bare bbolt, same writes, batched", do: do}
}
