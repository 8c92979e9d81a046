package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"junctor/pkg/api"
	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

// begin sends the beginning of a request and leaves the rest to the test.
func (sv *service) begin(text string) net.Conn {
	sv.Helper()
	conn, err := net.Dial("tcp", sv.addr)
	if err != nil {
		sv.Fatal(err)
	}
	sv.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		sv.Fatal(err)
	}
	return conn
}

// head is the head of a request with a body of n bytes.
func head(path string, n int, headers ...string) string {
	text := "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + itoa(n) + "\r\n"
	for i := 0; i+1 < len(headers); i += 2 {
		text += headers[i] + ": " + headers[i+1] + "\r\n"
	}
	return text + "\r\n"
}

// TestSlowBodies: requests whose bodies do not come keep nobody else out, with a token or without (S3).
func TestSlowBodies(t *testing.T) {
	t.Parallel()
	sv := kazoo(t, func(c *api.Config) { c.MaxRequests = 2 })
	token := sv.token("A")
	for range 100 {
		sv.begin(head(ipsOfA, 11) + "{")
		sv.begin(head(ipsOfA, 11, "X-Auth-Token", token) + "{")
		sv.begin(head("/v2/api_auth", 11) + "{")
	}
	for range 20 {
		sv.want(sv.as("A", "GET", ipsOfA, ""), 200)
		sv.want(sv.as("A", "POST", ipsOfA, `{"data":{}}`), 200)
		sv.want(sv.logIn("A"), 201)
	}
	last := sv.begin(head(ipsOfA, 11, "X-Auth-Token", token) + `{"data"`)
	sv.want(sv.as("A", "GET", ipsOfA, ""), 200)
	if _, err := io.WriteString(last, ":{}}"); err != nil {
		t.Fatal(err)
	}
	if resp, err := http.ReadResponse(bufio.NewReader(last), nil); err != nil || resp.StatusCode != 200 {
		t.Errorf("%v, %v", resp, err)
	}
}

// TestUnverifiedBodies: more than 64 KiB of a body is read only for those who have shown a good token.
func TestUnverifiedBodies(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	token := sv.token("A")
	body := `{"data":{"ui_metadata":"` + strings.Repeat("1", 64<<10) + `"}}`
	const without = `{"file":{"maxSize":{"target":65536,
		"message":"Without a token, a body must not be more than 65536 bytes"}}}`
	chunked := func(headers string) string {
		return "POST " + ipsOfA + " HTTP/1.1\r\nHost: x\r\n" + headers + "Transfer-Encoding: chunked\r\n\r\n" +
			fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	}
	for name, c := range map[string]struct {
		a      answer
		status int
		data   string
	}{
		"none":           {sv.send("POST", ipsOfA, body), 400, without},
		"none, chunked":  {sv.raw("POST", chunked("")), 400, without},
		"none, login":    {sv.send("PUT", "/v2/api_auth", body), 400, without},
		"bad":            {sv.send("POST", ipsOfA, body, "X-Auth-Token", token+"x"), 401, ""},
		"bad, chunked":   {sv.raw("POST", chunked("X-Auth-Token: x\r\n")), 401, ""},
		"in the body":    {sv.send("POST", ipsOfA, body[:len(body)-1]+`,"auth_token":"`+token+`"}`), 400, without},
		"good":           {sv.send("POST", ipsOfA, body, "X-Auth-Token", token), 200, `{"ips":[]}`},
		"good, chunked":  {sv.raw("POST", chunked("X-Auth-Token: "+token+"\r\n")), 200, `{"ips":[]}`},
		"good, in query": {sv.send("POST", ipsOfA+"?auth_token="+token, body), 200, `{"ips":[]}`},
		"Basic":          {sv.send("POST", ipsOfA, body, "Authorization", users["alice"].basic()), 200, `{"ips":[]}`},
		"at the limit":   {sv.send("POST", ipsOfA, body[:64<<10], "Content-Type", "text/plain"), 401, ""},
	} {
		if c.a.status != c.status || c.data != "" && !sameJSON(t, c.a.data(), c.data) {
			t.Errorf("%s: %d %.300s", name, c.a.status, c.a.text)
		}
	}
	conn := sv.begin(head(ipsOfA, 8_000_000, "Expect", "100-continue", "X-Auth-Token", token+"x"))
	if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || resp.StatusCode != 401 || !resp.Close {
		t.Errorf("a bad token that waits to send its body: %v, %v", resp, err)
	}
}

