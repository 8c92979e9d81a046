package api

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
)

// TestPathsInMemory drives the cache of paths to its bound and looks at what that takes.
func TestPathsInMemory(t *testing.T) {
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	r := newRouters()
	r.add(&resource{path: "/ips/{ip}", methods: methods{http.MethodGet: nil}})
	for i := range 3 * mostPaths {
		r.find([]string{"ips", fmt.Sprintf("%d", i) + strings.Repeat("x", i%(2*longestPath))})
	}
	if took := heap() - before; took > 8<<20 || r.found.Len() != mostPaths {
		t.Errorf("%d paths in %d MiB", r.found.Len(), took>>20)
	}
	runtime.KeepAlive(r)
}
