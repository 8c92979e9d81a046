package trust_test

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"junctor/pkg/auth/trust"
)

func TestURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://api.example.com:8443/v2":       "https://api.example.com:8443/v2",
		"HTTPS://API.Example.COM/v2/":           "https://api.example.com/v2",
		"https://api.example.com:443/v2//":      "https://api.example.com/v2",
		"http://api.example.com:80":             "http://api.example.com",
		"http://api.example.com:443/":           "http://api.example.com:443",
		"http://localhost:08000/v2":             "http://localhost:8000/v2",
		"http://api.example.com:/v2":            "http://api.example.com/v2",
		"http://kazoo_1.internal/apis/Kazoo/v2": "http://kazoo_1.internal/apis/Kazoo/v2",
		"http://192.0.2.1:8000/v2":              "http://192.0.2.1:8000/v2",
		"http://[2001:DB8:0::1]:8000/v2":        "http://[2001:db8::1]:8000/v2",
		"http://[2001:db8::1]/v2":               "http://[2001:db8::1]/v2",
		"http://[::ffff:192.0.2.1]/v2":          "http://192.0.2.1/v2",
		"http://xn--bcher-kva.example/v2":       "http://xn--bcher-kva.example/v2",
	} {
		if got, err := trust.NormalizeURL(raw); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", raw, got, err, want)
		}
	}
}

// badURLs can't be the URL of an API, or may seem to be that of another.
var badURLs = []string{
	"", " ", "api.example.com", "api.example.com/v2", "//api.example.com/v2", "/v2", "https:", "https://", "https:///v2",
	"https:api.example.com", "ftp://api.example.com/v2", "file:///etc/passwd", "unix:///run/socket", "gopher://a.example",
	"javascript:alert(1)", "http://user@api.example.com/v2", "http://user:hunter2@api.example.com/v2",
	"http://@api.example.com/v2", "http://good.example@evil.example/v2", "http://good.example#@evil.example/v2",
	"http://good.example\\@evil.example/v2", "http://good.example?@evil.example/v2", "http://api.example.com/v2?",
	"http://api.example.com/v2?a=b", "http://api.example.com/v2#", "http://api.example.com/v2#a",
	"http://api.example.com/v2/../v1", "http://api.example.com/..", "http://api.example.com/./v2",
	"http://api.example.com//v2", "http://api.example.com/v2%2f..", "http://api.example.com/%76%32",
	"http://api.example.com/v2;a", "http://api.example.com/v 2", "http://api.example.com/v2 ",
	" http://api.example.com/v2",
	"http://api.example.com\n/v2", "http://api.example.com/v2\r\nX-Auth-Token: a", "http://api.example.com/\x00",
	"http://api.example.com/ü", "http://bücher.example/v2", "http://\u212Aazoo.example/v2",
	"http://api%2eexample.com/v2",
	"http://api.example.com:0/v2", "http://api.example.com:65536/v2", "http://api.example.com:-1/v2",
	"http://api.example.com:a/v2", "http://api.example.com:80:80/v2", "http://127.1/v2", "http://2130706433/v2",
	"http://0x7f.1/v2", "http://192.0.2.300/v2", "http://192.0.2.01/v2", "http://api..example/v2", "http://.example/v2",
	"http://-a.example/v2", "http://api.example.com./v2", "http://[fe80::1%25eth0]/v2", "http://[::1/v2",
	"http://2001:db8::1/v2", "http://[api.example.com]/v2", "http://" + strings.Repeat("a", 64) + ".example/v2",
	"http://" + strings.Repeat("a.", 130) + "example/v2", "http://api.example.com/" + strings.Repeat("v", 2000),
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

// FuzzURL: a URL that is accepted has one reading, and leads to the same host when a path is added.
func FuzzURL(f *testing.F) {
	for _, raw := range badURLs {
		f.Add(raw)
	}
	f.Add("https://api.example.com:8443/v2/")
	f.Add("http://[::ffff:192.0.2.1]:80/v2")
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := trust.NormalizeURL(raw)
		if err != nil {
			if got != "" {
				t.Errorf("%q: an error, and %q", raw, got)
			}
			return
		}
		if again, err := trust.NormalizeURL(got); err != nil || again != got {
			t.Errorf("%q becomes %q becomes %q, %v", raw, got, again, err)
		}
		before, err := url.Parse(raw)
		if err != nil {
			t.Fatalf("%q is taken and is no URL", raw)
		}
		u, err := url.Parse(got + "/token_auth")
		if err != nil {
			t.Fatalf("%q becomes %q, which is none", raw, got)
		}
		if u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
			u.Opaque != "" || u.RawPath != "" || !strings.HasSuffix(u.Path, "/token_auth") ||
			strings.Contains(u.Path, "//") || strings.Contains(u.Path, "/.") || u.String() != got+"/token_auth" {
			t.Errorf("%q becomes %#v", raw, u)
		}
		if !sameHost(before.Hostname(), u.Hostname()) || u.Scheme != strings.ToLower(before.Scheme) {
			t.Errorf("%q leads to %s", raw, u.Host)
		}
	})
}

func sameHost(a, b string) bool {
	if x, err := netip.ParseAddr(a); err == nil {
		y, err := netip.ParseAddr(b)
		return err == nil && x.Unmap() == y.Unmap()
	}
	return strings.EqualFold(a, b)
}
