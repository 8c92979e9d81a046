package remote_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/auth/trust"
	"junctor/pkg/fault"
	"junctor/pkg/store/storetest"
)

// TestOutages: a cluster that does not respond fails in time, and does not affect another one.
func TestOutages(t *testing.T) {
	t.Parallel()
	trap := newKazoo(t, success(about(clusterA, nil)), success(about(clusterA, nil)))
	redirect := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, trap.URL+r.RequestURI, status)
		}
	}
	drip := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, " ")
			_ = http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
	slowly := func(h http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(1500 * time.Millisecond):
				h(w, r)
			}
		}
	}
	for name, c := range map[string]struct{ tokenAuth, tokenInfo http.HandlerFunc }{
		"hangs":              {hangs, nil},
		"hangs at tokeninfo": {notFound, hangs},
		"drips":              {drip, nil},
		"both slow":          {slowly(notFound), slowly(success(about(clusterA, nil)))},
		"hangs up":           {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil},
		"301":                {redirect(301), nil},
		"302":                {redirect(302), nil},
		"307":                {redirect(307), nil},
		"308 of tokeninfo":   {notFound, redirect(308)},
		"302 of tokeninfo":   {notAllowed, redirect(302)},
		"too many headers": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("a", 1<<20))
		}, nil},
		"endless body": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for _, err := io.WriteString(w, "["); err == nil; _, err = io.WriteString(w, strings.Repeat("[", 4096)) {
			}
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := with(t, c.tokenAuth, c.tokenInfo)
			b := newKazoo(t, success(about(clusterB, nil)), nil)
			w.register(t, clusterB, b.URL+"/v2")
			done := make(chan struct{})
			go func() {
				defer close(done)
				if _, err := w.Identify(t.Context(), clusterB, good); err != nil {
					t.Errorf("the other cluster: %v", err)
				}
			}()
			w.refuses(t, good, fault.ClusterUnreachable)
			<-done
		})
	}
	t.Cleanup(func() {
		if lines := trap.lines(); len(lines) > 0 {
			t.Errorf("redirects were followed: %v", lines)
		}
	})
}

// TestClosedConnection: a request is sent again if the cluster closes an idle connection.
func TestClosedConnection(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	w, _ := with(t, notFound, func(rw http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			panic(http.ErrAbortHandler)
		}
		success(about(clusterA, nil))(rw, r)
	})
	w.accepts(t, good)
	if n := asked.Load(); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

func TestStopped(t *testing.T) {
	t.Parallel()
	w, k := with(t, success(about(clusterA, nil)), nil)
	w.accepts(t, good)
	k.Close()
	w.refuses(t, token("another", 3600), fault.ClusterUnreachable)
	w.accepts(t, good) // cached
	w.advance(time.Minute)
	w.refuses(t, good, fault.ClusterUnreachable)
}

func TestTLS(t *testing.T) {
	t.Parallel()
	k := &kazoo{tokenAuth: success(about(clusterA, nil))}
	k.Server = httptest.NewUnstartedServer(k)
	k.Config.ErrorLog = quiet
	k.StartTLS()
	defer k.Close()
	w := newWorld(t)
	w.register(t, clusterA, k.URL+"/v2")
	w.refuses(t, good, fault.ClusterUnreachable)
	if lines := k.lines(); len(lines) > 0 {
		t.Errorf("a server without a trusted certificate was sent %v", lines)
	}
	w.Trust(k.Certificate())
	w.accepts(t, good)
}

func TestRegistryOutage(t *testing.T) {
	t.Parallel()
	w, k := with(t, success(about(clusterA, nil)), nil)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	w.registry.Registry = trust.NewRegistry(storetest.Open(t, gone.URL), trust.Options{})
	if _, err := w.Identify(t.Context(), clusterA, good); !isStores(err) {
		t.Errorf("got %v, want the store's", err)
	}
	if lines := k.lines(); len(lines) > 0 {
		t.Errorf("asked %v", lines)
	}
}

func isStores(err error) bool {
	return fault.Is(err, fault.DatastoreUnreachable) || fault.Is(err, fault.DatastoreFault)
}
