package main

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"junctor/pkg/store/storetest"
)

// faultyCouch is a CouchDB behind a proxy that notes requests, and can be made to misbehave.
type faultyCouch struct {
	direct  string // past the proxy
	url     string
	instead atomic.Pointer[misbehaviour]

	mu    sync.Mutex
	noted []string // methods and paths of requests
}

// misbehaviour responds to a request in place of the CouchDB, and reports whether it did.
type misbehaviour func(w http.ResponseWriter, r *http.Request) bool

// newFaultyCouch starts a proxy of an empty CouchDB.
func newFaultyCouch(t *testing.T) *faultyCouch {
	t.Helper()
	f := &faultyCouch{direct: storetest.FreshCouch(t)}
	proxy := storetest.Forward(t, f.direct)
	proxy.ErrorLog = log.New(io.Discard, "", 0)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.noted = append(f.noted, r.Method+" "+r.URL.Path)
		f.mu.Unlock()
		if do := f.instead.Load(); do == nil || !(*do)(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

// requests returns the requests that match, in their order.
func (f *faultyCouch) requests(match func(request string) bool) (found []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, request := range f.noted {
		if match(request) {
			found = append(found, request)
		}
	}
	return found
}

// forget forgets the requests so far.
func (f *faultyCouch) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.noted = nil
}

func isAny(string) bool             { return true }
func isProbe(request string) bool   { return strings.Contains(request, "/_local/") }
func readsView(request string) bool { return strings.Contains(request, "/_view/") }
func isChange(request string) bool { // but for probes; a POST may be a query
	method, path, _ := strings.Cut(request, " ")
	return (method == "PUT" || method == "DELETE" || strings.HasSuffix(path, "/_bulk_docs")) && !isProbe(request)
}

// behave makes the CouchDB misbehave; nil ends that.
func (f *faultyCouch) behave(do misbehaviour) {
	if do == nil {
		f.instead.Store(nil)
		return
	}
	f.instead.Store(&do)
}

// hang makes every request hang until the client goes, or until resume is called.
func (f *faultyCouch) hang(t *testing.T) (resume func()) {
	released := make(chan struct{})
	resume = sync.OnceFunc(func() {
		f.behave(nil)
		close(released)
	})
	t.Cleanup(resume)
	f.behave(func(_ http.ResponseWriter, r *http.Request) bool {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-released:
		case <-r.Context().Done():
		}
		return false
	})
	return resume
}

// refusing responds to the requests that match with a status.
func refusing(status int, reason string, match func(*http.Request) bool) misbehaviour {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if !match(r) {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"error":"refused","reason":"`+reason+`"}`)
		return true
	}
}

// send makes a request of the CouchDB itself.
func (f *faultyCouch) send(t *testing.T, method, path string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, f.direct+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s", method, path, resp.Status)
	}
}

// wrongPassword is a CouchDB that refuses the user and password of every request.
var wrongPassword = refusing(http.StatusUnauthorized, "Name or password is incorrect.", func(*http.Request) bool { return true })
