// Package trust knows the other Kazoo clusters whose word is taken here: where the API of each can be asked
// about a token that it issued.
//
// They stand in database kazoo_clusters, a document a cluster, in the fields that 2600Hz's own service documents.
// Nobody but an operator writes there, and what is asked for a token comes from there alone, so a URL is checked
// on the way in and again on the way out. An API key is stored sealed.
//
// The package asks nobody: it knows neither HTTP nor tokens. Which addresses a cluster's calls come from is
// another matter, and another database.
package trust

import (
	"context"

	couchdbviews "junctor/couchdb-views"
	"junctor/pkg/document"
	"junctor/pkg/store"
)

// Database is where other clusters are registered.
const Database = "kazoo_clusters"

// docType is the pvt_type of a registered cluster.
const docType = "kazoo_cluster"

// Cluster is another cluster.
type Cluster struct {
	ID string
	// URL is that of its API with the version, as "https://api.example.com:8443/v2", without a slash at the end.
	URL string
	// HasAPIKey says that a key of the cluster's API is kept for it.
	HasAPIKey bool
}

// listed reads a registered cluster as it is, so that a bad one can be seen.
func listed(doc document.Document) Cluster {
	return Cluster{
		ID:        doc.ID(),
		URL:       doc.String("pvt_api_url"),
		HasAPIKey: doc.String("pvt_api_key") != "",
	}
}

// Install makes sure that the database and its views exist.
func Install(ctx context.Context, s store.DatabaseInstaller) error {
	return store.InstallDatabase(ctx, s, Database, couchdbviews.Files, "junctor_kazoo_clusters.json")
}
