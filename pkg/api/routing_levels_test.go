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

// TestRoutingLevels: what the accounts of a second cluster may do on the first, and those of the first where the second is
// named. TestWhoMayDoWhat has everybody else.
func TestRoutingLevels(t *testing.T) {
	t.Parallel()
	first, second := found(t), found(t)
	register(t, first.service, second.master.ClusterID, second.url+"/v2")
	firstMaster, secondMaster := first.byKey(first.master.APIKey), second.byKey(second.master.APIKey)
	secondCustomer := second.byKey(second.account("customer of the second", "").APIKey)
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
		{name: "master naming its cluster", headers: naming(ownID, firstMaster), may: []right{master, superMaster}},
		{name: "master of the master cluster by setting", headers: naming("", firstMaster),
			may: []right{master, superMaster}, config: masterIs(ownID)},
		{name: "master naming the second", headers: naming(secondID, firstMaster)},
		{name: "the second's master", headers: naming(secondID, secondMaster), may: []right{master}},
		{name: "the second's master where the second is the master cluster", headers: naming(secondID, secondMaster),
			may: []right{master, superMaster}, config: masterIs(secondID)},
		{name: "the second's master naming no cluster", headers: naming("", secondMaster), refused: unknown},
		{name: "the second's master naming the first", headers: naming(ownID, secondMaster), refused: unknown},
		{name: "the second's master naming one that is not registered", headers: naming(strangeCluster, secondMaster)},
		{name: "the second's customer", headers: naming(secondID, secondCustomer)},
		{name: "nobody of the second", headers: []string{"X-Kazoo-Cluster-ID", secondID}, refused: unknown},
		{name: "nobody of one that is not registered", headers: []string{"X-Kazoo-Cluster-ID", strangeCluster},
			refused: unknown},
	} {
		t.Run(r.name, func(t *testing.T) {
			r.ask(t, first.store, func(rt route) bool { return strings.HasPrefix(rt.path, "/routing/") })
		})
	}
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
