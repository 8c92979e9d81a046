package api_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/auth/trust"
)

// patience is how long a request may take that asks another cluster which does not answer.
const patience = 30 * time.Second

// neighbours are two junctors, each of a cluster of its own. The first knows the second, by a front before it.
type neighbours struct {
	first  *service
	second *founded
	front  *httptest.Server
	asked  atomic.Int64 // how often the front was
	token  string       // of the second's master account
}

// meet makes the first the neighbour of a second, which may have others. behave is the front; nil passes on.
func meet(t *testing.T, second *founded, behave http.HandlerFunc) *neighbours {
	t.Helper()
	n := &neighbours{first: serveRouting(t), second: second, token: second.byKey(second.master.APIKey)}
	if behave == nil {
		behave = passOn(t, second)
	}
	n.front = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.asked.Add(1)
		behave(w, r)
	}))
	t.Cleanup(n.front.Close)
	register(t, n.first, second.master.ClusterID, n.front.URL+"/v2")
	return n
}

// passOn is a front that changes nothing.
func passOn(t *testing.T, second *founded) http.HandlerFunc {
	t.Helper()
	to, err := url.Parse(second.url)
	if err != nil {
		t.Fatal(err)
	}
	return httputil.NewSingleHostReverseProxy(to).ServeHTTP
}

// headers are those of a request to the first for the second's cluster.
func (n *neighbours) headers() []string {
	return []string{"X-Auth-Token", n.token, "X-Kazoo-Cluster-ID", n.second.master.ClusterID}
}

// TestTwoClusters: the master of the second manages its cluster on the first, and nothing else there.
func TestTwoClusters(t *testing.T) {
	t.Parallel()
	n := meet(t, found(t), nil)
	sv, id := n.first, n.second.master.ClusterID
	ask := func(method, path, body string, status int) any {
		t.Helper()
		return sv.want(sv.send(method, path, body, n.headers()...), status).data()
	}
	document := func(name, ips string) string {
		return `{"id":"` + id + `","owner":"second","name":"` + name + `","ips":` + ips + `,"randomize_routing":false}`
	}
	const ips = `{"inbound":{"a":["192.0.2.2"]},"outbound":{}}`
	const body = `{"data":{"owner":"second","name":"n","ips":` + ips + `}}`
	sv.have(documentedCluster, "first", `{"inbound":{"a":["192.0.2.1"]}}`)

	ask("GET", clusterPath, "", 404)
	sv.is(ask("PUT", clusterPath, body, 201), document("n", ips))
	ask("PUT", clusterPath, body, 409)
	sv.is(ask("PATCH", clusterPath, `{"data":{"name":"renamed"}}`, 200), document("renamed", ips))
	sv.is(ask("GET", clusterPath+"/addresses?direction=inbound", "", 200), `[{"ip":"192.0.2.2","zone":"a"}]`)
	sv.is(ask("GET", "/v2/routing/lookup?ip=192.0.2.1", "", 200), `[]`)
	sv.is(ask("GET", "/v2/routing/lookup?ip=192.0.2.2", "", 200),
		`[{"cluster_id":"`+id+`","owner":"second","name":"renamed","direction":"inbound","zone":"a"}]`)
	ask("POST", clusterPath, `{"data":{"owner":"second","name":"n","ips":{"inbound":{"a":["192.0.2.1"]}}}}`, 400)
	sv.is(ask("POST", clusterPath, body, 200), document("n", ips))
	for _, method := range []string{"GET", "PUT", "POST", "PATCH", "DELETE"} {
		ask(method, clustersPath+"/"+documentedCluster, body, 403)
		ask(method, clustersPath+"/"+id, body, 403)
	}
	ask("GET", clustersPath, "", 403)
	sv.is(ask("DELETE", clusterPath, "", 200), document("n", ips))
	ask("GET", clusterPath, "", 404)
	sv.want(sv.as("M", "GET", clusterPath, ""), 200)
	if asked := n.asked.Load(); asked != 1 {
		t.Errorf("the second was asked %d times about one token", asked)
	}
	doc, err := sv.store.Get(t.Context(), "routing", id)
	if err != nil || doc.String("pvt_auth_account_id") != n.second.master.AccountID || !doc.Bool("pvt_deleted") {
		t.Errorf("stored: %v, %v", doc, err)
	}
}

// trouble is what stands in the place of the second, and what the first says then.
type trouble struct {
	name    string
	front   http.HandlerFunc
	status  int
	message string
}

func troubles(t *testing.T, second *founded) []trouble {
	t.Helper()
	says := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	const js, outage, refusal = "application/json", "cluster_unreachable", "invalid_credentials"
	yes := func(cluster string) string {
		return `{"status":"success","data":{"account_id":"` + second.master.AccountID + `","cluster_id":"` + cluster +
			`","is_master_account":true,"is_reseller":true}}`
	}
	return []trouble{
		{"none", nil, 404, "bad_identifier"}, // the cluster has no document yet
		{"hangs up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 503, outage},
		{"slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 503, outage},
		{"endless", endless, 503, outage},
		{"says it is another", says(200, js, yes(strangeCluster)), 401, refusal},
		{"says it is the first", says(200, js, yes(documentedCluster)), 401, refusal},
		{"refuses", says(401, js, `{"status":"error","error":"401"}`), 401, refusal},
		{"redirects", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, second.url+r.URL.Path, http.StatusTemporaryRedirect)
		}, 503, outage},
		{"HTML", says(200, "text/html", "<html>"), 503, outage},
		{"HTML as JSON", says(200, js, "<html>"), 503, outage},
		{"nothing", says(200, js, ""), 503, outage},
		{"no data", says(200, js, `{"status":"success"}`), 503, outage},
		{"another status", says(201, js, yes(second.master.ClusterID)), 503, outage},
		{"a proxy without it", says(502, "text/html", "Bad Gateway"), 503, outage},
	}
}

