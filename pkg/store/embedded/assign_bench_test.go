package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-kivik/kivik/v4"

	couchdbviews "junctor/couchdb-views"
)

// The pool that BenchmarkAssign and BenchmarkLoad write to: the design documents that are served, and documents
// as Kazoo writes them.
const poolDatabase = "dedicated_ips"

// services returns the design document by which Kazoo bills an account. (pkg/testutil imports this package.)
func services(b *testing.B) string {
	b.Helper()
	raw, err := os.ReadFile("../../testutil/testdata/kazoo-views/account.json")
	if err != nil {
		b.Fatal(err)
	}
	var file struct{ Docs []json.RawMessage }
	if err := json.Unmarshal(raw, &file); err != nil {
		b.Fatal(err)
	}
	for _, doc := range file.Docs {
		if strings.Contains(string(doc), `"_design/services"`) {
			return string(doc)
		}
	}
	b.Fatal("Kazoo's design documents of an account lack services")
	return ""
}

func addressID(n int) string { return fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255) }

func addressDoc(n int) map[string]any {
	zone := fmt.Sprintf("zone-%d", n%5)
	return map[string]any{
		"_id": addressID(n), "pvt_vsn": "1", "pvt_type": "dedicated_ip", "pvt_status": "available",
		"pvt_zone": zone, "pvt_host": fmt.Sprintf("proxy%d.%s.example.com", n%3, zone),
		"pvt_db_name": poolDatabase, "pvt_created": 63900000000, "pvt_modified": 63900000000,
	}
}

// installDesign writes a design document of the product, with functions joined as pkg/store joins them.
func installDesign(b *testing.B, db *kivik.DB, file string) {
	b.Helper()
	raw, err := fs.ReadFile(couchdbviews.Files, file)
	if err != nil {
		b.Fatal(err)
	}
	var design map[string]any
	if err := json.Unmarshal(raw, &design); err != nil {
		b.Fatal(err)
	}
	for _, view := range design["views"].(map[string]any) {
		for name, source := range view.(map[string]any) {
			if lines, ok := source.([]any); ok {
				view.(map[string]any)[name] = strings.Trim(fmt.Sprint(lines...), "[]")
			}
		}
	}
	if _, err := db.Put(b.Context(), design["_id"].(string), design); err != nil {
		b.Fatal(err)
	}
}

// newPool makes the pool's database and those of some accounts, as in a Kazoo that bills them.
func newPool(b *testing.B, client *kivik.Client) (pool *kivik.DB, accounts []*kivik.DB) {
	b.Helper()
	pool = createDB(b, client, poolDatabase)
	installDesign(b, pool, "dedicated_ips.json")
	installDesign(b, pool, "junctor_dedicated_ips.json")
	for n := range 8 {
		db := createDB(b, client, fmt.Sprintf("account/aa/bb/%028d", n))
		installDesign(b, db, "junctor_account.json")
		put(b, db, "_design/services", services(b))
		accounts = append(accounts, db)
	}
	return pool, accounts
}

// load puts addresses into the pool, a thousand in a bulk write, and reports how many documents a second that is.
func load(b *testing.B, pool *kivik.DB, from, to int) {
	b.Helper()
	for ; from < to; from += 1000 {
		var docs []any
		for n := from; n < min(from+1000, to); n++ {
			docs = append(docs, addressDoc(n))
		}
		results, err := pool.BulkDocs(b.Context(), docs)
		if err != nil {
			b.Fatal(err)
		}
		for _, r := range results {
			if r.Error != nil {
				b.Fatal(r.Error)
			}
		}
	}
}

// holder assigns one address and releases it again, in four writes of documents.
type holder struct {
	pool, account *kivik.DB
	doc           map[string]any
	copied        string // the revision of the account's copy
	turn          int
}

func newHolder(n int, pool *kivik.DB, accounts []*kivik.DB, rev string) *holder {
	h := &holder{pool: pool, account: accounts[n%len(accounts)], doc: addressDoc(n)}
	h.doc["_rev"] = rev
	return h
}

