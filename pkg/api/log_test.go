package api_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"junctor/pkg/testutil"
)

// logBuffer is the log of a server.
type logBuffer struct{ testutil.Log }

// lines returns the events of a log.
func (b *logBuffer) lines(t testing.TB) []map[string]any {
	t.Helper()
	var events []map[string]any
	for line := range strings.Lines(b.String()) {
		event := map[string]any{}
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		events = append(events, event)
	}
	return events
}

// TestLog: one line a request, which says what happened and to whom, and nothing that a thief could use.
func TestLog(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	token, other, key := sv.token("A"), sv.token("B"), sv.key("A")
	sv.create("1.2.3.4")
	before := len(sv.log.lines(t))
	requests := []struct {
		method, path string
		headers      []string
		status       float64
		route        string
		account      any
	}{
		{"GET", ipsOfA + "/1.2.3.4?auth_token=" + token, nil, 200, "/accounts/{account}/ips/{ip}", accountA},
		{"GET", "/v2/account/ips", []string{"X-Auth-Token", token}, 200, "/accounts/{account}/ips", accountA},
		{"GET", "/v2/ips", []string{"X-Auth-Token", token}, 403, "/ips", nil},
		{"GET", ipsOfA, []string{"X-Auth-Token", other}, 403, "/accounts/{account}/ips", accountA},
		{"GET", ipsOfA, []string{"Authorization", "Basic " + key}, 401, "/accounts/{account}/ips", nil},
		{"GET", ipsOfA + "/" + key, []string{"X-Auth-Token", token}, 404, "/accounts/{account}/ips/{ip}", accountA},
		{"GET", "/v2/" + token + "/x", nil, 401, "(none)", nil},
		{"GET", "/" + token, nil, 404, "(none)", nil},
		{"PUT", "/v2/api_auth?api_key=" + key, nil, 400, "/api_auth", nil},
		{"GET", ipsOfA, []string{"X-Auth-Token", token + "x"}, 401, "/accounts/{account}/ips", nil},
		{"FOO", ipsOfA, nil, 501, "/accounts/{account}/ips", nil},
		{"PUT", "/v2/account/schemas/x/validation", []string{"X-Auth-Token", token}, 500,
			"/accounts/{account}/schemas/{schema}/validation", accountA},
	}
	for _, r := range requests {
		sv.send(r.method, r.path, `{"data":{}}`, r.headers...)
	}
	events := sv.log.lines(t)[before:]
	if len(events) != len(requests) {
		t.Fatalf("%d lines for %d requests", len(events), len(requests))
	}
	for i, r := range requests {
		e := events[i]
		if e["method"] != r.method || e["status"] != r.status || e["route"] != r.route || e["account"] != r.account {
			t.Errorf("%s %.60s: %s", r.method, r.path, jsonText(e))
		}
		for _, field := range []string{"request_id", "duration_ms", "bytes", "client", "level", "message"} {
			if _, ok := e[field]; !ok {
				t.Errorf("no %s: %s", field, jsonText(e))
			}
		}
		if _, ok := e["reason"]; ok != (r.status >= 400) {
			t.Errorf("reason: %s", jsonText(e))
		}
		if e["level"] != "info" { // a client's mistake is nothing that an operator has to do something about
			t.Errorf("level: %s", jsonText(e))
		}
	}
}

// TestCodesAreLogged: the line of a request that is refused names the codes of what is wrong, once each.
func TestCodesAreLogged(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	sv.as("A", "POST", ipsOfA, `{"data":{"ips":["192.0.2.251","192.0.2.252"]}}`)
	lines := sv.log.lines(t)
	if got := jsonText(lines[len(lines)-1]["codes"]); got != `["not_found"]` {
		t.Errorf("codes %s in %s", got, jsonText(lines[len(lines)-1]))
	}
}

// TestMetrics: requests are counted by route, never by path, and the pool by zone and status.
func TestMetrics(t *testing.T) {
	t.Parallel()
	s := kazooTemplate.Open(t)
	sv := newService(t, s, cached(t, s, staleness))
	sv.create("1.2.3.4", "1.2.3.5")
	sv.want(sv.as("A", "POST", ipsOfA+"/1.2.3.4", ""), 200)
	sv.want(sv.as("A", "POST", ipsOfA+"/1.2.3.4", ""), 400)
	sv.want(sv.as("A", "GET", ipsOfA+"/zones", ""), 200)
	sv.want(sv.as("A", "GET", "/v2/what/ever", ""), 404)
	sv.want(sv.as("A", "FOO", ipsOfA, ""), 501)
	text := sv.want(sv.send("GET", "/metrics", ""), 200).text
	for _, line := range []string{
		`junctor_http_request_duration_seconds_count{method="POST",route="/accounts/{account}/ips/{ip}",status="200"} 1`,
		`junctor_http_request_duration_seconds_count{method="POST",route="/accounts/{account}/ips/{ip}",status="400"} 1`,
		`junctor_http_request_duration_seconds_count{method="GET",route="(none)",status="404"} 1`,
		`junctor_http_request_duration_seconds_count{method="(other)",route="/accounts/{account}/ips",status="501"} 1`,
		`junctor_dedicated_ips{status="assigned",zone="us-east"} 1`,
		`junctor_dedicated_ips{status="available",zone="us-east"} 1`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no %s", line)
		}
	}
	label := regexp.MustCompile(`route="([^"]*)"`)
	routes := map[string]bool{}
	for _, m := range label.FindAllStringSubmatch(text, -1) {
		routes[m[1]] = true
		if strings.Contains(m[1], accountA) || strings.Contains(m[1], "1.2.3") {
			t.Errorf("a path as a label: %s", m[1])
		}
	}
	if !routes["/ips"] || !routes["/api_auth"] {
		t.Errorf("routes: %v", slices.Sorted(maps.Keys(routes)))
	}
}
