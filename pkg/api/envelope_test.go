package api_test

import (
	"crypto/md5"
	"encoding/hex"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const ipsOfA = "/v2/accounts/" + accountA + "/ips"

// shapes are what the keys of an envelope look like.
var shapes = map[string]*regexp.Regexp{
	"status":     regexp.MustCompile(`^(success|error)$`),
	"request_id": regexp.MustCompile(`^[0-9a-f]{32}$`),
	"timestamp":  regexp.MustCompile(`^2026-11-22T04:20:00Z$`),
	"node":       regexp.MustCompile(`^[A-Za-z0-9_-]{22}$`),
	"version":    regexp.MustCompile(`^0\.0\.0$`),
	"auth_token": regexp.MustCompile(`^eyJ`),
	"revision":   regexp.MustCompile(`^([0-9a-f]{32}|\d+-[0-9a-f]{32})$`),
	"error":      regexp.MustCompile(`^[45]\d\d$`),
	"message":    regexp.MustCompile(`.`),
}

func TestEnvelope(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	sv.create("1.2.3.4")
	common := []string{"data", "node", "request_id", "status", "timestamp"}
	success := append([]string{"auth_token", "revision", "version"}, common...)
	failure := append([]string{"error", "message"}, common...)
	for _, c := range []struct {
		name string
		a    answer
		keys []string
	}{
		{"list", sv.as("A", "GET", ipsOfA, ""), success},
		{"page", sv.as("A", "GET", ipsOfA+"?page_size=5", ""), append([]string{"page_size"}, success...)},
		{"document", sv.as("A", "GET", ipsOfA+"/1.2.3.4", ""), success},
		{"created", sv.as("M", "PUT", "/v2/ips", `{"data":{"ip":"1.2.3.5","zone":"z","host":"h"}}`),
			append([]string{"metadata"}, success...)},
		{"deleted", sv.as("M", "DELETE", "/v2/ips/1.2.3.5", ""), append([]string{"metadata"}, success...)},
		{"assigned", sv.as("A", "POST", ipsOfA+"/1.2.3.4", ""), success},
		{"login", sv.send("PUT", "/v2/api_auth", `{"data":{"api_key":"`+sv.key("A")+`"}}`), success},
		{"refused", sv.as("A", "POST", ipsOfA+"/1.2.3.4", ""), append([]string{"auth_token", "version"}, failure...)},
		{"forbidden", sv.as("A", "GET", "/v2/ips", ""), append([]string{"auth_token", "version"}, failure...)},
		{"nobody", sv.send("GET", ipsOfA, ""), failure},
		{"no path of ours", sv.send("GET", "/", ""), failure},
		{"malformed body", sv.send("POST", ipsOfA, `{`), failure},
	} {
		if got := slices.Sorted(maps.Keys(c.a.envelope)); !slices.Equal(got, sorted(c.keys)) {
			t.Errorf("%s: keys %v, want %v", c.name, got, sorted(c.keys))
		}
		for key, shape := range shapes {
			if value, ok := c.a.envelope[key]; ok {
				if text, isText := value.(string); !isText || !shape.MatchString(text) {
					t.Errorf("%s: %s is %v", c.name, key, value)
				}
			}
		}
		wantHeaders(t, c.name, c.a)
	}
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

func wantHeaders(t *testing.T, name string, a answer) {
	t.Helper()
	want := map[string]string{
		"Content-Type": "application/json", "X-Request-Id": a.envelope["request_id"].(string),
		"Content-Length": itoa(len(a.text)), "Vary": "accept-language, accept", "Content-Language": "en",
	}
	for header, value := range want {
		if got := a.header.Get(header); got != value {
			t.Errorf("%s: %s is %q, want %q", name, header, got, value)
		}
	}
	if text, ok := a.envelope["error"]; ok && text != itoa(a.status) {
		t.Errorf("%s: error is %v, the status %d", name, text, a.status)
	}
}

// TestRevision: of one document it is the document's; of a list it is made from the data, and so stays while the
// data does.
func TestRevision(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	sv.create("1.2.3.4", "1.2.3.5")
	stored, err := sv.store.Get(t.Context(), "dedicated_ips", "1.2.3.4")
	if err != nil {
		t.Fatal(err)
	}
	if got := sv.as("A", "GET", ipsOfA+"/1.2.3.4", "").envelope["revision"]; got != stored.Rev() {
		t.Errorf("%v, want %s", got, stored.Rev())
	}
	list := sv.as("A", "GET", ipsOfA+"/zones", "")
	sum := md5.Sum([]byte(`["us-east"]`))
	if got := list.envelope["revision"]; got != hex.EncodeToString(sum[:]) {
		t.Errorf("%v", got)
	}
	if again := sv.as("A", "GET", ipsOfA+"/zones", ""); again.envelope["revision"] != list.envelope["revision"] {
		t.Error("the revision of equal data changed")
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	for id, kept := range map[string]bool{
		"x": true, "monster-ui/1234": true, strings.Repeat("a", 128): true,
		strings.Repeat("a", 129): false, "with space": false, "caf\xc3\xa9": false, "": false,
	} {
		a := sv.as("A", "GET", ipsOfA, "", "X-Request-ID", id)
		if got := a.envelope["request_id"]; got != a.header.Get("X-Request-ID") || (got == id) != kept || got == "" {
			t.Errorf("%q: %v", id, got)
		}
	}
}

func TestPrettyPrint(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	for _, c := range []struct {
		path, header, body string
		pretty             bool
	}{
		{"", "", "", false},
		{"?pretty_print=true", "", "", true},
		{"?pretty_print", "", "", true},
		{"?pretty_print=1", "", "", false},
		{"?pretty_print=false", "true", "", true},
		{"?pretty_print=true", "false", "", false},
		{"", "", `{"data":{},"pretty_print":true}`, true},
		{"", "", `{"data":{"pretty_print":"true"}}`, true},
	} {
		var headers []string
		if c.header != "" {
			headers = []string{"X-Pretty-Print", c.header}
		}
		a := sv.want(sv.as("A", "GET", ipsOfA+c.path, c.body, headers...), 200)
		if got := strings.HasPrefix(a.text, "{\n  \""); got != c.pretty || a.envelope == nil {
			t.Errorf("%+v: %.60q", c, a.text)
		}
	}
	if a := sv.as("A", "POST", ipsOfA+"?pretty_print=true", "{"); a.status != 400 || strings.Contains(a.text, "\n") {
		t.Errorf("malformed JSON: %d %s", a.status, a.text)
	}
}
