package storetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Replicas is a proxy in front of a CouchDB. It shows databases as if three nodes kept each document.
type Replicas struct {
	URL string

	proxy *httputil.ReverseProxy
	paths map[string]string // of the databases
	alone bool              // whether the CouchDB behind the proxy is no cluster

	mu      sync.Mutex
	others  map[string]func() // by path: what another writer does right after the next write
	readers map[string]func() // by path: what another writer does right after leaves were read
	broken  bool              // nobody can be asked for the leaves of a document
}

// NewReplicas returns a proxy that shows these databases of the CouchDB at dsn as kept on three nodes.
func NewReplicas(t testing.TB, dsn string, databases ...string) *Replicas {
	t.Helper()
	r := &Replicas{proxy: Forward(t, dsn), paths: map[string]string{}, others: map[string]func(){},
		readers: map[string]func(){}}
	for _, db := range databases {
		r.paths[db] = "/" + url.PathEscape(db)
	}
	var members struct {
		Nodes []string `json:"cluster_nodes"`
	}
	err := request(http.MethodGet, dsn, "_membership", &members)
	r.alone = err != nil || len(members.Nodes) == 1 // the peer does not know of nodes
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.URL = server.URL
	return r
}

// Contest calls other right after the next write to a database is made, and responds to that write as a cluster does
// some of whose nodes have accepted another writer.
func (r *Replicas) Contest(db string, other func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.others[r.paths[db]] = other
}

// AfterReading calls other right after the leaves of documents of a database were read for the next time.
func (r *Replicas) AfterReading(db string, other func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.readers[r.paths[db]] = other
}

// Break makes requests for the leaves of documents fail, or stops that.
func (r *Replicas) Break(broken bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = broken
}

// ServeHTTP is an http.Handler's.
func (r *Replicas) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	path := strings.TrimSuffix(request.URL.EscapedPath(), "/")
	if path == "/_membership" {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"all_nodes":["1","2","3"],"cluster_nodes":["1","2","3"]}`)
		return
	}
	for db, of := range r.paths {
		rest, ok := strings.CutPrefix(path, of)
		if !ok || rest != "" && rest[0] != '/' {
			continue
		}
		if r.alone {
			forOneNode(request)
		}
		switch {
		case request.Method == http.MethodGet && rest == "":
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"db_name":%q,"cluster":{"q":2,"n":3,"w":2,"r":2}}`, db)
			return
		case request.Method == http.MethodPut && rest != "", rest == "/_bulk_docs":
			r.write(w, request, of)
			return
		case rest == "/_bulk_get" && r.isBroken():
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		case rest == "/_bulk_get":
			r.readLeaves(w, request, of)
			return
		}
	}
	r.proxy.ServeHTTP(w, request)
}

// forOneNode removes from a request how many nodes it waits for: a node by itself would wait for the others until the
// request times out.
func forOneNode(request *http.Request) {
	query := request.URL.Query()
	query.Del("w")
	query.Del("r")
	request.URL.RawQuery = query.Encode()
	if !strings.HasSuffix(request.URL.Path, "/_bulk_docs") {
		return
	}
	var body map[string]json.RawMessage
	if json.NewDecoder(request.Body).Decode(&body) != nil {
		return // which the CouchDB refuses
	}
	delete(body, "w")
	text, _ := json.Marshal(body) // it was JSON
	request.Body, request.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
}

func (r *Replicas) isBroken() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.broken
}

// readLeaves passes a request for leaves on.
func (r *Replicas) readLeaves(w http.ResponseWriter, request *http.Request, path string) {
	r.mu.Lock()
	other := r.readers[path]
	delete(r.readers, path)
	r.mu.Unlock()
	if other == nil {
		r.proxy.ServeHTTP(w, request)
		return
	}
	response := httptest.NewRecorder()
	r.proxy.ServeHTTP(response, request)
	other()
	w.Header().Set("Content-Type", response.Header().Get("Content-Type"))
	w.WriteHeader(response.Code)
	_, _ = w.Write(response.Body.Bytes())
}

// write passes a write on, and contests it if that is wanted.
func (r *Replicas) write(w http.ResponseWriter, request *http.Request, path string) {
	r.mu.Lock()
	other := r.others[path]
	delete(r.others, path)
	r.mu.Unlock()
	if other == nil {
		r.proxy.ServeHTTP(w, request)
		return
	}
	proxy := *r.proxy
	proxy.ModifyResponse = func(response *http.Response) error {
		other()
		response.StatusCode = http.StatusAccepted
		return nil
	}
	proxy.ServeHTTP(w, request)
}
