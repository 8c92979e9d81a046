package main

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// mostIdleRequests is how many requests an idle server may send to a CouchDB in a second.
const mostIdleRequests = 5

// TestIdleBesideKazoo: after its first full pass an idle server reads no view, writes nothing and asks little (fault K1),
// and it has not changed Kazoo's design document.
func TestIdleBesideKazoo(t *testing.T) {
	t.Parallel()
	f := newFaultyCouch(t)
	kazoo := loadKazoo(t, f.direct)
	revision := func() string {
		doc, err := kazoo.Get(t.Context(), "dedicated_ips", "_design/dedicated_ips")
		if err != nil {
			t.Fatal(err)
		}
		return doc.Rev()
	}
	before := revision()
	s := start(t, "--store", f.url, "--state-dir", t.TempDir())
	s.awaitFullPass()
	if after := revision(); after != before {
		t.Errorf("Kazoo's design document was %s and is %s", before, after)
	}

	const attempts = 3 // the history may still write how far it is, and have views updated, once
	for attempt := 1; ; attempt++ {
		began := time.Now()
		f.forget()
		testutil.Eventually(t, "the feeds to be read", func() bool { return len(f.requests(isAny)) >= 4*mostIdleRequests })
		took, all, wrong := time.Since(began), len(f.requests(isAny)), append(f.requests(readsView), f.requests(isChange)...)
		if len(wrong) == 0 && float64(all) <= mostIdleRequests*(took.Seconds()+1) {
			return
		}
		if attempt == attempts {
			t.Fatalf("an idle server sent %d requests in %s, among them %v", all, took, wrong)
		}
	}
}

// TestPagesOfKazoosAccounts: with more accounts than one read takes, a full pass and a refresh end, and doctor counts the
// accounts right (fault K1).
func TestPagesOfKazoosAccounts(t *testing.T) {
	t.Parallel()
	const accounts = 501
	home := t.TempDir()
	loaded := storetest.Open(t, home)
	testutil.LoadKazoo(t, loaded)
	one, err := loaded.Get(t.Context(), "accounts", kazooOther)
	if err != nil {
		t.Fatal(err)
	}
	var docs []document.Document
	for i := range accounts - 4 {
		doc := one.Clone()
		delete(doc, "_rev")
		doc["_id"] = fmt.Sprintf("%032x", i*7919+0xabc)
		docs = append(docs, doc)
	}
	if _, err := loaded.PutMany(t.Context(), "accounts", docs); err != nil {
		t.Fatal(err)
	}
	if err := loaded.Close(); err != nil {
		t.Fatal(err)
	}
	s := start(t, "--store", home)
	s.awaitFullPass()
	ok(t, "sup", "kazoo_ips_maintenance", "refresh", "--store", home)
	text := ok(t, "doctor", "--store", home)
	if want := "examined " + strconv.Itoa(accounts) + " accounts)"; !strings.Contains(text, want) {
		t.Errorf("doctor says\n%s", text)
	}
	if strings.Contains(text, "clock") || strings.Contains(text, "CouchDB") {
		t.Errorf("of an embedded store doctor says\n%s", text)
	}
}
