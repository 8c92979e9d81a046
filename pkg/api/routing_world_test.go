package api_test

import (
	"testing"

	"junctor/pkg/api"
	"junctor/pkg/auth/trust"
	"junctor/pkg/document"
	"junctor/pkg/routing"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

// The cluster of the documentation, and ours in these tests; and one that nobody knows.
const (
	documentedCluster = "aa2b36ac6a5edb290159cd1298283322"
	strangeCluster    = "0123456789abcdef0123456789abcdef"
)

// Where the document of the cluster that a request speaks for is, and those of all clusters are.
const (
	clusterPath  = "/v2/routing/customer_cluster"
	clustersPath = "/v2/routing/customer_clusters"
)

var routingTemplate = storetest.Template{Fill: loadRouting}

// loadRouting fills a store with what a real Kazoo wrote, makes its cluster the documented one, and installs what
// routing needs.
func loadRouting(t testing.TB, s *store.Store) {
	t.Helper()
	loadKazoo(t, s)
	_, err := s.Update(t.Context(), "system_config", "cluster", func(doc document.Document) error {
		doc["default"] = map[string]any{"cluster_id": documentedCluster}
		return nil
	})
	if err == nil {
		err = routing.Install(t.Context(), s)
	}
	if err == nil {
		err = s.CreateDatabase(t.Context(), trust.Database)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// serveRouting serves a Kazoo whose cluster is the documented one.
func serveRouting(t testing.TB, changes ...func(*api.Config)) *service {
	t.Helper()
	s := routingTemplate.Open(t)
	return newService(t, s, append(changes, loaded(t))...)
}

// loaded reads the clusters for look-ups, as a server does before it is ready.
func loaded(t testing.TB) func(*api.Config) {
	return func(c *api.Config) {
		t.Helper()
		if err := c.Routing.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// have makes a cluster of an owner and these ips, as JSON.
func (sv *service) have(id, owner, ips string) {
	sv.Helper()
	body := `{"data":{"owner":"` + owner + `","name":"cluster of ` + owner + `","ips":` + ips + `}}`
	sv.want(sv.as("M", "PUT", clustersPath+"/"+id, body), 201)
}
