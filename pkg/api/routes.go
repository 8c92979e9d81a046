package api

import (
	"junctor/pkg/auth"
	"junctor/pkg/crossbar"
)

// methods are the handlers of one resource, by verb.
type methods = crossbar.Methods

// tableOfContents returns the routes of the API, in the order of Kazoo's documentation.
func (s *Server) tableOfContents() (table []*crossbar.Resource) {
	add := func(path string, a crossbar.Authorizer, m methods) *crossbar.Resource {
		table = append(table, &crossbar.Resource{Path: path, Authorize: a, Methods: m})
		return table[len(table)-1]
	}
	open := func(path string, a crossbar.Authorizer, m methods) { add(path, a, m).Open = true }
	ofClusters := func(path string, l auth.Level, m methods) { add(path, crossbar.OfLevel(l), m).Clusters = true }

	if s.IssueTokens {
		open("/api_auth", crossbar.Anybody, methods{"PUT": s.logInByKey})
		open("/user_auth", crossbar.Anybody, methods{"PUT": s.logIn})
		add("/auth", crossbar.Identified, methods{"PUT": s.refreshToken})
	}
	open("/auth/tokeninfo", crossbar.Anybody, methods{"GET": s.tokenInfo, "POST": s.tokenInfo})
	add("/token_auth", crossbar.Identified, methods{"GET": s.showToken, "DELETE": s.dropToken})

	add("/accounts/{account}/ips", crossbar.OfAccount, methods{
		"GET": s.listAvailable, "POST": s.assignIPs, "DELETE": s.releaseIPs, "PUT": s.createIP,
	})
	add("/accounts/{account}/ips/assigned", crossbar.OfAccount, methods{"GET": s.listAssigned})
	add("/accounts/{account}/ips/zones", crossbar.OfAccount, methods{"GET": s.listZones})
	add("/accounts/{account}/ips/hosts", crossbar.OfAccount, methods{"GET": s.listHosts})
	add("/accounts/{account}/ips/history", crossbar.OfAccount, methods{"GET": s.listHistory})
	add("/accounts/{account}/ips/{ip}", crossbar.OfAccount, methods{
		"GET": s.getIP, "POST": s.assignIP, "DELETE": s.releaseIP,
	})

	add("/ips", crossbar.Superduper, methods{"GET": s.listAvailable, "PUT": s.createIP})
	add("/ips/all", crossbar.Superduper, methods{"GET": s.listAll})
	add("/ips/summary", crossbar.Superduper, methods{"GET": s.summarize})
	add("/ips/accounts", crossbar.Superduper, methods{"GET": s.listAccounts})
	add("/ips/health", crossbar.Superduper, methods{"GET": s.showHealth})
	add("/ips/history", crossbar.Superduper, methods{"GET": s.listHistory})
	add("/ips/assigned", crossbar.Superduper, methods{"GET": s.listAllAssigned})
	add("/ips/zones", crossbar.Superduper, methods{"GET": s.listZones})
	add("/ips/hosts", crossbar.Superduper, methods{"GET": s.listHosts})
	add("/ips/{ip}/history", crossbar.Superduper, methods{"GET": s.listIPHistory})
	add("/ips/{ip}", crossbar.Superduper, methods{"GET": s.getIP, "PATCH": s.editIP, "DELETE": s.deleteIP})

	document := methods{
		"GET": s.getCluster, "PUT": s.createCluster, "POST": s.replaceCluster, "PATCH": s.patchCluster,
		"DELETE": s.deleteCluster,
	}
	ofClusters("/routing/customer_cluster", auth.LevelMaster, document)
	ofClusters("/routing/customer_cluster/addresses", auth.LevelMaster, methods{"GET": s.listClusterAddresses})
	ofClusters("/routing/customer_clusters", auth.LevelSuperMaster, methods{"GET": s.listClusters})
	ofClusters("/routing/customer_clusters/{cluster}", auth.LevelSuperMaster, document)
	ofClusters("/routing/lookup", auth.LevelMaster, methods{"GET": s.lookUpAddress})

	open("/schemas", crossbar.Anybody, methods{"GET": s.listSchemas})
	open("/schemas/{schema}", crossbar.Anybody, methods{"GET": s.getSchema})
	add("/schemas/{schema}/validation", crossbar.Superduper, methods{"PUT": s.applySchema})
	open("/accounts/{account}/schemas", crossbar.OfAnyAccount, methods{"GET": s.listSchemas})
	open("/accounts/{account}/schemas/{schema}", crossbar.OfAnyAccount, methods{"GET": s.getSchema})
	add("/accounts/{account}/schemas/{schema}/validation", crossbar.OfAccount, methods{"PUT": s.applySchema})

	return table
}
