package console_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"junctor/pkg/console"
)

// get requests a path of the console; headers are names and values by turns.
func get(handlers map[string]http.Handler, method, path string, headers ...string) *http.Response {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	h := handlers[path]
	if h == nil {
		h = http.NotFoundHandler()
	}
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestHeaders: whatever was built, each response forbids what is not the console's own.
func TestHeaders(t *testing.T) {
	t.Parallel()
	handlers := console.Handlers(console.Options{IssueTokens: true})
	for path := range handlers {
		r := get(handlers, "GET", path)
		policy := r.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "connect-src 'self'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: no %s in the policy %q", path, part, policy)
			}
		}
		if r.StatusCode != 200 || strings.Contains(policy, "unsafe") || r.Header.Get("X-Content-Type-Options") != "nosniff" ||
			r.Header.Get("Content-Type") == "" {
			t.Errorf("%s: %d %v", path, r.StatusCode, r.Header)
		}
		again := get(handlers, "GET", path, "If-None-Match", r.Header.Get("Etag"))
		if again.StatusCode != 304 || r.Header.Get("Etag") == "" {
			t.Errorf("%s, again: %d", path, again.StatusCode)
		}
		if r := get(handlers, "HEAD", path); r.StatusCode != 200 || body(t, r) != "" {
			t.Errorf("HEAD %s: %d", path, r.StatusCode)
		}
		if r := get(handlers, "POST", path); r.StatusCode != 405 {
			t.Errorf("POST %s: %d", path, r.StatusCode)
		}
	}
	if get(handlers, "GET", "/console/.gitignore").StatusCode != 404 || get(handlers, "GET", "/console/dist").StatusCode != 404 {
		t.Error("more than the console is served")
	}
}

// TestPlaceholder: without a build the page says how to make one.
func TestPlaceholder(t *testing.T) {
	t.Parallel()
	page := body(t, get(console.Handlers(console.Options{}), "GET", console.Root))
	if built := !strings.Contains(page, "make build"); built != console.Built() {
		t.Errorf("built: %v, and the page is %s", console.Built(), page)
	}
}

var asset = regexp.MustCompile(`(?:src|href)="\./(assets/[^"]+)"`)

// TestFiles is about the console as "make console" builds it.
func TestFiles(t *testing.T) {
	t.Parallel()
	if !console.Built() {
		t.Skip("the console is not built: make console")
	}
	handlers := console.Handlers(console.Options{IssueTokens: true})
	r := get(handlers, "GET", console.Root)
	page := body(t, r)
	if r.Header.Get("Cache-Control") != "no-cache" || !strings.Contains(page, `data-issue-tokens="true"`) {
		t.Errorf("%v %s", r.Header, page)
	}
	if regexp.MustCompile(`(?i)<script>|<style| style=| on\w+=|(src|href)="(/|http)`).MatchString(page) {
		t.Errorf("inline code, or an absolute URL, in %s", page)
	}
	other := get(console.Handlers(console.Options{}), "GET", console.Root)
	if !strings.Contains(body(t, other), `data-issue-tokens="false"`) || other.Header.Get("Etag") == r.Header.Get("Etag") {
		t.Error("the page does not know that no tokens are issued")
	}
	assets := asset.FindAllStringSubmatch(page, -1)
	if len(assets) < 3 {
		t.Errorf("script, style and icon are not all in %s", page)
	}
	size := len(page)
	for _, match := range assets {
		path := console.Root + match[1]
		plain := get(handlers, "GET", path)
		text := body(t, plain)
		for _, accepted := range []string{"gzip", "br, gzip;q=0.5", "gzip, deflate"} {
			zipped := get(handlers, "GET", path, "Accept-Encoding", accepted)
			reader, err := gzip.NewReader(zipped.Body)
			if err != nil || zipped.Header.Get("Content-Encoding") != "gzip" {
				t.Fatalf("%s: %v %v", path, err, zipped.Header)
			}
			unzipped, err := io.ReadAll(reader)
			if err != nil || string(unzipped) != text || zipped.Header.Get("Etag") == plain.Header.Get("Etag") {
				t.Errorf("%s: %v, %d bytes of %d", path, err, len(unzipped), len(text))
			}
		}
		if r := get(handlers, "GET", path, "Accept-Encoding", "gzip;q=0, identity"); r.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s is compressed although that is refused", path)
		}
		if got := plain.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("%s: Cache-Control %q", path, got)
		}
		size += len(body(t, get(handlers, "GET", path, "Accept-Encoding", "gzip")))
	}
	if size > 150_000 {
		t.Errorf("the first page loads %d bytes, compressed", size)
	}
}
