package api_test

import (
	"encoding/base64"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/fault"
)

// TestForgedTokens: wherever it stands, no forged token is good for anything, none takes the server down, and none makes it
// ask anybody. Package auth tests what makes a token good, with many more of them.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	lure, asked := lure(t)
	const kid = "1c0ce8e3c58cd36e721a98fd5a355592" // of the signing key in kazoo-db
	good := sv.token("M")
	parts := strings.Split(good, ".")
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	// with returns the good token with more members in its header.
	with := func(members string) string {
		return encode(`{`+members+`,"alg":"RS256","typ":"JWT","kid":"`+kid+`"}`) + "." + parts[1] + "." + parts[2]
	}
	for what, token := range map[string]string{
		"no algorithm":         encode(`{"alg":"none","typ":"JWT","kid":"`+kid+`"}`) + "." + parts[1] + ".",
		"another algorithm":    with(`"alg":"HS256"`),
		"no signature":         parts[0] + "." + parts[1] + ".",
		"two parts":            parts[0] + "." + parts[1],
		"four parts":           good + "." + parts[2],
		"dots":                 "......",
		"padding":              parts[0] + "." + parts[1] + "==." + parts[2] + "==",
		"a bit to spare":       good[:len(good)-1] + "B",
		"keys elsewhere":       with(`"jku":"` + lure + `/jwks.json"`),
		"a certificate":        with(`"x5u":"` + lure + `/cert.pem"`),
		"kid is an address":    with(`"kid":"` + lure + `"`),
		"kid is unknown":       with(`"kid":"ffffffffffffffffffffffffffffffff"`),
		"kid is a path":        with(`"kid":"../system_config/auth"`),
		"kid is no text":       with(`"kid":7`),
		"issuer is an address": parts[0] + "." + encode(strings.Replace(string(claims), "kazoo", lure, 1)) + "." + parts[2],
		"another account":      parts[0] + "." + encode(strings.ReplaceAll(string(claims), accountM, accountA)) + "." + parts[2],
		"the header is deep":   encode(strings.Repeat(`{"a":`, 2000)) + "." + parts[1] + "." + parts[2],
		"the claims are deep":  parts[0] + "." + encode(strings.Repeat("[", 5000)) + "." + parts[2],
		"a critical extension": with(`"crit":["b64"],"b64":false`),
		"as long as it may be": good + strings.Repeat("A", 40<<10),
	} {
		sv.clock.set(sv.clock.now().Add(3 * time.Second)) // or it were a 429
		for where, a := range map[string]answer{
			"header":    sv.send("GET", "/v2/ips", "", "X-Auth-Token", token),
			"envelope":  sv.send("GET", "/v2/ips", `{"data":{},"auth_token":`+jsonText(token)+`}`),
			"tokeninfo": sv.send("POST", "/v2/auth/tokeninfo", `{"data":{"token":`+jsonText(token)+`}}`),
		} {
			if a.status != 401 || a.envelope["status"] != "error" {
				t.Errorf("%s in %s: %d %.200s", what, where, a.status, a.text)
			}
		}
	}
	sv.want(sv.send("GET", "/v2/ips", `{"data":{},"auth_token":"`+strings.Repeat("A", 60<<10)+`"}`), 401)
	if n := asked(); n != 0 {
		t.Errorf("%d connections to an address in a token", n)
	}
	if _, err := sv.store.Get(t.Context(), "system_auth", strings.Repeat("f", 32)); !fault.Is(err, fault.BadIdentifier) {
		t.Errorf("a token made a key: %v", err)
	}
	for _, event := range sv.log.lines(t) {
		if event["stack"] != nil {
			t.Errorf("panic: %s", jsonText(event))
		}
	}
}

// lure returns the address of somebody who counts who asks.
func lure(t *testing.T) (url string, asked func() int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var count atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			count.Add(1)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return "http://" + l.Addr().String(), count.Load
}
