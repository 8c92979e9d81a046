package api_test

import (
	"net/http"
	"testing"

	"junctor/pkg/api"
	"junctor/pkg/console"
)

// TestConsole: a browser is led to the console, by relative locations, and other clients get the API's own responses.
func TestConsole(t *testing.T) {
	t.Parallel()
	sv := kazoo(t, func(c *api.Config) { c.Console = console.Handlers(console.Options{IssueTokens: true}) })
	without := kazoo(t)
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, c := range []struct {
		method, path, accept string
		status, without      int
	}{
		{"GET", "/", browser, 302, 404},
		{"HEAD", "/", browser, 302, 404},
		{"GET", "/", "*/*", 404, 404},
		{"GET", "/", "application/json", 404, 404},
		{"GET", "/", "text/html;q=0, */*", 404, 404},
		{"GET", "/", "", 404, 404},
		{"POST", "/", browser, 404, 404},
		{"GET", "/console", "*/*", 302, 404},
		{"GET", "/console/", "*/*", 200, 404},
		{"GET", "/console/addresses?zone=a", browser, 200, 404},
		{"POST", "/console/", browser, 405, 404},
		{"GET", "/console/nowhere", browser, 404, 404},
		{"GET", "/console/../v2/ips", browser, 404, 404},
	} {
		for server, want := range map[*service]int{sv: c.status, without: c.without} {
			r, err := http.NewRequestWithContext(t.Context(), c.method, server.url+c.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.accept != "" {
				r.Header.Set("Accept", c.accept)
			}
			resp, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			location := resp.Header.Get("Location")
			if resp.StatusCode != want || (want == 302) != (location == "console/") {
				t.Errorf("%s %s, Accept %q: %d %q, want %d", c.method, c.path, c.accept, resp.StatusCode, location, want)
			}
		}
	}
}

// TestSuperduperAdmin: a token says whether its account is a superduper admin.
func TestSuperduperAdmin(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	for name, want := range map[string]any{"M": true, "A": nil} {
		about := sv.want(sv.as(name, "GET", "/v2/token_auth", ""), 200).data().(map[string]any)
		if about["superduper_admin"] != want {
			t.Errorf("%s: %v, want %v", name, about["superduper_admin"], want)
		}
	}
}
