package api_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/gorilla/mux"
	"github.com/rs/zerolog"

	"junctor/pkg/api"
	"junctor/pkg/auth"
	"junctor/pkg/document"
)

// BenchmarkRoutingLookup measures whose an address is, over HTTP, token and all, among few clusters and many, and
// beside it a bare gorilla/mux handler that answers the same bytes.
func BenchmarkRoutingLookup(b *testing.B) {
	var rows []row
	for _, clusters := range []int{1_000, 10_000} {
		rows = append(rows, newRoutingBench(b, clusters).lookup(fmt.Sprintf("lookup, %d clusters", clusters)))
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

// newRoutingBench serves so many clusters, with 12 addresses each.
func newRoutingBench(b *testing.B, clusters int) *bench {
	b.Helper()
	s := openStore(b, "memory:")
	loadRouting(b, s)
	docs := make([]document.Document, clusters)
	for i := range docs {
		docs[i] = routingCluster(i)
	}
	for some := range slices.Chunk(docs, 500) {
		if _, err := s.PutMany(b.Context(), "routing", some); err != nil {
			b.Fatal(err)
		}
	}
	sv := newService(b, s, loaded(b), func(c *api.Config) {
		c.Log = zerolog.New(io.Discard) // lines are made, but not kept
		c.Tokens = auth.NewAuthenticator(s, auth.Options{Now: c.Now, Staleness: time.Second})
	})
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	b.Cleanup(client.CloseIdleConnections)
	return &bench{service: sv, client: client, auth: sv.token("M")}
}

// routingCluster is the document of a cluster: two addresses in each of three zones, in both directions.
func routingCluster(i int) document.Document {
	ips := map[string]any{}
	for d, direction := range []string{"inbound", "outbound"} {
		zones := map[string]any{}
		for z, zone := range []string{"central", "east", "west"} {
			zones[zone] = []any{
				fmt.Sprintf("10.%d.%d.%d", i>>8, i&255, 10*d+2*z), fmt.Sprintf("10.%d.%d.%d", i>>8, i&255, 10*d+2*z+1),
			}
		}
		ips[direction] = zones
	}
	return document.Document{"_id": fmt.Sprintf("%032x", i), "pvt_type": "customer_cluster", "owner": "owner",
		"name": fmt.Sprintf("cluster %d", i), "ips": ips, "randomize_routing": false}
}

func (bn *bench) lookup(name string) row {
	bn.Helper()
	const path = "/v2/routing/lookup?ip=10.1.2.3&direction=inbound"
	text, header, err := bn.request(http.MethodGet, bn.url+path)
	if err != nil {
		bn.Fatal(err)
	}
	router := mux.NewRouter()
	router.HandleFunc("/v2/routing/lookup", func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range header {
			if name != "Date" {
				w.Header()[name] = values
			}
		}
		_, _ = w.Write(text)
	}).Methods(http.MethodGet)
	server := httptest.NewServer(router)
	bn.Cleanup(server.Close)
	get := func(url string) func(int) error {
		return func(int) error {
			_, _, err := bn.request(http.MethodGet, url)
			return err
		}
	}
	return row{
		ours: &subject{name: name, do: get(bn.url + path)},
		bare: &subject{name: "bare mux handler, same bytes", do: get(server.URL + path)},
	}
}
