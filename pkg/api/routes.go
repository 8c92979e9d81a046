package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gorilla/mux"
	lru "github.com/hashicorp/golang-lru/v2"

	"junctor/pkg/auth"
)

// handler answers one request, or fails with a fault.
type handler func(*request) (reply, error)

// methods are the verbs of one resource.
type methods map[string]handler

// gate lets a request pass or says why not.
type gate func(*Server, *request) error

// resource is one path of the API.
type resource struct {
	path    string // as mux writes it, without the version
	open    bool   // to anybody; no token is looked at
	gate    gate
	methods methods
}

// shape is what paths have to have in common for one router to hold them. mux tries one after the other, which would
// be most of the time that a request takes.
type shape struct {
	segments int
	last     string // segment; empty is any
}

// routers finds the resources of paths.
type routers struct {
	shapes map[shape]*mux.Router
	found  *lru.Cache[string, place] // lately, by the encoded path
}

// place is where a path leads. It is not to be altered.
type place struct {
	resource *resource // nil is nowhere
	vars     map[string]string
}

// The bounds of what is remembered of paths: clients ask for the same ones again and again, or for any.
const (
	mostPaths   = 4096
	longestPath = 256
)

func newRouters() *routers {
	found, _ := lru.New[string, place](mostPaths) // fails for sizes below 1 only
	return &routers{shapes: map[shape]*mux.Router{}, found: found}
}

func (all *routers) add(res *resource) {
	segments := strings.Split(res.path, "/")[1:]
	of := shape{len(segments), segments[len(segments)-1]}
	if strings.HasPrefix(of.last, "{") {
		of.last = ""
	}
	if all.shapes[of] == nil {
		all.shapes[of] = mux.NewRouter().UseEncodedPath().SkipClean(true)
	}
	all.shapes[of].NewRoute().Path(res.path).Handler(res)
}

// find answers where the segments of a path lead.
func (all *routers) find(segments []string) place {
	var encoded strings.Builder
	encoded.Grow(longestPath)
	for _, segment := range segments {
		encoded.WriteString("/")
		encoded.WriteString(url.PathEscape(segment))
	}
	path := encoded.String()
	if known, ok := all.found.Get(path); ok {
		return known
	}
	to := all.match(segments, path)
	if len(path) <= longestPath {
		all.found.Add(path, to)
	}
	return to
}

// match has mux find the resource of a path.
func (all *routers) match(segments []string, encoded string) place {
	if len(segments) == 0 {
		return place{}
	}
	address := &url.URL{Path: "/" + strings.Join(segments, "/"), RawPath: encoded}
	target := &http.Request{Method: http.MethodGet, URL: address}
	for _, last := range []string{segments[len(segments)-1], ""} {
		router, match := all.shapes[shape{len(segments), last}], mux.RouteMatch{}
		if router != nil && router.Match(target, &match) && match.MatchErr == nil {
			res, _ := match.Handler.(*resource)
			for name, text := range match.Vars {
				match.Vars[name], _ = url.PathUnescape(text)
			}
			return place{res, match.Vars}
		}
	}
	return place{}
}

// routes is the API's table of contents, in the order of Kazoo's documentation.
func (s *Server) routes() *routers {
	routers := newRouters()
	register := func(res *resource) {
		routers.add(res)
		s.nouns[strings.Split(res.path, "/")[1]] = true
	}
	open := func(path string, m methods) {
		register(&resource{path: path, open: true, gate: anybody, methods: m})
	}
	add := func(path string, g gate, m methods) { register(&resource{path: path, gate: g, methods: m}) }

	if s.IssueTokens {
		open("/api_auth", methods{"PUT": s.logInByKey})
		open("/user_auth", methods{"PUT": s.logIn})
		add("/auth", identified, methods{"PUT": s.refreshToken})
	}
	open("/auth/tokeninfo", methods{"GET": s.tokenInfo, "POST": s.tokenInfo})
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

	open("/schemas", methods{"GET": s.listSchemas})
	open("/schemas/{schema}", methods{"GET": s.getSchema})
	add("/schemas/{schema}/validation", superduper, methods{"PUT": s.applySchema})
	register(&resource{path: "/accounts/{account}/schemas", open: true, gate: ofAnyAccount,
		methods: methods{"GET": s.listSchemas}})
	register(&resource{path: "/accounts/{account}/schemas/{schema}", open: true, gate: ofAnyAccount,
		methods: methods{"GET": s.getSchema}})
	add("/accounts/{account}/schemas/{schema}/validation", ofAccount, methods{"PUT": s.applySchema})

	return routers
}

// ServeHTTP makes a resource an entry of the router, which only finds resources and never serves them.
func (*resource) ServeHTTP(http.ResponseWriter, *http.Request) {}

// allowed lists the verbs of a resource for access-control-allow-methods; a nil resource has none.
func (res *resource) allowed() []string {
	if res == nil {
		return []string{http.MethodOptions}
	}
	verbs := make([]string, 0, len(res.methods)+1)
	for verb := range res.methods {
		verbs = append(verbs, verb)
	}
	slices.Sort(verbs)
	return append([]string{http.MethodOptions}, verbs...)
}
