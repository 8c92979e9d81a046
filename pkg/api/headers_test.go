package api_test

import (
	"bufio"
	"net/http"
	"testing"
)

// TestNoStore: no cache keeps what a token was shown, or was sent along with a token (S15).
func TestNoStore(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	sv.create("1.2.3.4")
	token := sv.token("A")
	tag := sv.as("A", "GET", ipsOfA, "").header.Get("Etag")
	for name, c := range map[string]struct {
		a      answer
		status int
	}{
		"GET":                  {sv.as("A", "GET", ipsOfA, ""), 200},
		"GET, in the query":    {sv.send("GET", ipsOfA+"?auth_token="+token, ""), 200},
		"GET, in the body":     {sv.send("GET", ipsOfA, `{"data":{},"auth_token":"`+token+`"}`), 200},
		"GET with Basic":       {sv.send("GET", ipsOfA, "", "Authorization", users["alice"].basic()), 200},
		"POST":                 {sv.as("A", "POST", ipsOfA+"/1.2.3.4", ""), 200},
		"not modified":         {sv.as("A", "GET", ipsOfA, "", "If-None-Match", "*"), 304},
		"modified":             {sv.as("A", "GET", ipsOfA, "", "If-None-Match", tag), 200},
		"forbidden":            {sv.as("B", "GET", ipsOfA, ""), 403},
		"bad token":            {sv.send("GET", ipsOfA, "", "X-Auth-Token", token+"x"), 401},
		"no token":             {sv.send("GET", ipsOfA, ""), 401},
		"malformed":            {sv.as("A", "POST", ipsOfA, "{"), 400},
		"login":                {sv.logIn("A"), 201},
		"what a token is":      {sv.send("GET", "/v2/auth/tokeninfo?token="+token, ""), 200},
		"schema, with a token": {sv.as("A", "GET", "/v2/schemas/ips", ""), 200},
	} {
		if got := c.a.header.Get("Cache-Control"); c.a.status != c.status || got != "no-store" {
			t.Errorf("%s: %d, Cache-Control %q", name, c.a.status, got)
		}
	}
	if got := sv.want(sv.send("GET", "/v2/schemas/ips", ""), 200).header.Get("Cache-Control"); got != "" {
		t.Errorf("a schema for anybody: Cache-Control %q", got)
	}
}

// TestChunkedRequests: a connection ends after one, since net/http does not tell which had a Content-Length, too (S16).
func TestChunkedRequests(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	for _, also := range []string{"", "Content-Length: 4\r\n"} {
		conn := sv.begin("POST " + ipsOfA + " HTTP/1.1\r\nHost: x\r\nX-Auth-Token: " + sv.token("A") + "\r\n" + also +
			"Transfer-Encoding: chunked\r\n\r\nb\r\n{\"data\":{}}\r\n0\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || resp.StatusCode != 200 || !resp.Close {
			t.Errorf("%q: %v, %v", also, resp, err)
		}
	}
}

// TestAccept: who takes no JSON gets a 406, unless a setting, or a header that can't be read, says something else.
func TestAccept(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	for _, c := range []struct {
		query, accept string
		status        int
	}{
		{"", "text/html", 406},
		{"", "text/html, application/*;q=0.1", 200},
		{"", "text/html, */*;q=0.0", 406},
		{"", "/", 200},
		{"?accept=", "text/html", 200},
	} {
		if a := sv.as("A", "GET", ipsOfA+c.query, "", "Accept", c.accept); a.status != c.status {
			t.Errorf("%s Accept: %s: %d, want %d", c.query, c.accept, a.status, c.status)
		}
	}
}
