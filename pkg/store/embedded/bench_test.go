package embedded

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/go-kivik/kivik/v4"
)

const benchDesign = `{"views":{"zones":{"map":"function (doc) { emit([doc.zone, doc._id], {host: doc.host}); }",
	"reduce":"_count"}}}`

func benchDoc(n int64) map[string]any {
	return map[string]any{"zone": fmt.Sprint("zone", n%5), "host": "host", "ip": "10.0.0.1", "pvt_type": "dedicated_ip"}
}

func BenchmarkPut(b *testing.B) {
	for name, writers := range map[string]int{"alone": 1, "64 writers": 64} {
		b.Run(name, func(b *testing.B) {
			db := createDB(b, openStore(b, b.TempDir()), "db")
			put(b, db, "_design/d", benchDesign)
			var n atomic.Int64
			b.SetParallelism(writers)
			put := func() {
				i := n.Add(1)
				if _, err := db.Put(context.Background(), fmt.Sprint(i), benchDoc(i)); err != nil {
					b.Error(err)
				}
			}
			b.ResetTimer()
			if writers == 1 {
				for range b.N {
					put()
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					put()
				}
			})
		})
	}
}

func BenchmarkRead(b *testing.B) {
	db := newDB(b)
	put(b, db, "_design/d", benchDesign)
	docs := make([]any, 10_000)
	for i := range docs {
		docs[i] = benchDoc(int64(i))
		docs[i].(map[string]any)["_id"] = fmt.Sprintf("10.0.%d.%d", i/256, i%256)
	}
	if _, err := db.BulkDocs(b.Context(), docs); err != nil {
		b.Fatal(err)
	}
	for name, o := range map[string]options{
		"100 rows":  {"reduce": false, "startkey": []any{"zone3"}, "limit": 100},
		"by key":    {"reduce": false, "key": []any{"zone4", "10.0.0.4"}},
		"all zones": {"group": true},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if rows := drain(b, db.Query(b.Context(), "d", "zones", o)); rows == 0 {
					b.Fatal("no rows")
				}
			}
		})
	}
	b.Run("document", func(b *testing.B) {
		for b.Loop() {
			get(b, db, "10.0.1.1")
		}
	})
}

func drain(b *testing.B, rs *kivik.ResultSet) (n int) {
	for rs.Next() {
		n++
	}
	if err := rs.Err(); err != nil {
		b.Fatal(err)
	}
	return n
}
