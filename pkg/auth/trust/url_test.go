package trust_test

import (
	"strings"
	"testing"

	"junctor/pkg/auth/trust"
)

func TestURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://api.example.com:8443/v2":       "https://api.example.com:8443/v2",
		"HTTPS://api.example.com/v2//":          "https://api.example.com/v2",
		"http://kazoo_1.internal/apis/Kazoo/v2": "http://kazoo_1.internal/apis/Kazoo/v2",
		"http://192.0.2.1:8000":                 "http://192.0.2.1:8000",
		"http://[2001:db8::1]:8000/v2":          "http://[2001:db8::1]:8000/v2",
		"http://[::1]/v2":                       "http://[::1]/v2",
	} {
		if got, err := trust.NormalizeURL(raw); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", raw, got, err, want)
		}
	}
}

// badURLs can't be the URL of an API, or may seem to be that of another.
var badURLs = []string{
	"", " ", "api.example.com", "api.example.com/v2", "//api.example.com/v2", "/v2", "https:", "https://", "https:///v2",
	"https:api.example.com", "ftp://api.example.com/v2", "file:///etc/passwd", "javascript:alert(1)",
	"http://user@api.example.com/v2", "http://user:hunter2@api.example.com/v2", "http://@api.example.com/v2",
	"http://good.example@evil.example/v2", "http://good.example#@evil.example/v2",
	"http://good.example\\@evil.example/v2", "http://good.example?@evil.example/v2", "http://api.example.com/v2?",
	"http://api.example.com/v2?a=b", "http://api.example.com/v2#", "http://api.example.com\n/v2",
	"http://api.example.com/v2\r\nX-Auth-Token: a", "http://api.example.com/\x00", "http://api.exa mple.com/v2",
	"http://api.example.com:0/v2", "http://api.example.com:65536/v2", "http://api.example.com:a/v2", "http://[::1/v2",
	"http://[fe80::1%25eth0]/v2", "http://%ff/v2", "http://\u0430pi.example.com/v2", "http://api.example.com\u3002evil.example/v2",
	"http://api.example.com\u202e/v2", "http://a<b>/v2", "http://api.example.com/v2/../v1", "http://api.example.com/%2e%2e/v2",
	"http://api.example.com//v2", "http://api.example.com/./v2", "http://api.example.com/v2 b", "http://api.example.com:/v2 ",
}

func TestBadURL(t *testing.T) {
	t.Parallel()
	for _, raw := range badURLs {
		got, err := trust.NormalizeURL(raw)
		if err == nil {
			t.Errorf("%q is taken as %s", raw, got)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows a password: %v", err)
		}
	}
}
