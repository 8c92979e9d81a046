package remote_test

import (
	"io"
	"log"
	"strings"
	"testing"

	"junctor/pkg/fault"
)

// quiet keeps what a server says about its clients out of the test's output.
var quiet = log.New(io.Discard, "", 0)

// badIDs try to lead somewhere else than to a registered cluster.
var badIDs = []string{
	"", " ", "/", ".", "..", "../" + clusterA, clusterA + "/", clusterA + "/..", clusterA + "%00", clusterA + "\x00",
	clusterA + "\n", clusterA + "\r\nHost: evil.example", clusterA + "?a=b", clusterA + "#", " " + clusterA,
	"\"" + clusterA[1:],
	strings.ToUpper(clusterA), clusterA[:31], clusterA + "0", "_design/junctor", "_all_docs", "_design%2fjunctor",
	"%2e%2e%2f%2e%2e%2fsystem_config%2faccou", "http://evil.example/v2", "//evil.example", "evil.example",
	"127.0.0.1:5984", "[::1]", "@evil.example", "0x" + clusterA[2:], strings.Repeat("с", 16), strings.Repeat("ａ", 32),
	strings.Repeat("a\u0301", 16), clusterA[:31] + "\u0661", strings.Repeat("a", 1<<20), "null", "{}", "[]", "*",
	"\xff\xfe",
}

// badTokens are none, or try to be more than a header.
var badTokens = []string{
	"", " ", good + " ", " " + good, good + "\n", good + "\r\nX-Kazoo-Cluster-ID: " + clusterB, good + "\x00", good + "=",
	good + "/../..", "\"}}, {\"", "{\"token\":\"a\"}", "a b", "ключ", "\xff", "%2e", "a,b", "a;b",
	strings.Repeat("a", 4097), strings.Repeat("a", 1<<20),
}

func TestSteering(t *testing.T) {
	t.Parallel()
	w, k := with(t, success(about(clusterA, nil)), nil)
	for _, id := range badIDs {
		if _, err := w.Identify(t.Context(), id, good); !fault.Is(err, fault.Forbidden) {
			t.Errorf("cluster %.80q: got %v", id, err)
		}
	}
	for _, token := range badTokens {
		if _, err := w.Identify(t.Context(), clusterA, token); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("token %.80q: got %v", token, err)
		}
	}
	if n, lines := w.registry.reads.Load(), k.lines(); n > 0 || len(lines) > 0 {
		t.Errorf("the registry was read %d times, the cluster asked %v", n, lines)
	}
	w.accepts(t, good)
}

func TestNotRegistered(t *testing.T) {
	t.Parallel()
	w, k := with(t, success(about(clusterA, nil)), nil)
	if _, err := w.Identify(t.Context(), clusterB, good); !fault.Is(err, fault.Forbidden) {
		t.Errorf("got %v", err)
	}
	w.accepts(t, good)
	if err := w.registry.Remove(t.Context(), clusterA); err != nil {
		t.Fatal(err)
	}
	w.refuses(t, good, fault.Forbidden) // what it said before counts no more
	if lines := k.lines(); len(lines) != 1 {
		t.Errorf("asked %v", lines)
	}
}
