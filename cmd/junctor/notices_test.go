package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"junctor/pkg/notify/brokertest"
	"junctor/pkg/testutil"
)

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
		"junctor_notices_dropped_total 0",
	} {
		testutil.Eventually(t, line, func() bool { return s.shows(line) })
	}
}

// TestNoBroker: requests are served while the broker is away, and notices wait for it. The broker's password is not in the
// log.
func TestNoBroker(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := start(t, "--store", home, "--amqp-url", "amqp://guest:s3cret@127.0.0.1:1/")
	s.assign(home)
	testutil.Eventually(t, "notices to wait", func() bool { return s.shows("junctor_notices_waiting 4") })
	testutil.Eventually(t, "a failed attempt", func() bool { return s.logs("the broker can't be used") })
	s.stop()
	if s.logs("it was installed again") {
		t.Errorf("the log says that a new store lacked something:\n%s", s.stderr)
	}
	if s.logs("s3cret") {
		t.Errorf("the password is in the log:\n%s", s.stderr)
	}
}

// TestNoPeers: without a broker there is no checkpoint of notices, and without it and a billing hook nothing to measure.
func TestNoPeers(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := start(t, "--store", home)
	s.assign(home)
	if text := s.metrics(); strings.Contains(text, "notices") || strings.Contains(text, "broker") ||
		strings.Contains(text, "billing") {
		t.Errorf("metrics:\n%s", text)
	}
	if exists(filepath.Join(home, "notices.checkpoint")) {
		t.Error("there is a checkpoint of notices")
	}
}
