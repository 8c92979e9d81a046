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

// TestOtherClusterInTrouble: whatever stands in the place of another cluster, nobody gets in who should not. Package remote
// tests what is no good response, and for how long it is waited for.
func TestOtherClusterInTrouble(t *testing.T) {
	t.Parallel()
	second := found(t)
	says := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for _, c := range []struct {
		name    string
		front   http.HandlerFunc // nil passes on
		change  func(*neighbours) error
		status  int
		message string
	}{
		{"hangs up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil, 503, "cluster_unreachable"},
		{"a proxy without it", says(502, "text/html", "Bad Gateway"), nil, 503, "cluster_unreachable"},
		{"refuses", says(401, "application/json", `{"status":"error","error":"401"}`), nil, 401, "invalid_credentials"},
		{"says it is the first", says(200, "application/json", `{"status":"success","data":{"account_id":"`+
			second.master.AccountID+`","cluster_id":"`+documentedCluster+`","is_master_account":true}}`), nil,
			401, "invalid_credentials"},
		{"stopped", nil, func(n *neighbours) error { n.front.Close(); return nil }, 503, "cluster_unreachable"},
		{"removed", nil, func(n *neighbours) error {
			return trust.NewRegistry(n.first.store, trust.Options{}).Remove(t.Context(), second.master.ClusterID)
		}, 403, "forbidden"},
	} {
		n := meet(t, second, c.front)
		if c.change != nil {
			if err := c.change(n); err != nil {
				t.Fatal(err)
			}
		}
		got := n.first.send("DELETE", clusterPath, "", n.headers()...)
		if got.status != c.status || got.envelope["message"] != c.message ||
			(got.header.Get("Retry-After") != "") != (c.status == 503) {
			t.Errorf("%s: %d %v %s", c.name, got.status, got.header, got.text)
		}
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
