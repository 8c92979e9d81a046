package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-kivik/kivik/v4"

	couchdbviews "junctor/couchdb-views"
)

// The pool that BenchmarkAssign writes to: the design documents that are served, and documents as Kazoo writes them.
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

// load puts addresses into the pool, a thousand in a bulk write.
func load(b *testing.B, pool *kivik.DB, to int) {
	b.Helper()
	for from := 0; from < to; from += 1000 {
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

// BenchmarkAssign has 64 clients assign and release addresses.
func BenchmarkAssign(b *testing.B) {
	const clients, addresses = 64, 10_000
	pool, accounts := newPool(b, openStore(b, b.TempDir()))
	load(b, pool, addresses)
	holders := newHolders(b, clients, pool, accounts)
	b.Run("64 clients", func(b *testing.B) {
		var left atomic.Int64
		left.Store(int64(b.N))
		var all sync.WaitGroup
		for _, h := range holders {
			all.Go(func() {
				for left.Add(-1) >= 0 {
					if err := h.write(context.Background()); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "docs/s")
	})
}