func (h *holder) write(ctx context.Context) (err error) {
	id := h.doc["_id"].(string)
	switch h.turn % 4 {
	case 0:
		h.doc["pvt_status"], h.doc["pvt_assigned_to"] = "assigned", strings.Repeat("ab", 16)
		h.doc["_rev"], err = h.pool.Put(ctx, id, h.doc)
	case 1:
		copied := map[string]any{}
		for name, value := range h.doc {
			if name != "_rev" {
				copied[name] = value
			}
		}
		h.copied, err = h.account.Put(ctx, id, copied)
	case 2:
		h.doc["pvt_status"] = "available"
		delete(h.doc, "pvt_assigned_to")
		h.doc["_rev"], err = h.pool.Put(ctx, id, h.doc)
	case 3:
		_, err = h.account.Delete(ctx, id, h.copied)
	}
	h.turn++
	return err
}

func newHolders(b *testing.B, clients int, pool *kivik.DB, accounts []*kivik.DB) []*holder {
	b.Helper()
	holders := make([]*holder, clients)
	for n := range holders {
		rev, err := pool.GetRev(b.Context(), addressID(n))
		if err != nil {
			b.Fatal(err)
		}
		holders[n] = newHolder(n, pool, accounts, rev)
	}
	return holders
}

// BenchmarkAssign has 64 clients assign and release addresses, and in the same run as many writers put and delete
// the very keys and values that this changes in a bare bbolt file, with the same group commit.
func BenchmarkAssign(b *testing.B) {
	const clients, addresses = 64, 10_000
	c := openClient(b, b.TempDir())
	pool, accounts := newPool(b, clientOver(b, c))
	load(b, pool, 0, addresses)
	holders := newHolders(b, clients, pool, accounts)
	raw, scripts := newRaw(b, snapshot(b, c.bolt)), rawScripts(b, clients)
	b.Run("64 clients", func(b *testing.B) {
		store := perSecond(b, clients, func(n int) error { return holders[n].write(context.Background()) })
		bare := perSecond(b, clients, func(n int) error { return scripts[n].next(raw) })
		b.ReportMetric(store, "docs/s")
		b.ReportMetric(bare, "bbolt-docs/s")
		b.ReportMetric(100*store/bare, "%-of-bbolt")
	})
}

// perSecond does b.N pieces of work from several goroutines.
func perSecond(b *testing.B, workers int, work func(worker int) error) float64 {
	var left atomic.Int64
	left.Store(int64(b.N))
	began := time.Now()
	var all sync.WaitGroup
	for n := range workers {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				if err := work(n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return float64(b.N) / time.Since(began).Seconds()
}

// BenchmarkLoad fills a pool, a thousand addresses in a bulk write, and opens it again. -benchtime 1000000x loads a
// million.
func BenchmarkLoad(b *testing.B) {
	folder := b.TempDir()
	client, err := Open(folder, Options{})
	if err != nil {
		b.Fatal(err)
	}
	pool, _ := newPool(b, client.Client)
	b.ResetTimer()
	load(b, pool, 0, b.N)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "docs/s")
	if err := client.Close(); err != nil {
		b.Fatal(err)
	}
	file, err := os.Stat(filepath.Join(folder, fileName))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(file.Size())/float64(b.N), "file-B/doc")
	runtime.GC()
	b.ReportMetric(anonymousMemory(), "RssAnon-MiB")
	began := time.Now()
	get(b, openStore(b, folder).DB(poolDatabase), addressID(b.N-1))
	b.ReportMetric(float64(time.Since(began).Microseconds())/1000, "open-ms")
}

// anonymousMemory is what the process holds that is no map of a file, where the system tells it.
func anonymousMemory() float64 {
	status, _ := os.ReadFile("/proc/self/status")
	var kib float64
	for line := range strings.Lines(string(status)) {
		_, _ = fmt.Sscanf(line, "RssAnon: %f kB", &kib)
	}
	return kib / 1024
}
