package api_test

import (
	"fmt"
	"sync"
	"testing"

	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

// TestRoutingRaces: two processes on one CouchDB that know nothing of each other lose no change, and give an address
// to one cluster.
func TestRoutingRaces(t *testing.T) {
	t.Parallel()
	dsn := storetest.FreshCouch(t)
	s := storetest.Open(t, dsn)
	loadRouting(t, s)
	r := &routingRace{servers: [2]*service{startAlone(t, s, dsn), startAlone(t, s, dsn)}}
	r.token = r.servers[0].token("M")
	r.patchAtOnce(t)
	r.claimAtOnce(t, s)
}

type routingRace struct {
	servers [2]*service
	token   string
}

// atOnce makes requests at the same time, to the servers by turns.
func (r *routingRace) atOnce(n int, request func(i int) (method, path, body string)) []answer {
	answers := make([]answer, n)
	start := make(chan struct{})
	var done sync.WaitGroup
	for i := range answers {
		method, path, body := request(i)
		done.Go(func() {
			<-start
			answers[i] = r.servers[i%2].send(method, path, body, "X-Auth-Token", r.token)
		})
	}
	close(start)
	done.Wait()
	return answers
}

// patchAtOnce: of 64 changes of different keys all are there.
func (r *routingRace) patchAtOnce(t *testing.T) {
	t.Helper()
	const patches = 64
	first := r.servers[0]
	first.want(first.as("M", "PUT", clusterPath, `{"data":{"owner":"o","name":"n","ips":{}}}`), 201)
	answers := r.atOnce(patches, func(i int) (method, path, body string) {
		body = fmt.Sprintf(`{"data":{"ips":{"inbound":{"z%d":["10.0.0.%d"]}},"extra":{"k%d":%d}}}`, i, i, i, i)
		return "PATCH", clusterPath, body
	})
	for _, a := range answers {
		first.want(a, 200)
	}
	data := first.want(first.as("M", "GET", clusterPath, ""), 200).data().(map[string]any)
	zones := data["ips"].(map[string]any)["inbound"].(map[string]any)
	extra := data["extra"].(map[string]any)
	if len(zones) != patches || len(extra) != patches {
		t.Fatalf("%d zones, %d keys: %s", len(zones), len(extra), jsonText(data))
	}
	for i := range patches {
		first.is(zones[fmt.Sprint("z", i)], fmt.Sprintf(`["10.0.0.%d"]`, i))
		first.is(extra[fmt.Sprint("k", i)], fmt.Sprint(i))
	}
}

// claimAtOnce: of 32 clusters that claim one address, one gets it, and the others are told where it stands.
func (r *routingRace) claimAtOnce(t *testing.T, s *store.Store) {
	t.Helper()
	const clusters, address = 32, "192.0.2.1"
	id := func(i int) string { return fmt.Sprintf("%032x", i) }
	answers := r.atOnce(clusters, func(i int) (method, path, body string) {
		body = fmt.Sprintf(`{"data":{"owner":"o","name":"n","ips":{"outbound":{"east":["10.1.0.%d","%s"]}}}}`, i, address)
		return "PUT", clustersPath + "/" + id(i), body
	})
	winner := -1
	for i, a := range answers {
		switch {
		case a.status == 201 && winner < 0:
			winner = i
		case a.status == 201:
			t.Errorf("a second winner: %d, after %d", i, winner)
		default:
			r.servers[0].want(a, 400)
			r.servers[0].is(a.data(), `{"ips.outbound.east.1":{"unique":{
				"message":"The address belongs to another cluster","value":"`+address+`"}}}`)
		}
		if _, err := s.Get(t.Context(), "routing", id(i)); (err == nil) != (a.status == 201) {
			t.Errorf("%d: answered %d, stored %v", i, a.status, err)
		}
	}
	if winner < 0 {
		t.Fatal("nobody won")
	}
	claim, err := s.Get(t.Context(), "routing_claims", "outbound:"+address)
	if err != nil || claim.String("cluster_id") != id(winner) {
		t.Errorf("the claim: %v %v", claim, err)
	}
}
