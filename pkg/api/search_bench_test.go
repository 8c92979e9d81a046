package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/account"
	"junctor/pkg/accountlist"
	"junctor/pkg/api"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/inventory"
	"junctor/pkg/store"
)

// BenchmarkSearch measures over a connection what the first and the last page of GET ips/all take, with one filter each.
// JUNCTOR_BENCH_ADDRESSES has the numbers of addresses, such as "10000,1000000".
func BenchmarkSearch(b *testing.B) {
	sizes := os.Getenv("JUNCTOR_BENCH_ADDRESSES")
	if sizes == "" {
		sizes = "1000"
	}
	for text := range strings.SplitSeq(sizes, ",") {
		size, err := strconv.Atoi(text)
		if err != nil {
			b.Fatal(err)
		}
		s := newSearched(b, size)
		for _, filter := range []string{
			"zone=zone1", "host=host7", "status=available", "assigned_to=" + accountA, "cidr=10.0.0.0/8", "search=10.",
			"search=host1", "search=zoe", "zone=zone1&status=assigned&search=10.0.",
		} {
			for page, key := range map[string]string{"first": "", "last": s.lastKey(b, filter)} {
				b.Run(fmt.Sprintf("%s/%s/%d", filter, page, size), func(b *testing.B) {
					for b.Loop() {
						s.get(b, filter+"&start_key="+key)
					}
				})
			}
		}
		b.Logf("%d addresses: %d MiB anonymous", size, anonymous(b))
	}
}

// searched is a server with a pool in memory.
type searched struct{ url, token string }

func newSearched(b *testing.B, size int) searched {
	b.Helper()
	s := kazooTemplate.Open(b)
	fillPool(b, s, size)
	sv := newService(b, s)
	c := newConfig(b, s, sv.clock.now)
	c.Log = zerolog.New(io.Discard)
	accounts := accountlist.New(s, account.NewDirectory(s), time.Hour, c.Log)
	ctx, cancel := context.WithCancel(context.Background())
	var following sync.WaitGroup
	following.Go(func() { accounts.Follow(ctx) })
	b.Cleanup(func() {
		cancel()
		following.Wait()
	})
	cached(b, s, time.Hour)(&c)
	c.Inventory = inventory.New(c.Pool, accounts, s)
	for !accounts.FromMemory() {
		time.Sleep(time.Millisecond)
	}
	server := httptest.NewServer(api.New(c))
	b.Cleanup(server.Close)
	return searched{server.URL, sv.token("M")}
}

// fillPool writes addresses of 5 zones and 50 hosts, half of which accounts have. It removes the views before, which
// memory does not need and which take most of the time of a write.
func fillPool(b *testing.B, s *store.Store, size int) {
	b.Helper()
	for _, design := range []string{"_design/dedicated_ips", "_design/junctor"} {
		doc, err := s.Get(b.Context(), dedicatedip.Database, design)
		if err == nil {
			err = s.Delete(b.Context(), dedicatedip.Database, design, doc.Rev())
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	const batch = 5000
	for from := 0; from < size; from += batch {
		var docs []document.Document
		for n := from; n < min(from+batch, size); n++ {
			doc := document.Document{"_id": fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255), "pvt_type": "dedicated_ip",
				"pvt_zone": "zone" + strconv.Itoa(n%5), "pvt_host": "host" + strconv.Itoa(n%50), "pvt_status": "available"}
			if n%2 == 0 {
				doc["pvt_status"], doc["pvt_assigned_to"] = "assigned", []string{accountA, accountB, accountA1}[n%3]
			}
			docs = append(docs, doc)
		}
		if _, err := s.PutMany(b.Context(), dedicatedip.Database, docs); err != nil {
			b.Fatal(err)
		}
	}
}

// get returns the key of the next page.
func (s searched) get(b *testing.B, query string) (next string) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, s.url+"/v2/ips/all?"+query, http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("X-Auth-Token", s.token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var envelope struct {
		Next string `json:"next_start_key"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&envelope); err != nil || resp.StatusCode != http.StatusOK {
		b.Fatalf("%s: %d, %v", query, resp.StatusCode, err)
	}
	return envelope.Next
}

// lastKey returns the start key of the last page.
func (s searched) lastKey(b *testing.B, filter string) (last string) {
	b.Helper()
	for next := s.get(b, filter); next != ""; next = s.get(b, filter+"&page_size=1000&start_key="+next) {
		last = next
	}
	return last
}

// anonymous returns the memory of this process that is in no file, in MiB.
func anonymous(b *testing.B) int {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip(err)
	}
	_, text, _ := strings.Cut(string(status), "RssAnon:")
	kib, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	n, _ := strconv.Atoi(kib)
	return n >> 10
}
