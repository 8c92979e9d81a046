package main

import (
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/notify/brokertest"
	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

// assign creates an address and gives it to a new account, whose id it answers.
func (s *served) assign(home string) (accountID string) {
	s.Helper()
	token := s.login(readAdmin(s.T, home).APIKey)
	var created account.Created
	decode(s.T, ok(s.T, "account", "create", "A", "--json", "--store", home), &created)
	status, envelope := s.request("PUT", "/v2/ips", token, `{"data":{"ip":"1.2.3.4","zone":"z","host":"h"}}`)
	if status != http.StatusCreated {
		s.Fatalf("create: %d %v", status, envelope)
	}
	path := "/v2/accounts/" + created.ID + "/ips/1.2.3.4"
	if status, envelope := s.request("POST", path, token, `{"data":{}}`); status != http.StatusOK {
		s.Fatalf("assign: %d %v", status, envelope)
	}
	return created.ID
}

// shows reports whether /metrics has a line.
func (s *served) shows(line string) bool {
	s.Helper()
	return slices.Contains(strings.Split(s.metrics(), "\n"), line)
}

func (s *served) metrics() string {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), "GET", s.url+"/metrics", nil)
	if err != nil {
		s.Fatal(err)
	}
	r.Close = true
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	return string(text)
}

// TestNotices: what is written to the pool and to accounts is told to a broker.
func TestNotices(t *testing.T) {
	t.Parallel()
	b := brokertest.Require(t, brokertest.Start)
	t.Cleanup(b.Close)
	heard := b.Listen(t)
	home := t.TempDir()
	s := start(t, "--store", home, "--amqp-url", brokertest.URL(b.Address()))
	id := s.assign(home)

	db := "account%2F" + id[:2] + "%2F" + id[2:4] + "%2F" + id[4:]
	want := []string{
		"doc_created." + db + ".dedicated_ip.1%2E2%2E3%2E4",
		"doc_created.dedicated_ips.dedicated_ip.1%2E2%2E3%2E4",
		"doc_edited." + db + ".resource.1%2E2%2E3%2E4",
		"doc_edited.dedicated_ips.dedicated_ip.1%2E2%2E3%2E4",
	}
	var got []string
	for range want {
		select {
		case d := <-heard:
			got = append(got, d.RoutingKey)
		case <-time.After(patience):
			t.Fatalf("only heard %q", got)
		}
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("heard %q, want %q", got, want)
	}
	for _, line := range []string{
		"junctor_broker_connected 1", "junctor_notices_waiting 0",
		"junctor_notices_confirmed_total 4", "junctor_notices_dropped_total 0",
	} {
		testutil.Eventually(t, line, func() bool { return s.shows(line) })
	}
}

// TestNoBroker: requests are served while the broker is away, and notices wait for it, after a restart for the present
// state of both documents and twice for the account's proxies. The broker's password is not in the log.
func TestNoBroker(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	args := []string{"--store", home, "--amqp-url", "amqp://guest:s3cret@127.0.0.1:1/"}
	s := start(t, args...)
	s.assign(home)
	testutil.Eventually(t, "a failed attempt", func() bool { return strings.Contains(s.stderr.String(), "the broker can't be used") })
	s.stop()
	if s.logs("it was installed again") {
		t.Errorf("the log says that a new store lacked something:\n%s", s.stderr)
	}
	again := start(t, args...)
	testutil.Eventually(t, "notices to wait after a restart", func() bool { return again.shows("junctor_notices_waiting 4") })
	if !again.shows("junctor_broker_connected 0") {
		t.Errorf("after a restart:\n%s", again.metrics())
	}
	if log := s.stderr.String() + again.stderr.String(); strings.Contains(log, "s3cret") {
		t.Errorf("the password is in the log:\n%s", log)
	}
}

// TestNoNotices: without a broker there is no checkpoint of notices, and nothing to measure.
func TestNoNotices(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := start(t, "--store", home)
	s.assign(home)
	if text := s.metrics(); strings.Contains(text, "notices") || strings.Contains(text, "broker") {
		t.Errorf("metrics:\n%s", text)
	}
	if exists(filepath.Join(home, "notices.checkpoint")) {
		t.Error("there is a checkpoint of notices")
	}
}

// TestCopyRepaired: a server repairs what somebody did to an account's copy of an address.
func TestCopyRepaired(t *testing.T) {
	t.Parallel()
	place := &place{dsn: t.TempDir()}
	id := place.serve(t).assign(place.dsn)
	data := place.open(t)
	removeCopy(t, data, id)
	s := place.serve(t)
	const line = `junctor_copies_repaired_total{kind="created"} 1`
	testutil.Eventually(t, line, func() bool { return s.shows(line) })
	if !s.shows("junctor_addresses_abandoned_total 0") {
		t.Error("an address counts as abandoned")
	}
}

func removeCopy(t *testing.T, data *store.Store, accountID string) {
	t.Helper()
	db, err := account.Database(accountID)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := data.Get(t.Context(), db, "1.2.3.4")
	if err != nil {
		t.Fatal(err)
	}
	if err := data.Delete(t.Context(), db, doc.ID(), doc.Rev()); err != nil {
		t.Fatal(err)
	}
	if err := data.Close(); err != nil {
		t.Fatal(err)
	}
}
