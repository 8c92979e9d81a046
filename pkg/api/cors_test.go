package api_test

import (
	"reflect"
	"strings"
	"testing"
)

// corsHeaders are what a page of another origin needs to be told.
var corsHeaders = []string{
	"Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers",
	"Access-Control-Expose-Headers", "Access-Control-Max-Age",
}

// TestCORSHeaders: on every error, and on a success where a page of another origin asks.
func TestCORSHeaders(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	const anywhere = "OPTIONS, GET, POST, PUT, DELETE, HEAD, PATCH"
	for _, c := range []struct {
		name    string
		a       answer
		methods string // empty is no CORS headers
	}{
		{"success", sv.as("A", "GET", ipsOfA, ""), ""},
		{"success of a page", sv.as("A", "GET", ipsOfA, "", "Origin", "https://ui"), "OPTIONS, GET, POST, PUT, DELETE"},
		{"304 of a page", sv.as("A", "GET", ipsOfA, "", "Origin", "https://ui", "If-None-Match", "*"),
			"OPTIONS, GET, POST, PUT, DELETE"},
		{"404", sv.as("A", "GET", ipsOfA+"/9.9.9.9", ""), "OPTIONS, GET, POST, DELETE"},
		{"401", sv.send("GET", ipsOfA+"/zones", ""), "OPTIONS, GET"},
		{"405", sv.as("A", "POST", ipsOfA+"/zones", ""), "OPTIONS, GET"},
		{"unknown resource", sv.as("A", "GET", "/v2/accounts/"+accountA+"/x", ""), "OPTIONS"},
		{"unknown noun", sv.as("A", "GET", "/v2/x", ""), anywhere},
		{"malformed body", sv.as("A", "POST", ipsOfA, "{"), anywhere},
		{"no version", sv.as("A", "GET", "/", ""), anywhere},
		{"preflight", sv.send("OPTIONS", ipsOfA, "", "Origin", "https://ui"), "OPTIONS, GET, POST, PUT, DELETE"},
		{"preflight by method", sv.send("OPTIONS", "/v2/ips", "", "Access-Control-Request-Method", "PUT"),
			"OPTIONS, GET, PUT"},
		{"preflight of what is not there", sv.send("OPTIONS", "/v2/ips", "", "Access-Control-Request-Method", "PATCH"),
			"OPTIONS, GET, PUT, PATCH"},
		{"preflight of nonsense", sv.send("OPTIONS", "/v2/ips", "", "Access-Control-Request-Method", "x\ty"),
			"OPTIONS, GET, PUT"},
		{"preflight of an unknown account", sv.send("OPTIONS", "/v2/accounts/xyz/ips", "", "Origin", "https://ui"),
			"OPTIONS, GET, POST, PUT, DELETE"},
		{"preflight of an unknown resource", sv.send("OPTIONS", "/v2/accounts/xyz/x", "", "Origin", "https://ui"), "OPTIONS"},
		{"preflight of an unknown noun", sv.send("OPTIONS", "/v2/x", "", "Origin", "https://ui"), anywhere},
		{"preflight of no version", sv.send("OPTIONS", "/x", "", "Origin", "https://ui"), anywhere},
		{"preflight of version 1", sv.send("OPTIONS", "/v1/ips", "", "Origin", "https://ui"), anywhere},
		{"preflight of an empty segment", sv.send("OPTIONS", "/v2/ips//x", "", "Origin", "https://ui"), "OPTIONS"},
		{"preflight of a bad escape", sv.send("OPTIONS", "/v2/ips?%zz", "", "Origin", "https://ui"), "OPTIONS, GET, PUT"},
	} {
		for _, header := range corsHeaders {
			if got := c.a.header.Get(header); (got != "") != (c.methods != "") {
				t.Errorf("%s: %s is %q", c.name, header, got)
			}
		}
		methods := c.a.header.Get("Access-Control-Allow-Methods")
		if !reflect.DeepEqual(set(methods), set(c.methods)) {
			t.Errorf("%s: %s, want %s", c.name, methods, c.methods)
		}
		wantPreflight(t, c.name, c.a)
	}
}

// wantPreflight checks that a preflight is a success without a body, whatever the path (K5).
func wantPreflight(t *testing.T, name string, a answer) {
	t.Helper()
	if !strings.HasPrefix(name, "preflight") {
		return
	}
	if a.status != 200 || a.text != "" || a.header.Get("Content-Length") != "0" || a.header.Get("Content-Type") != "" {
		t.Errorf("%s: %d %v %q", name, a.status, a.header, a.text)
	}
}
