package api

import (
	"context"
	"strings"

	"junctor/pkg/auth"
	"junctor/pkg/document"
	"junctor/pkg/routing"
	"junctor/pkg/store"
)

// clusterID returns the id of the cluster that a request is about: the one in the path, else the one that it speaks for
// (X-Kazoo-Cluster-ID).
func (r *request) clusterID() string {
	if id, ok := r.vars["cluster"]; ok {
		return id
	}
	return r.cluster
}

// author returns who changes a document, as the document records it.
func (r *request) author() routing.Author {
	return routing.Author{
		AccountID: r.identity.AccountID, UserID: r.identity.OwnerID, Authenticated: true, RequestID: r.id,
	}
}

// getCluster handles GET /routing/customer_cluster and /routing/customer_clusters/{cluster}.
func (s *Server) getCluster(r *request) (reply, error) {
	return clusterReply(s.Routing.Get(r.Context(), r.clusterID()))
}

// createCluster handles PUT of a routing.
func (s *Server) createCluster(r *request) (reply, error) {
	data, err := r.newObject()
	if err != nil {
		return reply{}, err
	}
	rep, err := clusterReply(s.Routing.Create(r.Context(), r.clusterID(), data, r.author()))
	rep.location = strings.TrimRight(r.URL.EscapedPath(), "/")
	return rep, err
}

// replaceCluster handles POST of a routing.
func (s *Server) replaceCluster(r *request) (reply, error) {
	return s.changeCluster(r, s.Routing.Replace)
}

// patchCluster handles PATCH of a routing.
func (s *Server) patchCluster(r *request) (reply, error) {
	return s.changeCluster(r, s.Routing.Patch)
}

// clusterChange is Registry.Replace or Registry.Patch.
type clusterChange func(
	ctx context.Context, id string, data document.Document, by routing.Author, match store.Match,
) (routing.Cluster, error)

func (s *Server) changeCluster(r *request, change clusterChange) (reply, error) {
	data, err := r.object()
	if err != nil {
		return reply{}, err
	}
	return clusterReply(change(r.Context(), r.clusterID(), data, r.author(), r.revisionMatch()))
}

// deleteCluster handles DELETE of a routing. It returns the last document.
func (s *Server) deleteCluster(r *request) (reply, error) {
	return clusterReply(s.Routing.Delete(r.Context(), r.clusterID(), r.author(), r.revisionMatch()))
}

func clusterReply(c routing.Cluster, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	return reply{data: c, revision: c.Revision()}, nil
}

// listClusters handles GET /routing/customer_clusters.
func (s *Server) listClusters(r *request) (reply, error) {
	clusters, err := s.Routing.List(r.Context())
	return reply{data: clusters}, err
}

// lookUpAddress handles GET /routing/lookup: which cluster has an address. Below level super_master only the own
// cluster is returned.
func (s *Server) lookUpAddress(r *request) (reply, error) {
	holdings, err := s.Routing.Lookup(r.query.Get("ip"), r.query.Get("direction"))
	if err != nil {
		return reply{}, err
	}
	if s.Tokens.Require(r.identity, auth.LevelSuperMaster) == nil {
		return reply{data: holdings}, nil
	}
	own := []routing.Owner{}
	for _, h := range holdings {
		if h.ClusterID == r.cluster {
			own = append(own, h)
		}
	}
	return reply{data: own}, nil
}

// listClusterAddresses handles GET /routing/customer_cluster/addresses: the addresses to try, in order.
func (s *Server) listClusterAddresses(r *request) (reply, error) {
	addresses, err := s.Routing.Addresses(r.cluster, r.query.Get("direction"), r.query.Get("zone"))
	return reply{data: addresses}, err
}