// TestManyValues: decoding ends where there are too many values (S2).
func TestManyValues(t *testing.T) {
	sv := kazoo(t)
	token := sv.token("A")
	for name, c := range map[string]struct{ element, end, media string }{
		"objects": {`{"":1},`, `0]}`, "application/json"},
		"numbers": {`1,`, `0]}`, "application/json"},
		"lists":   {`[],`, `0]}`, "application/json"},
		"form":    {`a&`, ``, "application/x-www-form-urlencoded"},
	} {
		body := `{"data":[` + strings.Repeat(c.element, 7_900_000/len(c.element)) + c.end
		if c.end == "" {
			body = strings.Repeat(c.element, 4_000_000/len(c.element)) + "="
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		a := sv.want(sv.send("POST", ipsOfA, body, "X-Auth-Token", token, "Content-Type", c.media), 400)
		runtime.ReadMemStats(&after)
		found, _ := a.data().(map[string]any)[""].(map[string]any)
		if found["maxSize"] == nil {
			t.Errorf("%s: %s", name, a.text)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 80<<20 { // it was 500 MB
			t.Errorf("%s: %d MB allocated for a body of %d", name, took>>20, len(body)>>20)
		}
	}
}

// TestLargeFailures: what is wrong with a request takes no more room than what is right (S1).
func TestLargeFailures(t *testing.T) {
	t.Parallel()
	st := routingTemplate.Open(t)
	sv := newService(t, st, loaded(t))
	deep := func(values int) string {
		return `{"x":` + strings.Repeat("[", 505) + strings.Repeat("1,", values) + "1" + strings.Repeat("]", 505) + `}`
	}
	pretty := []string{"X-Pretty-Print", "true"}
	for name, a := range map[string]answer{
		"no data":            sv.send("POST", ipsOfA, deep(16_000), pretty...),
		"no data, in query":  sv.send("POST", ipsOfA+"?pretty_print=true", deep(16_000)),
		"no data, good":      sv.as("A", "POST", ipsOfA, deep(16_000), pretty...),
		"wrong type":         sv.send("POST", ipsOfA, `{"data":"`+strings.Repeat("1", 60_000)+`"}`, pretty...),
		"not valid":          sv.as("M", "PUT", "/v2/ips", `{"data":{"ip":`+deep(8_000)+`,"zone":`+deep(8_000)+`}}`, pretty...),
		"login is not valid": sv.send("PUT", "/v2/user_auth", `{"data":{"credentials":`+deep(8_000)+`}}`, pretty...),
		"list":               sv.as("M", "PUT", "/v2/ips", `{"data":[`+deep(8_000)+`]}`, pretty...),
		"too long":           sv.as("M", "PUT", "/v2/ips", `{"data":{"notes":"`+strings.Repeat("1", 1<<20)+`"}}`),
		"login is too long":  sv.send("PUT", "/v2/user_auth", `{"data":{"account_name":"`+strings.Repeat("1", 60_000)+`"}}`),
	} {
		if sv.want(a, 400); len(a.text) > 4<<10 {
			t.Errorf("%s: a response of %d bytes", name, len(a.text))
		}
	}
	// An indented success is bounded, too.
	sv.want(sv.as("M", "PUT", "/v2/routing/customer_cluster",
		`{"data":{"owner":"o","name":"n","ips":{"inbound":{},"outbound":{}},"x":`+deep(3_000)+`}}`), 201)
	shown := sv.want(sv.as("M", "GET", "/v2/routing/customer_cluster", "", pretty...), 200)
	if len(shown.text) > 2<<20 || !strings.Contains(shown.text, strings.Repeat("[", 505)) {
		t.Errorf("%d bytes", len(shown.text))
	}
	small := sv.want(sv.as("A", "GET", ipsOfA+"/1.2.3.4", "", pretty...), 404)
	if !strings.Contains(small.text, "\n  \"data\": {\n    \"cause\": \"1.2.3.4\"") {
		t.Errorf("not indented: %s", small.text)
	}
}

// TestLongNames: a long name around many values is not repeated for each of them.
func TestLongNames(t *testing.T) {
	t.Parallel()
	st := routingTemplate.Open(t)
	sv := newService(t, st, loaded(t))
	body := `{"data":{"owner":"o","name":"n","ips":{"outbound":{},"inbound":{"` + strings.Repeat("z", 1<<20) + `":[` +
		strings.TrimSuffix(strings.Repeat(`"x",`, 15_000), ",") + `]}}}}`
	a := sv.want(sv.as("M", "PUT", "/v2/routing/customer_cluster", body), 400)
	if len(a.text) > 8<<10 {
		t.Errorf("%d bytes", len(a.text))
	}
}

// TestLargeBodies: bodies that are held at the same time have a bound in bytes, and half of it is one account's.
func TestLargeBodies(t *testing.T) {
	sv := kazoo(t)
	token, other := sv.token("A"), sv.token("B")
	const size = 8_000_000
	body := `{"data":{"ui_metadata":"` + strings.Repeat("1", size-30) + `"}}   `
	var conns []net.Conn
	var sending sync.WaitGroup
	sent := []byte(body[:size-1]) // all but the last byte
	for range 40 {
		conn := sv.begin(head(ipsOfA, size, "X-Auth-Token", token))
		sending.Go(func() { _, _ = conn.Write(sent) })
		conns = append(conns, conn)
	}
	refused := make(chan int, len(conns))
	for _, conn := range conns {
		go func() {
			if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
				refused <- resp.StatusCode
			} else {
				refused <- 0
			}
		}()
	}
	for range 39 { // an account may send one of 8 MB at a time
		// 400 is of the one whose last byte has not come when all others were refused, on a busy machine.
		if status := <-refused; status != 503 && status != 400 && status != 0 {
			t.Errorf("status %d", status)
		}
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > 150<<20 {
		t.Errorf("%d MB on the heap", m.HeapAlloc>>20)
	}
	sv.want(sv.as("A", "GET", ipsOfA, ""), 200)
	sv.want(sv.as("A", "POST", ipsOfA, `{"data":{}}`), 200)
	sv.want(sv.send("POST", "/v2/accounts/"+accountB+"/ips", body, "X-Auth-Token", other), 200)
	for _, conn := range conns {
		_ = conn.Close()
	}
	sending.Wait()
	testutil.Eventually(t, "all to be given back", func() bool {
		return sv.send("POST", ipsOfA, body, "X-Auth-Token", token).status == 200
	})
}

// TestPatience: a client that stops sending is given up after ten seconds, and one that goes on is not.
func TestPatience(t *testing.T) {
	t.Parallel()
	inBubble(t, func(*testing.T, *store.Store) {}, func(t *testing.T, p *pipes, token string) {
		for _, c := range []struct {
			name  string
			piece int           // bytes
			pause time.Duration // after each piece
			want  int
			took  time.Duration
		}{
			{"stopped", 1, time.Minute, 400, 10 * time.Second},
			{"a byte each second", 1, time.Second, 400, 10 * time.Second},
			{"20 KiB each 9 seconds", 20 << 10, 9 * time.Second, 200, 45 * time.Second},
		} {
			conn, began := p.dial(), time.Now()
			body := `{"data":{"ui_metadata":"` + strings.Repeat("1", 100<<10-28) + `"}}`
			var sending sync.WaitGroup
			sending.Go(func() {
				_, _ = io.WriteString(conn, head(ipsOfA, len(body), "X-Auth-Token", token))
				for rest := body; rest != ""; time.Sleep(c.pause) {
					piece := rest[:min(len(rest), c.piece)]
					if _, err := io.WriteString(conn, piece); err != nil {
						return
					}
					rest = rest[len(piece):]
				}
			})
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if took := time.Since(began); resp.StatusCode != c.want || took > c.took || took < c.took-10*time.Second {
				t.Errorf("%s: %d after %s", c.name, resp.StatusCode, took)
			}
			_ = conn.Close()
			sending.Wait()
		}
	})
}
