package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"junctor/pkg/auth"
)

// handler handles one request, or fails with a fault.
type handler func(*request) (reply, error)

// methods are the verbs of one resource.
type methods map[string]handler

// authorizer returns why a request is not authorized.
type authorizer func(*Server, *request) error

// resource is one path of the API.
type resource struct {
	path      string // as mux writes it, without the version
	open      bool   // to anybody; no token is looked at
	authorize authorizer
	methods   methods
	allow     []string // OPTIONS and the methods, for access-control-allow-methods
}

// nowhere is the resource of paths that lead to none.
var nowhere = &resource{path: "(none)", allow: []string{http.MethodOptions}}

// shape is what paths have in common that one router holds. mux tries one after the other, which would be most of the
// time that a request takes.
type shape struct {
	segments int
	last     string // segment; empty is any
}

// routes finds the resources of paths.
type routes struct {
	routers map[shape]*mux.Router
	nouns   []string // the first segments of paths
}

func (t *routes) add(res *resource) {
	res.allow = []string{http.MethodOptions}
	for verb := range res.methods {
		res.allow = append(res.allow, verb)
	}
	slices.Sort(res.allow[1:])
	segments := strings.Split(res.path, "/")[1:]
	t.nouns = append(t.nouns, segments[0])
	of := shape{len(segments), segments[len(segments)-1]}
	if strings.HasPrefix(of.last, "{") {
		of.last = ""
	}
	if t.routers[of] == nil {
		t.routers[of] = mux.NewRouter().UseEncodedPath().SkipClean(true)
	}
	t.routers[of].NewRoute().Path(res.path).Handler(res)
}

// find returns the resource that segments name, nowhere if there is none, and what the path says where the resource
// leaves it open. path is the path of the segments if nothing in it is escaped; it may be empty.
func (t *routes) find(path string, segments []string) (*resource, map[string]string) {
	if len(segments) == 0 {
		return nowhere, nil
	}
	target := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: path}}
	if path == "" || strings.Contains(path, "%") {
		escaped := make([]string, len(segments))
		for i, segment := range segments {
			escaped[i] = url.PathEscape(segment)
		}
		target.URL.Path, target.URL.RawPath = "/"+strings.Join(segments, "/"), "/"+strings.Join(escaped, "/")
	}
	for _, last := range []string{segments[len(segments)-1], ""} {
		router, match := t.routers[shape{len(segments), last}], mux.RouteMatch{}
		if router != nil && router.Match(target, &match) && match.MatchErr == nil {
			res, _ := match.Handler.(*resource)
			for name, text := range match.Vars {
				match.Vars[name], _ = url.PathUnescape(text)
			}
			return res, match.Vars
		}
	}
	return nowhere, nil
}

// tableOfContents returns the routes of the API, in the order of Kazoo's documentation.
func (s *Server) tableOfContents() *routes {
	t := &routes{routers: map[shape]*mux.Router{}, nouns: []string{ownAccount}}
	open := func(path string, a authorizer, m methods) {
		t.add(&resource{path: path, open: true, authorize: a, methods: m})
	}
	add := func(path string, a authorizer, m methods) { t.add(&resource{path: path, authorize: a, methods: m}) }

	if s.IssueTokens {
		open("/api_auth", anybody, methods{"PUT": s.logInByKey})
		open("/user_auth", anybody, methods{"PUT": s.logIn})
		add("/auth", identified, methods{"PUT": s.refreshToken})
	}
	open("/auth/tokeninfo", anybody, methods{"GET": s.tokenInfo, "POST": s.tokenInfo})
	add("/token_auth", identified, methods{"GET": s.showToken, "DELETE": s.dropToken})

	add("/accounts/{account}/ips", ofAccount, methods{
		"GET": s.listAvailable, "POST": s.assignIPs, "DELETE": s.releaseIPs, "PUT": s.createIP,
	})
	add("/accounts/{account}/ips/assigned", ofAccount, methods{"GET": s.listAssigned})
	add("/accounts/{account}/ips/zones", ofAccount, methods{"GET": s.listZones})
	add("/accounts/{account}/ips/hosts", ofAccount, methods{"GET": s.listHosts})
	add("/accounts/{account}/ips/{ip}", ofAccount, methods{
		"GET": s.getIP, "POST": s.assignIP, "DELETE": s.releaseIP,
	})

	add("/ips", superduper, methods{"GET": s.listAvailable, "PUT": s.createIP})
	add("/ips/assigned", superduper, methods{"GET": s.listAllAssigned})
	add("/ips/zones", superduper, methods{"GET": s.listZones})
	add("/ips/hosts", superduper, methods{"GET": s.listHosts})
	add("/ips/{ip}", superduper, methods{"GET": s.getIP, "DELETE": s.deleteIP})

	document := methods{
		"GET": s.getCluster, "PUT": s.createCluster, "POST": s.replaceCluster, "PATCH": s.patchCluster,
		"DELETE": s.deleteCluster,
	}
	add("/routing/customer_cluster", ofLevel(auth.LevelMaster), document)
	add("/routing/customer_cluster/addresses", ofLevel(auth.LevelMaster), methods{"GET": s.listClusterAddresses})
	add("/routing/customer_clusters", ofLevel(auth.LevelSuperMaster), methods{"GET": s.listClusters})
	add("/routing/customer_clusters/{cluster}", ofLevel(auth.LevelSuperMaster), document)
	add("/routing/lookup", ofLevel(auth.LevelMaster), methods{"GET": s.lookUpAddress})

	open("/schemas", anybody, methods{"GET": s.listSchemas})
	open("/schemas/{schema}", anybody, methods{"GET": s.getSchema})
	add("/schemas/{schema}/validation", superduper, methods{"PUT": s.applySchema})
	open("/accounts/{account}/schemas", ofAnyAccount, methods{"GET": s.listSchemas})
	open("/accounts/{account}/schemas/{schema}", ofAnyAccount, methods{"GET": s.getSchema})
	add("/accounts/{account}/schemas/{schema}/validation", ofAccount, methods{"PUT": s.applySchema})

	return t
}

// ServeHTTP makes a resource an entry of the router, which only finds resources and never serves them.
func (*resource) ServeHTTP(http.ResponseWriter, *http.Request) {}
