package api_test

import (
	"strings"
	"testing"

	"junctor/pkg/api"
	"junctor/pkg/auth"
	"junctor/pkg/auth/trust"
	"junctor/pkg/document"
	"junctor/pkg/testutil"
)

// TestRoutingLevels is the table of levels: who asks, where which cluster is the master cluster, against every
// verb of every resource of routing.
func TestRoutingLevels(t *testing.T) {
	t.Parallel()
	first, second := found(t), found(t)
	register(t, first.service, second.master.ClusterID, second.url+"/v2")
	firstMaster, secondMaster := first.byKey(first.master.APIKey), second.byKey(second.master.APIKey)
	reseller, customer, superduper := first.account("reseller", ""), "", first.account("superduper", "")
	customer = first.byKey(first.account("customer", reseller.ID).APIKey)
	first.change("services", reseller.ID, func(doc document.Document) { doc["pvt_reseller"] = true })
	first.changeAccount(superduper.ID, func(doc document.Document) { doc["pvt_superduper_admin"] = true })
	secondCustomer := second.byKey(second.account("customer of the second", "").APIKey)

	token := func(token string) []string { return []string{"X-Auth-Token", token} }
	naming := func(cluster, token string) []string {
		return []string{"X-Auth-Token", token, "X-Kazoo-Cluster-ID", cluster}
	}
	masterIs := func(id string) func(*api.Config) {
		return func(c *api.Config) {
			c.Tokens = auth.NewAuthenticator(first.store, auth.Options{Now: c.Now, MasterCluster: id})
		}
	}
	ownID, secondID := first.master.ClusterID, second.master.ClusterID
	for _, r := range []role{
		{name: "master", headers: token(firstMaster), may: []right{master, superMaster}},
		{name: "master naming its cluster", headers: naming(ownID, firstMaster), may: []right{master, superMaster}},
		{name: "master of the master cluster by setting", headers: token(firstMaster),
			may: []right{master, superMaster}, config: masterIs(ownID)},
		{name: "master where the second is the master cluster", headers: token(firstMaster),
			may: []right{master}, config: masterIs(secondID)},
		{name: "master naming a cluster that is not registered", headers: naming(strangeCluster, firstMaster)},
		{name: "master naming the second", headers: naming(secondID, firstMaster)},
		{name: "the second's master", headers: naming(secondID, secondMaster), may: []right{master}},
		{name: "the second's master where the second is the master cluster", headers: naming(secondID, secondMaster),
			may: []right{master, superMaster}, config: masterIs(secondID)},
		{name: "the second's master naming no cluster", headers: token(secondMaster), refused: unknown},
		{name: "the second's master naming the first", headers: naming(ownID, secondMaster), refused: unknown},
		{name: "the second's master naming one that is not registered", headers: naming(strangeCluster, secondMaster)},
		{name: "the second's customer", headers: naming(secondID, secondCustomer)},
		{name: "superduper that is not the master", headers: token(first.byKey(superduper.APIKey))},
		{name: "reseller", headers: token(first.byKey(reseller.APIKey))},
		{name: "customer", headers: token(customer)},
		{name: "nobody", refused: unknown},
		{name: "nobody of the second", headers: []string{"X-Kazoo-Cluster-ID", secondID}, refused: unknown},
		{name: "nobody of one that is not registered", headers: []string{"X-Kazoo-Cluster-ID", strangeCluster},
			refused: unknown},
	} {
		t.Run(r.name, func(t *testing.T) {
			config := func(*api.Config) {}
			if r.config != nil {
				config = r.config
			}
			r.ask(t, newService(t, first.store, config, loaded(t)))
		})
	}
}

// ask makes requests of each route of routing: with headers, and with the same in the query and a slash at the end.
func (r role) ask(t *testing.T, sv *service) {
	t.Helper()
	for _, rt := range routes {
		if !strings.HasPrefix(rt.path, "/routing/") {
			continue
		}
		status, message := r.answer(rt)
		for _, got := range []answer{
			sv.send(rt.verb(), "/v2"+rt.path, rt.body, r.headers...),
			sv.send(rt.verb(), "/v2"+withQuery(rt.path+slash(rt.path), r.headers), rt.body),
		} {
			if said, _ := got.envelope["message"].(string); got.status != status || said != message {
				t.Errorf("%s: %d %q, want %d %q: %.300s", rt.name, got.status, said, status, message, got.text)
			}
		}
	}
}

// slash returns the slash that may stand at the end of a path, which has no query.
func slash(path string) string {
	if strings.Contains(path, "?") {
		return ""
	}
	return "/"
}

// withQuery returns a path that says in its query what headers say.
func withQuery(path string, headers []string) string {
	names := map[string]string{"X-Auth-Token": "auth_token", "X-Kazoo-Cluster-ID": "kazoo_cluster_id"}
	for i := 0; i+1 < len(headers); i += 2 {
		mark := "?"
		if strings.Contains(path, "?") {
			mark = "&"
		}
		path += mark + names[headers[i]] + "=" + headers[i+1]
	}
	return path
}

// register makes a cluster known to a server, at a URL.
func register(t testing.TB, sv *service, id, url string) {
	t.Helper()
	if _, err := trust.NewRegistry(sv.store, trust.Options{}).Add(t.Context(), id, url, ""); err != nil {
		t.Fatal(err)
	}
}

// TestOwnClusterChanges: which cluster is the own one is what the store says, without a restart.
func TestOwnClusterChanges(t *testing.T) {
	t.Parallel()
	sv := serveRouting(t)
	ask := func() int { return sv.as("M", "GET", clusterPath, "", "X-Kazoo-Cluster-ID", strangeCluster).status }
	if status := ask(); status != 403 {
		t.Errorf("another's: %d", status)
	}
	_, err := sv.store.Update(t.Context(), "system_config", "cluster", func(doc document.Document) error {
		doc["default"] = map[string]any{"cluster_id": strangeCluster}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	testutil.Eventually(t, "it to be the own one", func() bool { return ask() == 404 })
}
