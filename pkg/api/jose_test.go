package api_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/fault"
)

// kid is the signing key in kazoo-db.
const kid = "1c0ce8e3c58cd36e721a98fd5a355592"

// forger knows everything about tokens, and how to sign them, with whatever key it has.
type forger struct {
	claims  string // of a good token
	cluster *rsa.PrivateKey
	own     *rsa.PrivateKey
	lure    string // an address that nobody should ask
}

func newForger(t *testing.T, sv *service, lure string) *forger {
	t.Helper()
	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(sv.token("M"), ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	file, err := sv.store.Attachment(t.Context(), "system_auth", kid, "private_key.pem")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(file)
	cluster, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	own, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return &forger{claims: string(claims), cluster: cluster, own: own, lure: lure}
}

func unsigned(header, claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode([]byte(claims))
}

func rs256(key *rsa.PrivateKey, header, claims string) string {
	text := unsigned(header, claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func hs256(key []byte, header, claims string) string {
	text := unsigned(header, claims)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// header returns a header; members are JSON.
func header(alg, kid string, members ...string) string {
	return `{"alg":"` + alg + `","typ":"JWT","kid":` + kid + strings.Join(append([]string{""}, members...), ",") + `}`
}

const goodKid = `"` + kid + `"`

// forgeries returns tokens that are not good, by what is wrong with them.
func (f *forger) forgeries() map[string]string {
	all := map[string]string{}
	f.algorithms(all)
	f.keys(all)
	f.spellings(all)
	return all
}

func (f *forger) algorithms(all map[string]string) {
	good := strings.Split(rs256(f.cluster, header("RS256", goodKid), f.claims), ".")[2]
	for _, none := range []string{"none", "None", "NONE", "", "RS1", "rs256"} {
		all["alg "+none] = unsigned(header(none, goodKid), f.claims) + "."
		all["alg "+none+" with a signature"] = unsigned(header(none, goodKid), f.claims) + "." + good
	}
	pkcs1 := x509.MarshalPKCS1PublicKey(&f.cluster.PublicKey)
	pkix, err := x509.MarshalPKIXPublicKey(&f.cluster.PublicKey)
	if err != nil {
		panic(err)
	}
	for name, secret := range map[string][]byte{
		"PKCS #1":     pkcs1,
		"PKIX":        pkix,
		"PKCS #1 PEM": pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: pkcs1}),
		"PKIX PEM":    pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix}),
		"nothing":     {},
	} {
		all["HS256 by "+name] = hs256(secret, header("HS256", goodKid), f.claims)
		all["HS256 called RS256 by "+name] = hs256(secret, header("RS256", goodKid), f.claims)
	}
	all["ES256"] = unsigned(header("ES256", goodKid), f.claims) + "." + strings.Repeat("A", 86)
}

func (f *forger) keys(all map[string]string) {
	encode := base64.RawURLEncoding.EncodeToString
	jwk := `{"kty":"RSA","alg":"RS256","kid":"k","n":"` + encode(f.own.N.Bytes()) + `","e":"` +
		encode(big.NewInt(int64(f.own.E)).Bytes()) + `"}`
	for name, member := range map[string]string{
		"jwk": `"jwk":` + jwk,
		"jku": `"jku":"` + f.lure + `/jwks.json"`,
		"x5u": `"x5u":"` + f.lure + `/cert.pem"`,
		"x5c": `"x5c":["` + base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(&f.own.PublicKey)) + `"]`,
	} {
		for _, kid := range []string{goodKid, `"k"`, `"` + f.lure + `"`, `"ffffffffffffffffffffffffffffffff"`} {
			all[name+" and kid "+kid] = rs256(f.own, header("RS256", kid, member), f.claims)
		}
	}
	for _, kid := range []string{
		`""`, `null`, `7`, `["` + kid + `"]`, `"../system_config/auth"`, `"_design/auth"`, `"_all_docs"`,
		`"` + kid + `/private_key.pem"`, `"` + kid + `/../` + kid + `"`, `"` + kid + `?rev=1-0"`, `"/dev/null"`,
		`"` + strings.ToUpper(kid) + `"`, `"` + kid + `\u0000"`, `"%2e%2e%2fsystem_config%2fauth"`,
	} {
		all["kid "+kid] = rs256(f.cluster, header("RS256", kid), f.claims)
	}
	for _, issuer := range []string{f.lure, "accounts.google.com", "Kazoo", ""} {
		claims := strings.Replace(f.claims, `"iss":"kazoo"`, `"iss":"`+issuer+`"`, 1)
		all["iss "+issuer] = rs256(f.cluster, header("RS256", goodKid), claims)
	}
}

func (f *forger) spellings(all map[string]string) {
	sign := func(header, claims string) string { return rs256(f.cluster, header, claims) }
	good := sign(header("RS256", goodKid), f.claims)
	parts := strings.Split(good, ".")
	inner := strings.TrimSuffix(f.claims, "}")
	all["a claim twice"] = sign(header("RS256", goodKid), inner+`,"account_id":"`+accountA+`"}`)
	all["the same claim twice"] = sign(header("RS256", goodKid), inner+`,"iss":"kazoo"}`)
	all["two algorithms"] = sign(header("RS256", goodKid, `"alg":"none"`), f.claims)
	all["two kids"] = sign(header("RS256", goodKid, `"kid":"x"`), f.claims)
	all["crit"] = sign(header("RS256", goodKid, `"crit":["b64"]`, `"b64":false`), f.claims)
	all["claims are a list"] = sign(header("RS256", goodKid), "["+f.claims+"]")
	all["claims are deep"] = sign(header("RS256", goodKid), strings.Repeat("[", 5000))
	all["header is deep"] = sign(strings.Repeat(`{"a":`, 2000), f.claims)
	all["padding"] = parts[0] + "." + parts[1] + "==." + parts[2] + "=="
	all["a bit to spare"] = good[:len(good)-1] + "B"
	all["a space inside"] = parts[0] + ". " + parts[1] + "." + parts[2]
	all["two parts"] = parts[0] + "." + parts[1]
	all["no signature"] = parts[0] + "." + parts[1] + "."
	all["four parts"] = good + "." + parts[2]
	all["encrypted"] = good + ".AAAA.AAAA"
	all["dots"] = "......"
	all["huge"] = good + strings.Repeat("A", 40<<10)
	all["huge claims"] = sign(header("RS256", goodKid), inner+`,"x":"`+strings.Repeat("x", 30<<10)+`"}`)
}

// TestForgedTokens: none is good for anything, none takes the server down, and none makes it ask anybody.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	lure, asked := lure(t)
	f := newForger(t, sv, lure)
	genuine := rs256(f.cluster, header("RS256", goodKid), f.claims)
	sv.want(sv.send("GET", "/v2/ips", "", "X-Auth-Token", genuine), 200)
	for what, token := range f.forgeries() {
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
	_, err := sv.store.Get(t.Context(), "system_auth", strings.Repeat("f", 32))
	if !fault.Is(err, fault.BadIdentifier) {
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
