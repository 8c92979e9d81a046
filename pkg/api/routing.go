package api

import (
	"context"
	"strings"

	"junctor/pkg/auth"
	"junctor/pkg/crossbar"
	"junctor/pkg/document"
	"junctor/pkg/routing"
	"junctor/pkg/store"
)

// clusterID returns the id of the cluster that a request is about: the one in the path, else the one that it speaks for
// (X-Kazoo-Cluster-ID).
func clusterID(r *crossbar.Request) string {
	if id, ok := r.Vars["cluster"]; ok {
		return id
	}
	return r.Cluster
}

// author returns who changes a document, as the document records it.
func author(r *crossbar.Request) routing.Author {
	return routing.Author{
		AccountID: r.Identity.AccountID, UserID: r.Identity.OwnerID, Authenticated: true, RequestID: r.ID,
	}
}

// getCluster handles GET /routing/customer_cluster and /routing/customer_clusters/{cluster}.
func (s *Server) getCluster(r *crossbar.Request) (crossbar.Reply, error) {
	return clusterReply(s.Routing.Get(r.Context(), clusterID(r)))
}

// createCluster handles PUT of a routing.
func (s *Server) createCluster(r *crossbar.Request) (crossbar.Reply, error) {
	data, err := r.NewObject()
	if err != nil {
		return crossbar.Reply{}, err
	}
	rep, err := clusterReply(s.Routing.Create(r.Context(), clusterID(r), data, author(r)))
	rep.Location = strings.TrimRight(r.URL.EscapedPath(), "/")
	return rep, err
}

// replaceCluster handles POST of a routing.
func (s *Server) replaceCluster(r *crossbar.Request) (crossbar.Reply, error) {
	return s.changeCluster(r, s.Routing.Replace)
}

// patchCluster handles PATCH of a routing.
func (s *Server) patchCluster(r *crossbar.Request) (crossbar.Reply, error) {
	return s.changeCluster(r, s.Routing.Patch)
}

// clusterChange is Registry.Replace or Registry.Patch.
type clusterChange func(
	ctx context.Context, id string, data document.Document, by routing.Author, match store.Match,
) (routing.Cluster, error)

func (s *Server) changeCluster(r *crossbar.Request, change clusterChange) (crossbar.Reply, error) {
	data, err := r.Object()
	if err != nil {
		return crossbar.Reply{}, err
	}
	return clusterReply(change(r.Context(), clusterID(r), data, author(r), r.RevisionMatch()))
}

// deleteCluster handles DELETE of a routing. It returns the last document.
func (s *Server) deleteCluster(r *crossbar.Request) (crossbar.Reply, error) {
	return clusterReply(s.Routing.Delete(r.Context(), clusterID(r), author(r), r.RevisionMatch()))
}

func clusterReply(c routing.Cluster, err error) (crossbar.Reply, error) {
	if err != nil {
		return crossbar.Reply{}, err
	}
	return crossbar.Reply{Data: c, Revision: c.Revision()}, nil
}

// lookUpAge is for how many seconds a SIP proxy may use a look-up. It bounds how long a changed document has no effect
// on a proxy that does not ask for changes.
const lookUpAge = 30

// listClusters handles GET /routing/customer_clusters; with ?since= it lists whole documents of clusters that were
// changed, and all of them if the position is empty.
func (s *Server) listClusters(r *crossbar.Request) (crossbar.Reply, error) {
	if r.Query.Has("since") {
		changed, next, err := s.Routing.Changes(r.Context(), r.Query.Get("since"))
		return crossbar.Reply{Data: changed, Since: next}, err
	}
	clusters, err := s.Routing.List(r.Context())
	return crossbar.Reply{Data: clusters}, err
}

// lookUpAddress handles GET /routing/lookup: which cluster has an address. Below level super_master only the own
// cluster is returned.
func (s *Server) lookUpAddress(r *crossbar.Request) (crossbar.Reply, error) {
	holdings, err := s.Routing.Lookup(r.Query.Get("ip"), r.Query.Get("direction"))
	if err != nil {
		return crossbar.Reply{}, err
	}
	if s.Tokens.Require(r.Identity, auth.LevelSuperMaster) == nil {
		return crossbar.Reply{Data: holdings, MaxAge: lookUpAge}, nil
	}
	own := []routing.Owner{}
	for _, h := range holdings {
		if h.ClusterID == r.Cluster {
			own = append(own, h)
		}
	}
	return crossbar.Reply{Data: own, MaxAge: lookUpAge}, nil
}

// listClusterAddresses handles GET /routing/customer_cluster/addresses: the addresses to try, in order.
func (s *Server) listClusterAddresses(r *crossbar.Request) (crossbar.Reply, error) {
	addresses, err := s.Routing.Addresses(r.Cluster, r.Query.Get("direction"), r.Query.Get("zone"))
	return crossbar.Reply{Data: addresses, MaxAge: lookUpAge}, err
}