// endless returns a byte at a time, for as long as somebody listens.
func endless(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	for r.Context().Err() == nil {
		_, _ = w.Write([]byte(" "))
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// TestOtherClusterInTrouble: whatever answers in the place of another cluster, nobody gets in who should not, and
// nobody waits.
func TestOtherClusterInTrouble(t *testing.T) {
	t.Parallel()
	second := found(t)
	for _, trouble := range troubles(t, second) {
		t.Run(trouble.name, func(t *testing.T) {
			t.Parallel()
			meet(t, second, trouble.front).want(t, trouble.status, trouble.message)
		})
	}
	t.Run("stopped", func(t *testing.T) {
		t.Parallel()
		n := meet(t, second, nil)
		n.front.Close()
		n.want(t, 503, "cluster_unreachable")
	})
	t.Run("removed", func(t *testing.T) {
		t.Parallel()
		n := meet(t, second, nil)
		registry := trust.NewRegistry(n.first.store, trust.Options{})
		if err := registry.Remove(t.Context(), second.master.ClusterID); err != nil {
			t.Fatal(err)
		}
		n.want(t, 403, "forbidden")
	})
}

// want checks what the second's master is answered on the first.
func (n *neighbours) want(t *testing.T, status int, message string) {
	t.Helper()
	start := time.Now()
	got := n.first.send("DELETE", clusterPath, "", n.headers()...)
	if got.status != status || got.envelope["message"] != message {
		t.Errorf("%d %s, want %d %s", got.status, got.text, status, message)
	}
	if took := time.Since(start); took > patience {
		t.Errorf("took %s", took)
	}
	if (got.header.Get("Retry-After") != "") != (status == 503) {
		t.Errorf("Retry-After: %q", got.header.Get("Retry-After"))
	}
}

// TestClusterCountsForRoutingOnly: elsewhere the name of another cluster is not heard: it neither gives rights nor
// takes any, and nobody is asked.
func TestClusterCountsForRoutingOnly(t *testing.T) {
	t.Parallel()
	n := meet(t, found(t), nil)
	sv := n.first
	sv.create("192.0.2.1")
	for _, path := range []string{
		"/v2/ips", "/v2/ips/192.0.2.1", "/v2/ips/assigned", ipsOfA, ipsOfA + "/assigned", "/v2/token_auth",
		"/v2/accounts/" + accountM + "/ips", "/v2/accounts/" + n.second.master.AccountID + "/ips",
	} {
		for _, token := range []string{sv.token("M"), sv.token("A")} {
			plain := sv.send("GET", path, "", "X-Auth-Token", token)
			for _, id := range []string{n.second.master.ClusterID, documentedCluster, strangeCluster, "nonsense"} {
				for _, a := range []answer{
					sv.send("GET", path, "", "X-Auth-Token", token, "X-Kazoo-Cluster-ID", id),
					sv.send("GET", path+"?kazoo_cluster_id="+id, "", "X-Auth-Token", token),
				} {
					if a.status != plain.status || jsonText(a.data()) != jsonText(plain.data()) {
						t.Errorf("%s, cluster %s: %d %s, without %d", path, id, a.status, a.text, plain.status)
					}
				}
			}
		}
		sv.want(sv.send("GET", path, "", n.headers()...), 401)
	}
	if asked := n.asked.Load(); asked != 0 {
		t.Errorf("the second was asked %d times", asked)
	}
}

// TestOwnTokensStay: neither a token of this cluster nor a password goes to another one, whatever the request names:
// fault S8.
func TestOwnTokensStay(t *testing.T) {
	t.Parallel()
	n := meet(t, found(t), nil)
	own, alice := n.first.token("M"), users["alice"]
	other := n.second.master.ClusterID
	n.first.want(n.first.send("GET", clusterPath, "", "X-Auth-Token", own, "X-Kazoo-Cluster-ID", other), 403)
	n.first.want(n.first.send("GET", clusterPath+"?kazoo_cluster_id="+other, "", "X-Auth-Token", own), 403)
	n.first.want(n.first.send("GET", clusterPath, "", "X-Auth-Token", own[:len(own)-8]+"AAAAAAAA",
		"X-Kazoo-Cluster-ID", other), 403)
	n.first.clock.set(recorded.Add(24 * time.Hour))
	n.first.want(n.first.send("GET", clusterPath, "", "X-Auth-Token", own, "X-Kazoo-Cluster-ID", other), 403)
	n.first.clock.set(recorded)
	for _, basic := range []string{alice.basic(), strings.TrimRight(alice.basic(), "=")} {
		n.first.want(n.first.send("GET", clusterPath, "", "Authorization", basic, "X-Kazoo-Cluster-ID", other), 401)
	}
	key := "lookup.proxy." + strings.Repeat("A", 43)
	for _, header := range []string{key, "Bearer " + key} { // where a look-up key is none
		n.first.want(n.first.send("GET", clusterPath, "", "Authorization", header, "X-Kazoo-Cluster-ID", other), 403)
	}
	if asked := n.asked.Load(); asked != 0 {
		t.Errorf("the other cluster was asked %d times", asked)
	}
	n.first.want(n.first.send("GET", clusterPath, "", n.headers()...), 404) // its own tokens are good
	if asked := n.asked.Load(); asked != 1 {
		t.Errorf("the other cluster was asked %d times about its own token", asked)
	}
}
