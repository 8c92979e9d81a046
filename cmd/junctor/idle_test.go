package main

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

// mostIdleRequests is how many requests an idle server may send to a CouchDB in a second.
const mostIdleRequests = 5

// tally counts the requests to a CouchDB by what they cost it.
type tally struct{ all, views, writes atomic.Int64 }

// count notes a request. It passes every request on.
func (c *tally) count(_ http.ResponseWriter, r *http.Request) bool {
	c.all.Add(1)
	switch {
	case strings.Contains(r.URL.Path, "/_view/"):
		c.views.Add(1)
	case r.Method == http.MethodPut, r.Method == http.MethodDelete, strings.HasSuffix(r.URL.Path, "/_bulk_docs"):
		c.writes.Add(1)
	}
	return false
}

// TestIdleBesideKazoo: after its first full pass an idle server reads no view, writes nothing and asks little (fault K1).
func TestIdleBesideKazoo(t *testing.T) {
	t.Parallel()
	f := newFaultyCouch(t)
	loadKazoo(t, f.direct)
	s := start(t, "--store", f.url, "--state-dir", t.TempDir())
	testutil.Eventually(t, "the first full pass", func() bool { return s.metric(fullPasses("completed")) == "1" })

	const attempts = 3 // the history may still write how far it is, and have views updated, once
	for attempt := 1; ; attempt++ {
		var c tally
		began := time.Now()
		f.behave(c.count)
		testutil.Eventually(t, "the feeds to be read", func() bool { return c.all.Load() >= 4*mostIdleRequests })
		took, all, views, writes := time.Since(began), c.all.Load(), c.views.Load(), c.writes.Load()
		if views == 0 && writes == 0 && float64(all) <= mostIdleRequests*(took.Seconds()+1) {
			return
		}
		if attempt == attempts {
			t.Fatalf("an idle server sent %d requests in %s, read views %d times and wrote %d times", all, took, views, writes)
		}
	}
}

// TestPagesOfKazoosAccounts: with more accounts than one read takes, a full pass and a refresh end, and doctor counts the
// accounts right (fault K1).
func TestPagesOfKazoosAccounts(t *testing.T) {
	t.Parallel()
	const accounts = 501
	home := t.TempDir()
	loaded, err := store.Open(home, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	testutil.LoadKazoo(t, loaded)
	testutil.AddKazooAccounts(t, loaded, accounts-4)
	if err := loaded.Close(); err != nil {
		t.Fatal(err)
	}
	s := start(t, "--store", home)
	testutil.Eventually(t, "the first full pass", func() bool { return s.metric(fullPasses("completed")) == "1" })
	text := ok(t, "doctor", "--store", home)
	if want := "examined " + strconv.Itoa(accounts) + " accounts)"; !strings.Contains(text, want) {
		t.Errorf("doctor says\n%s", text)
	}
	ok(t, "sup", "kazoo_ips_maintenance", "refresh", "--store", home)
	if got := s.metric(fullPasses("completed")); got != "2" {
		t.Errorf("%s full passes were completed", got)
	}
}
