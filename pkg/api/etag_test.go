package api_test

import "testing"

// TestConditionalGet: every kind of GET has a tag that a second request can name.
func TestConditionalGet(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	sv.create("1.2.3.4", "1.2.3.5")
	for _, path := range []string{
		"/v2/ips", "/v2/ips/1.2.3.4", "/v2/ips/zones", "/v2/ips/hosts", "/v2/ips/assigned", "/v2/ips?page_size=1",
		"/v2/ips/all", "/v2/ips/accounts", "/v2/ips/summary",
		ipsOfA, ipsOfA + "/1.2.3.4", ipsOfA + "/zones", ipsOfA + "/hosts", ipsOfA + "/assigned",
	} {
		first := sv.want(sv.as("M", "GET", path, ""), 200)
		tag := first.header.Get("ETag")
		if tag != `"`+first.envelope["revision"].(string)+`"` {
			t.Errorf("%s: tag %s of revision %v", path, tag, first.envelope["revision"])
		}
		for _, c := range []struct {
			header, value string
			status        int
		}{
			{"If-None-Match", tag, 304},
			{"If-None-Match", "W/" + tag, 304},
			{"If-None-Match", `"x", ` + tag, 304},
			{"If-None-Match", "*", 304},
			{"If-None-Match", `"x"`, 200},
			{"If-None-Match", "", 200},
			{"If-Match", tag, 200},
			{"If-Match", "*", 200},
			{"If-Match", `"x"`, 412},
			{"If-Modified-Since", "Sun, 22 Nov 2037 00:00:00 GMT", 200},
		} {
			a := sv.as("M", "GET", path, "", c.header, c.value)
			if a.status != c.status {
				t.Errorf("%s with %s: %s: %d, want %d", path, c.header, c.value, a.status, c.status)
			}
			if a.status < 400 && a.header.Get("ETag") != tag {
				t.Errorf("%s with %s: %s: tag %s", path, c.header, c.value, a.header.Get("ETag"))
			}
			if a.status == 304 && (a.text != "" || a.header.Get("Content-Type") != "") {
				t.Errorf("%s: a 304 with a body: %s", path, a.text)
			}
		}
	}
}

// TestConditionalChange: a change that names a revision is made of that revision or not at all.
func TestConditionalChange(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	sv.create("1.2.3.4")
	const one = ipsOfA + "/1.2.3.4"
	tag := func() string { return sv.want(sv.as("M", "GET", "/v2/ips/1.2.3.4", ""), 200).header.Get("ETag") }
	stale := tag()
	for _, c := range []struct {
		name, method, path, body, match string
		status                          int
	}{
		{"A", "POST", one, "", `"1-x"`, 412},
		{"A", "POST", one, "", tag(), 200},
		{"A", "DELETE", one, "", stale, 412},
		{"A", "DELETE", one, "", "*", 200},
		{"M", "DELETE", "/v2/ips/1.2.3.4", "", stale, 412},
		{"A", "POST", ipsOfA, `{"data":{"ips":["1.2.3.4"]}}`, `"1-x"`, 412},
		{"A", "POST", ipsOfA, `{"data":{"ips":["1.2.3.4"]}}`, "*", 200},
		{"A", "DELETE", ipsOfA, "", "*", 200},
		{"M", "PUT", "/v2/ips", `{"data":{"ip":"1.2.3.9","zone":"z","host":"h"}}`, "*", 412},
		{"M", "PUT", "/v2/ips", `{"data":{"ip":"1.2.3.9","zone":"z","host":"h"}}`, `"1-x"`, 412},
		{"M", "DELETE", "/v2/ips/1.2.3.4", "", "TAG", 200},
	} {
		if c.match == "TAG" {
			c.match = tag()
		}
		a := sv.as(c.name, c.method, c.path, c.body, "If-Match", c.match)
		if a.status != c.status {
			t.Errorf("%+v: %d: %s", c, a.status, a.text)
		}
		if a.header.Get("ETag") != "" || a.header.Get("Expires") != "" {
			t.Errorf("%+v: a tag on what is no GET", c)
		}
	}
}
