// Package trust registers other Kazoo clusters whose tokens are accepted here, with the URL of the API that verifies
// them.
//
// They are in database kazoo_clusters, one document a cluster, in the fields that 2600Hz's own service documents. Only
// operators write there. Tokens are sent to these URLs and to no others, so a URL is checked when it is written and
// again when it is read. An API key is stored sealed.
//
// The package makes no requests: it knows neither HTTP nor tokens. The addresses that a cluster's calls come from are
// in another database, see package routing.
package trust

import (
	"junctor/pkg/document"
	"junctor/pkg/kazoo"
)

// Database is where other clusters are registered.
const Database = "kazoo_clusters"

// docType is the pvt_type of a registered cluster.
const docType = "kazoo_cluster"

// Cluster is another cluster.
type Cluster struct {
	ID string `json:"id"`
	// URL is that of its API with the version, as "https://api.example.com:8443/v2", without a slash at the end.
	URL string `json:"url"`
	// HasAPIKey says that a key of the cluster's API is stored.
	HasAPIKey bool `json:"has_api_key"`
}

// listed reads a registered cluster without a check of its URL, so that a bad one can be listed.
func listed(doc document.Document) Cluster {
	return Cluster{
		ID:        doc.ID(),
		URL:       doc.String("pvt_api_url"),
		HasAPIKey: doc.String("pvt_api_key") != "",
	}
}

// isCluster reports whether doc is that of a registered cluster.
func isCluster(doc document.Document) bool {
	return doc.String(kazoo.FieldType) == docType && !doc.Bool(kazoo.FieldDeleted)
}
