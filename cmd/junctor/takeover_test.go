package main

import (
	"regexp"
	"strings"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

// TestKazoosViewsStay: serving never rewrites Kazoo's design document, whatever is in it, and makes one that is
// missing.
func TestKazoosViewsStay(t *testing.T) {
	t.Parallel()
	dsn := storetest.FreshCouch(t)
	s := loadKazoo(t, dsn)
	const db, id = "dedicated_ips", "_design/dedicated_ips"
	serving := func() (rev string) {
		t.Helper()
		start(t, "--store", dsn, "--state-dir", t.TempDir()).stop()
		doc, err := s.Get(t.Context(), db, id)
		if err != nil {
			t.Fatal(err)
		}
		return doc.Rev()
	}
	oneLine := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	for name, change := range map[string]func(string) string{
		"master's":           func(text string) string { return text },
		"4.3's":              oneLine,
		"an operator's":      func(text string) string { return text + "\n" },
		"nobody's, and junk": func(string) string { return "function(doc) {}" },
	} {
		want := rewriteViews(t, s, db, id, change)
		if got := serving(); got != want {
			t.Errorf("%s text is rewritten: %s is now %s", name, want, got)
		}
	}
	doc, err := s.Get(t.Context(), db, id)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), db, id, doc.Rev()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), db, id); !fault.Is(err, fault.BadIdentifier) {
		t.Fatal(err)
	}
	if rev := serving(); rev == doc.Rev() || rev == "" {
		t.Errorf("the missing one is %q", rev)
	}
}

// rewriteViews changes all functions of a design document, and answers its revision.
func rewriteViews(t *testing.T, s *store.Store, db, id string, change func(string) string) (rev string) {
	t.Helper()
	doc, err := s.Update(t.Context(), db, id, func(doc document.Document) error {
		for _, view := range doc["views"].(map[string]any) {
			for name, text := range view.(map[string]any) {
				view.(map[string]any)[name] = change(text.(string))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return doc.Rev()
}

// TestProxies: which paths the proxies of packaging/examples send here, and which stay with Crossbar.
func TestProxies(t *testing.T) {
	t.Parallel()
	patterns := map[string]*regexp.Regexp{}
	for proxy, directive := range map[string]string{
		"haproxy.cfg": `acl for_junctor path_reg (\S+)\n`, "nginx.conf": `location ~ (\S+) \{\n`,
	} {
		text := readFile(t, "../../packaging/examples/"+proxy)
		found := regexp.MustCompile(directive).FindAllStringSubmatch(text, -1)
		if len(found) != 1 {
			t.Fatalf("%s has %d patterns", proxy, len(found))
		}
		patterns[proxy] = regexp.MustCompile(found[0][1])
	}
	for path, here := range proxied {
		path = strings.ReplaceAll(path, "{A}", "0766c6d3a0cf0a0f293e7c8cf0bdcab5")
		for proxy, pattern := range patterns {
			if pattern.MatchString(path) != here {
				t.Errorf("%s sends %s here: %t", proxy, path, !here)
			}
		}
	}
}

// proxied says of paths whether they are for junctor. A query is no part of a path.
var proxied = map[string]bool{
	"/v2/ips":                                 true,
	"/v2/ips/":                                true,
	"/v2/ips/1.2.3.4":                         true,
	"/v2/ips/2001%3Adb8%3A%3A1":               true,
	"/v2/ips/2001:db8::1":                     true,
	"/v2/ips/assigned":                        true,
	"/v3/ips/zones":                           true,
	"/v12/ips/hosts":                          true,
	"/v2/accounts/{A}/ips":                    true,
	"/v2/accounts/{A}/ips/":                   true,
	"/v2/accounts/{A}/ips/1.2.3.4":            true,
	"/v2/accounts/{A}/ips/assigned":           true,
	"/v2/accounts/nonsense/ips":               true,
	"/v2/account/ips":                         true,
	"/v2/account/ips/assigned":                true,
	"/v2/routing/customer_cluster":            true,
	"/v2/routing/customer_cluster/addresses":  true,
	"/v2/routing/customer_clusters/{A}":       true,
	"/v2/routing/lookup":                      true,
	"/v2/routing":                             true,
	"/":                                       false,
	"/ips":                                    false,
	"/v2":                                     false,
	"/v1/ips":                                 false,
	"/v1/accounts/{A}/ips":                    false,
	"/v0/ips":                                 false,
	"/v02/ips":                                false,
	"/v2x/ips":                                false,
	"/x/v2/ips":                               false,
	"/v2/ips_something":                       false,
	"/v2/ipsx/1.2.3.4":                        false,
	"/v2/xips":                                false,
	"/v2/ip_auth":                             false,
	"/v2/routings":                            false,
	"/v2/resources/routing":                   false,
	"/v2/accounts":                            false,
	"/v2/accounts/{A}":                        false,
	"/v2/accounts/ips":                        false,
	"/v2/accounts//ips":                       false,
	"/v2/accounts/{A}/ips_something":          false,
	"/v2/accounts/{A}/ips.txt":                false,
	"/v2/accounts/{A}/xips":                   false,
	"/v2/accounts/{A}/users/ips":              false,
	"/v2/accounts/{A}/devices/x/ips":          false,
	"/v2/accounts/{A}/routing":                false,
	"/v2/accounts/{A}/callflows":              false,
	"/v2/account":                             false,
	"/v2/user_auth":                           false,
	"/v2/token_auth":                          false,
	"/v2/schemas/ips":                         false,
	"/v2/accounts/{A}/schemas/ips/validation": false,
	"/apps/monster-ui/v2/accounts/{A}/ips/style": false,
}
