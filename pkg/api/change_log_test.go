package api_test

import (
	"fmt"
	"slices"
	"testing"
)

// changes returns the log lines about changes since the last call.
func (sv *service) changes(before *int) (lines []map[string]any) {
	sv.Helper()
	events := sv.log.lines(sv)
	for _, e := range events[*before:] {
		if e["message"] == "change" {
			lines = append(lines, e)
		}
	}
	*before = len(events)
	return lines
}

// TestChangesAreLogged: each change has exactly one line, with what was done to which addresses of whose, by whom and
// from where; what changes nothing has none (N12).
func TestChangesAreLogged(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	sv.create("1.2.3.4", "1.2.3.5", "1.2.3.6")
	seen := 0
	if got := sv.changes(&seen); len(got) != 3 || got[0]["action"] != "created" {
		t.Errorf("three creations: %v", got)
	}
	ips := func(list ...any) []any { return list }
	for _, c := range []struct {
		who, method, path, body string
		status                  int
		action                  string // empty is no change
		account                 any
		ips                     []any
	}{
		{"M", "PUT", "/v2/ips", `{"data":{"ip":"1.2.3.7","zone":"z","host":"h"}}`, 201, "created", nil, ips("1.2.3.7")},
		{"M", "PUT", "/v2/ips", `{"data":{"ip":"1.2.3.7","zone":"z","host":"h"}}`, 409, "", nil, nil},
		{"A", "POST", ipsOfA + "/1.2.3.4", "", 200, "assigned", accountA, ips("1.2.3.4")},
		{"A", "POST", ipsOfA + "/1.2.3.4", "", 400, "", nil, nil},
		{"A", "POST", ipsOfA, `{"data":{"ips":["1.2.3.5","1.2.3.6"]}}`, 200, "assigned", accountA, ips("1.2.3.5", "1.2.3.6")},
		{"A", "POST", ipsOfA, `{"data":{}}`, 200, "", nil, nil},
		{"A", "GET", ipsOfA + "/1.2.3.4", "", 200, "", nil, nil},
		{"A", "DELETE", ipsOfA + "/1.2.3.4", "", 200, "released", accountA, ips("1.2.3.4")},
		{"M", "DELETE", ipsOfA, `{"data":{"ips":["1.2.3.5"]}}`, 200, "released", accountA, ips("1.2.3.5")},
		{"M", "DELETE", "/v2/ips/1.2.3.6", "", 200, "deleted", accountA, ips("1.2.3.6")},
		{"M", "DELETE", "/v2/ips/1.2.3.7", "", 200, "deleted", nil, ips("1.2.3.7")},
		{"A", "POST", ipsOfA, `{"data":{"quantity":2}}`, 200, "assigned", accountA, ips("1.2.3.4", "1.2.3.5")},
	} {
		reply := sv.want(sv.as(c.who, c.method, c.path, c.body), c.status)
		lines := sv.changes(&seen)
		if (len(lines) == 1) != (c.action != "") || len(lines) > 1 {
			t.Errorf("%s %s %s: %d lines: %v", c.method, c.path, c.body, len(lines), lines)
			continue
		}
		if c.action == "" {
			continue
		}
		line := lines[0]
		if line["action"] != c.action || line["account"] != c.account || line["count"] != float64(len(c.ips)) ||
			jsonText(line["ips"]) != jsonText(c.ips) {
			t.Errorf("%s %s %s: %s", c.method, c.path, c.body, jsonText(line))
		}
		actor := map[string]any{"A": accountA, "M": accountM}[c.who]
		if line["auth_account"] != actor || line["client"] != "127.0.0.1" ||
			line["request_id"] != reply.header.Get("X-Request-Id") {
			t.Errorf("by whom: %s", jsonText(line))
		}
	}
}

// TestChangeLineIsBounded: a line about many addresses names a hundred and counts all.
func TestChangeLineIsBounded(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	const many = 150
	sv.want(sv.as("M", "PUT", "/v2/ips", `{"data":{"zone":"z","host":"h","ips":[{"range":"10.1.0.1-10.1.0.150"}]}}`), 201)
	seen := 0
	sv.changes(&seen)
	sv.want(sv.as("A", "POST", ipsOfA, fmt.Sprintf(`{"data":{"quantity":%d}}`, many)), 200)
	lines := sv.changes(&seen)
	if len(lines) != 1 || lines[0]["count"] != float64(many) || len(lines[0]["ips"].([]any)) != 100 {
		t.Errorf("%v", lines)
	}
}

// TestChangesNameTheUser: a change that a user makes names the account and the user.
func TestChangesNameTheUser(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	sv.create("1.2.3.4")
	seen := 0
	sv.changes(&seen)
	sv.want(sv.send("POST", ipsOfA+"/1.2.3.4", "", "X-Auth-Token", sv.token("alice")), 200)
	lines := sv.changes(&seen)
	if len(lines) != 1 || lines[0]["auth_account"] != accountA || lines[0]["auth_user"] != users["alice"].id {
		t.Errorf("%v", lines)
	}
}

// TestRoutingChangesAreLogged: each change of a routing cluster has one line, too.
func TestRoutingChangesAreLogged(t *testing.T) {
	t.Parallel()
	sv := serveRouting(t)
	seen := 0
	sv.changes(&seen)
	sv.have("c1", "owner", `{"inbound":{},"outbound":{}}`)
	sv.want(sv.as("M", "PATCH", clustersPath+"/c1", `{"data":{"name":"n"}}`), 200)
	sv.want(sv.as("M", "PATCH", clustersPath+"/c1", `{"data":{"name":7}}`), 400)
	sv.want(sv.as("M", "DELETE", clustersPath+"/c1", ""), 200)
	var got []string
	for _, line := range sv.changes(&seen) {
		got = append(got, fmt.Sprint(line["action"], " ", line["cluster"], " ", line["auth_account"]))
	}
	want := []string{"created c1 " + accountM, "edited c1 " + accountM, "deleted c1 " + accountM}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
