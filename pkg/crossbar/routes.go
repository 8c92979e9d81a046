package crossbar

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gorilla/mux"
)

// Handler handles one request, or fails with a fault.
type Handler func(*Request) (Reply, error)

// Methods are the handlers of one resource, by verb.
type Methods map[string]Handler

// Resource is one path of the API.
type Resource struct {
	Path      string // as mux writes it, without the version
	Authorize Authorizer
	Methods   Methods
	// Open makes the resource open to anybody: no token is looked at.
	Open bool
	// Clusters makes every path with the same first segment accept tokens of the cluster that X-Kazoo-Cluster-ID names.
	Clusters bool

	allow []string // OPTIONS and the methods, for access-control-allow-methods
}

// nowhere is the resource of paths that lead to none.
var nowhere = &Resource{Path: "(none)", allow: []string{http.MethodOptions}}

// shape is what paths have in common that one router holds. mux tries one after the other, which would be most of the
// time that a request takes.
type shape struct {
	segments int
	last     string // segment; empty is any
}

// routes finds the resources of paths.
type routes struct {
	routers map[shape]*mux.Router
	nouns   map[string]bool // the first segments of paths, and whether tokens of other clusters are accepted there
}

func newRoutes(resources []*Resource) *routes {
	t := &routes{routers: map[shape]*mux.Router{}, nouns: map[string]bool{ownAccount: false}}
	for _, res := range resources {
		t.add(res)
	}
	return t
}

func (t *routes) add(res *Resource) {
	res.allow = []string{http.MethodOptions}
	for verb := range res.Methods {
		res.allow = append(res.allow, verb)
	}
	slices.Sort(res.allow[1:])
	segments := strings.Split(res.Path, "/")[1:]
	t.nouns[segments[0]] = t.nouns[segments[0]] || res.Clusters
	of := shape{len(segments), segments[len(segments)-1]}
	if strings.HasPrefix(of.last, "{") {
		of.last = ""
	}
	if t.routers[of] == nil {
		t.routers[of] = mux.NewRouter()
	}
	t.routers[of].NewRoute().Path("/" + usualVersion + res.Path).Handler(res)
}

// find returns the resource that segments name, nowhere if there is none, and what the path says where the resource
// leaves it open. target is a request whose path is usualVersion and the segments, with nothing in it escaped; nil makes
// one.
func (t *routes) find(target *http.Request, segments []string) (*Resource, map[string]string) {
	if len(segments) == 0 {
		return nowhere, nil
	}
	if target == nil {
		path := "/" + usualVersion
		for _, segment := range segments {
			path += "/" + url.PathEscape(segment)
		}
		target = &http.Request{URL: &url.URL{Path: path}}
	}
	for _, last := range []string{segments[len(segments)-1], ""} {
		router, match := t.routers[shape{len(segments), last}], mux.RouteMatch{}
		if router != nil && router.Match(target, &match) && match.MatchErr == nil {
			res, _ := match.Handler.(*Resource)
			for name, text := range match.Vars {
				match.Vars[name], _ = url.PathUnescape(text)
			}
			return res, match.Vars
		}
	}
	return nowhere, nil
}

// ServeHTTP makes a resource an entry of the router, which only finds resources and never serves them.
func (*Resource) ServeHTTP(http.ResponseWriter, *http.Request) {}
