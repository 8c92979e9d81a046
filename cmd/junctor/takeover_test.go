package main

import (
	"regexp"
	"strings"
	"testing"
)

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
