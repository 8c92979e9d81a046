package auth_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"

	"junctor/pkg/fault"
)

// TestTampering changes each character of a good token in turn.
func TestTampering(t *testing.T) {
	t.Parallel()
	a, token := strict(openExample(t)), exampleToken(t)
	for i := range token {
		spoilt := []byte(token)
		switch spoilt[i] {
		case 'A':
			spoilt[i] = 'B' // also the lowest bit, of which the last character has some to spare
		default:
			spoilt[i] = 'A'
		}
		checkRefused(t, a, string(spoilt), fault.Unauthenticated)
	}
	last := strings.IndexByte(alphabet, token[len(token)-1])
	for spare := range 16 { // the last character of 256 bytes carries 2 bits
		if other := last&^15 | spare; other != last {
			checkRefused(t, a, token[:len(token)-1]+alphabet[other:other+1], fault.Unauthenticated)
		}
	}
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// TestClaims signs claims with the cluster's own key: they are still only good if all of them hold.
func TestClaims(t *testing.T) {
	t.Parallel()
	a, key := strict(openExample(t)), exampleKey(t)
	for _, c := range []struct {
		claim string
		value any // nil takes the claim out
		want  fault.Kind
	}{
		{"iss", nil, fault.Unauthenticated},
		{"iss", "https://accounts.example.com", fault.Unauthenticated},
		{"iss", "Kazoo", fault.Unauthenticated},
		{"iss", []string{"kazoo"}, fault.Unauthenticated},
		{"account_id", nil, fault.Unauthenticated},
		{"account_id", "", fault.Unauthenticated},
		{"account_id", customerA, fault.Unauthenticated},
		{"account_id", strings.Repeat("f", 32), fault.Unauthenticated},
		{"account_id", "../../../../../../system_config/", fault.Unauthenticated},
		{"account_id", []string{master}, fault.Unauthenticated},
		{"owner_id", nil, fault.Unauthenticated},
		{"owner_id", "", fault.Unauthenticated},
		{"owner_id", userOfA, fault.Unauthenticated},
		{"owner_id", master, fault.Unauthenticated},
		{"owner_id", "_design/users", fault.Unauthenticated},
		{"owner_id", 7, fault.Unauthenticated},
		{"device_id", userOfA, fault.Unauthenticated},
		{"device_id", "", fault.Unauthenticated},
		{"identity_sig", nil, fault.Unauthenticated},
		{"identity_sig", "", fault.Unauthenticated},
		{"identity_sig", true, fault.Unauthenticated},
		{"identity_sig", "rj2aISbllULIh6F4T_5U1OnmKNrjWZspeOzJNT57j2p", fault.Unauthenticated},
		{"identity_sig", "_xkHHnIEkiZBib-EslpdERKsFkrt7BZBz7JHPuNtYps", fault.Unauthenticated},
		{"exp", now.Unix(), fault.TokenRejected},
		{"exp", 0, fault.TokenRejected},
		{"exp", -1, fault.TokenRejected},
		{"exp", "4102444800", fault.Unauthenticated},
		{"exp", 4102444800.5, fault.Unauthenticated},
		{"exp", 1e30, fault.Unauthenticated},
		{"exp", true, fault.Unauthenticated},
		{"method", 7, fault.Unauthenticated},
	} {
		claims := goodClaims()
		if claims[c.claim] = c.value; c.value == nil {
			delete(claims, c.claim)
		}
		t.Run(fmt.Sprintf("%s %v", c.claim, c.value), func(t *testing.T) {
			checkRefused(t, a, sign(t, key, crypto.SHA256, header, encodeJSON(t, claims)), c.want)
		})
	}
}

// TestVariants are tokens that Kazoo takes, and so do we.
func TestVariants(t *testing.T) {
	t.Parallel()
	a, key := strict(openExample(t)), exampleKey(t)
	claims := encodeJSON(t, goodClaims())
	forever := goodClaims()
	delete(forever, "exp")
	null := goodClaims()
	null["exp"] = nil
	extra := goodClaims()
	extra["nbf"], extra["aud"], extra["scope"] = 4102444800, "else", []string{"a"}
	extra["method"] = "other" // a name that restrictions go by
	for name, token := range map[string]string{
		"RS384":             sign(t, key, crypto.SHA384, strings.Replace(header, "256", "384", 1), claims),
		"RS512":             sign(t, key, crypto.SHA512, strings.Replace(header, "256", "512", 1), claims),
		"no typ":            sign(t, key, crypto.SHA256, `{"alg":"RS256","kid":"`+kid+`"}`, claims),
		"another typ":       sign(t, key, crypto.SHA256, `{"alg":"RS256","typ":"at+jwt","kid":"`+kid+`"}`, claims),
		"spaces":            sign(t, key, crypto.SHA256, " "+header+"\n", claims+" "),
		"for ever":          sign(t, key, crypto.SHA256, header, encodeJSON(t, forever)),
		"exp null":          sign(t, key, crypto.SHA256, header, encodeJSON(t, null)),
		"claims beside":     sign(t, key, crypto.SHA256, header, encodeJSON(t, extra)),
		"a key of its own":  sign(t, key, crypto.SHA256, `{"jwk":{"kty":"oct"},"jku":"http://x/",`+header[1:], claims),
		"signed by openssl": exampleToken(t),
	} {
		if identity, err := authenticate(t, a, token); err != nil || identity.OwnerID != userOfMaster {
			t.Errorf("%s: %+v, %v", name, identity, err)
		}
	}
}

// foreignKey is an attacker's. It is made once: that takes long.
var foreignKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// publicForms returns the cluster's public key in the forms in which an attacker may hold it.
func publicForms(t *testing.T, key *rsa.PublicKey) map[string][]byte {
	t.Helper()
	pkix, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := x509.MarshalPKCS1PublicKey(key)
	return map[string][]byte{
		"PKIX": pkix, "PKCS1": pkcs1,
		"PKIX PEM":  pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix}),
		"PKCS1 PEM": pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: pkcs1}),
		"nothing":   nil,
	}
}

func TestAlgorithmConfusion(t *testing.T) {
	t.Parallel()
	a, key := strict(openExample(t)), exampleKey(t)
	claims := encodeJSON(t, goodClaims())
	for name, public := range publicForms(t, &key.PublicKey) {
		text := encode(strings.Replace(header, "RS256", "HS256", 1)) + "." + encode(claims)
		mac := hmac.New(sha256.New, public)
		mac.Write([]byte(text))
		t.Run(name, func(t *testing.T) {
			checkRefused(t, a, text+"."+base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), fault.Unauthenticated)
		})
	}
	signature := exampleToken(t)[strings.LastIndexByte(exampleToken(t), '.'):]
	for _, alg := range []string{
		`"none"`, `"None"`, `"NONE"`, `"nOnE"`, `""`, `null`, `["RS256"]`, `256`, `"rs256"`, `"PS256"`, `"ES256"`,
		`"EdDSA"`, `"HS512"`, `"RS1"`, `"RS256 "`, `"RS256\u0000"`, `"dir"`,
	} {
		text := encode(strings.Replace(header, `"RS256"`, alg, 1)) + "." + encode(claims)
		t.Run(alg, func(t *testing.T) {
			checkRefused(t, a, text+".", fault.Unauthenticated)
			checkRefused(t, a, text+signature, fault.Unauthenticated)
			checkRefused(t, a, signEncoded(t, key, crypto.SHA256, text), fault.Unauthenticated)
		})
	}
	wrongHash := sign(t, key, crypto.SHA512, header, claims)
	checkRefused(t, a, wrongHash, fault.Unauthenticated)
	checkRefused(t, a, signPSS(t, key, strings.Replace(header, "RS256", "PS256", 1), claims), fault.Unauthenticated)
}

// signPSS makes a token of the cluster's own key, in a way that Kazoo knows nothing of.
func signPSS(t *testing.T, key *rsa.PrivateKey, header, claims string) string {
	t.Helper()
	text := encode(header) + "." + encode(claims)
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func TestForeignKeys(t *testing.T) {
	t.Parallel()
	s := openExample(t)
	a, key := strict(s), foreignKey()
	n := base64.RawURLEncoding.EncodeToString(key.N.Bytes())
	e := base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes())
	jwk := fmt.Sprintf(`{"kty":"RSA","n":"%s","e":"%s","kid":"%s"}`, n, e, kid)
	for name, header := range map[string]string{
		"plain":                 header,
		"jwk":                   `{"jwk":` + jwk + `,` + header[1:],
		"jku":                   `{"jku":"http://127.0.0.1:1/keys",` + header[1:],
		"x5u":                   `{"x5u":"http://127.0.0.1:1/cert",` + header[1:],
		"x5c":                   `{"x5c":["AAAA"],` + header[1:],
		"no kid":                `{"alg":"RS256","typ":"JWT"}`,
		"kid twice":             `{"kid":"00000000000000000000000000000000",` + header[1:],
		"kid null":              `{"alg":"RS256","kid":null}`,
		"kid number":            `{"alg":"RS256","kid":5}`,
		"kid list":              `{"alg":"RS256","kid":["` + kid + `"]}`,
		"kid unknown":           `{"alg":"RS256","kid":"00000000000000000000000000000000"}`,
		"kid upper case":        `{"alg":"RS256","kid":"` + strings.ToUpper(kid) + `"}`,
		"kid of a design":       `{"alg":"RS256","kid":"_design/auth"}`,
		"kid of a local":        `{"alg":"RS256","kid":"_local/5a1c0de5a1c0de5a1c0de5a1c"}`,
		"kid traversing":        `{"alg":"RS256","kid":"../system_config/auth"}`,
		"kid traversing, 32":    `{"alg":"RS256","kid":"../accounts/11111111111111111111"}`,
		"kid with a line break": `{"alg":"RS256","kid":"` + kid + `\n"}`,
		"kid with a query":      `{"alg":"RS256","kid":"` + kid + `?rev=1-x"}`,
	} {
		t.Run(name, func(t *testing.T) {
			checkRefused(t, a, sign(t, key, crypto.SHA256, header, encodeJSON(t, goodClaims())), fault.Unauthenticated)
		})
	}
	if _, err := s.Get(t.Context(), "system_auth", strings.Repeat("0", 32)); !fault.Is(err, fault.BadIdentifier) {
		t.Errorf("a key was made for an unknown kid: %v", err)
	}
}

// TestAmbiguity are tokens that the cluster's key did sign, but that two readers could read in two ways.
func TestAmbiguity(t *testing.T) {
	t.Parallel()
	a, key := strict(openExample(t)), exampleKey(t)
	claims := encodeJSON(t, goodClaims())
	for name, token := range map[string]string{
		"claim twice":         sign(t, key, crypto.SHA256, header, `{"account_id":"`+customerA+`",`+claims[1:]),
		"claim twice, escape": sign(t, key, crypto.SHA256, header, `{"acc\u006funt_id":"`+customerA+`",`+claims[1:]),
		"exp twice":           sign(t, key, crypto.SHA256, header, `{"exp":1,`+claims[1:]),
		"kid twice":           sign(t, key, crypto.SHA256, `{"kid":"`+kid+`",`+header[1:], claims),
		"alg twice":           sign(t, key, crypto.SHA256, `{"alg":"none",`+header[1:], claims),
		"crit":                sign(t, key, crypto.SHA256, `{"crit":["exp"],`+header[1:], claims),
		"crit empty":          sign(t, key, crypto.SHA256, `{"crit":[],`+header[1:], claims),
		"crit b64":            sign(t, key, crypto.SHA256, `{"crit":["b64"],"b64":false,`+header[1:], claims),
		"upper case claims":   sign(t, key, crypto.SHA256, header, strings.ToUpper(claims)),
		"claims null":         sign(t, key, crypto.SHA256, header, "null"),
		"claims list":         sign(t, key, crypto.SHA256, header, "["+claims+"]"),
		"claims text":         sign(t, key, crypto.SHA256, header, `"`+customerA+`"`),
		"claims empty":        sign(t, key, crypto.SHA256, header, ""),
		"claims and more":     sign(t, key, crypto.SHA256, header, claims+claims),
		"header null":         sign(t, key, crypto.SHA256, "null", claims),
		"header and more":     sign(t, key, crypto.SHA256, header+"{}", claims),
		"header list":         sign(t, key, crypto.SHA256, "["+header+"]", claims),
		"not UTF-8":           sign(t, key, crypto.SHA256, header, `{"x":"`+"\xff"+`",`+claims[1:]),
		"deep": sign(t, key, crypto.SHA256, header,
			`{"x":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+`,`+claims[1:]),
		"huge": sign(t, key, crypto.SHA256, header, `{"x":"`+strings.Repeat("x", 16<<10)+`",`+claims[1:]),
	} {
		t.Run(name, func(t *testing.T) { checkRefused(t, a, token, fault.Unauthenticated) })
	}
}

// TestSpelling are spellings of a good token that some decoders take.
func TestSpelling(t *testing.T) {
	t.Parallel()
	a, key, token := strict(openExample(t)), exampleKey(t), exampleToken(t)
	parts := strings.Split(token, ".")
	standard := strings.NewReplacer("-", "+", "_", "/")
	claims := encodeJSON(t, goodClaims()) + strings.Repeat(" ", 5-len(encodeJSON(t, goodClaims()))%3)
	padded := base64.URLEncoding.EncodeToString([]byte(claims))
	for name, spelt := range map[string]string{
		"padding at the end":    token + "==",
		"padding signed":        signEncoded(t, key, crypto.SHA256, encode(header)+"."+padded),
		"standard base64":       parts[0] + "." + parts[1] + "." + standard.Replace(parts[2]),
		"line break in the end": token + "\n",
		"line break inside":     token[:len(token)-8] + "\r\n" + token[len(token)-8:],
		"space before":          " " + token,
		"quotes":                `"` + token + `"`,
		"Bearer":                "Bearer " + token,
		"a zero byte":           token + "\x00",
		"four parts":            token + "." + parts[2],
		"two parts":             parts[0] + "." + parts[1],
		"dot at the end":        token + ".",
		"no signature":          parts[0] + "." + parts[1] + ".",
		"no header":             "." + parts[1] + "." + parts[2],
		"dots":                  "..",
		"many dots":             strings.Repeat(".", 16<<10),
		"JSON serialization": `{"protected":"` + parts[0] + `","payload":"` + parts[1] +
			`","signature":"` + parts[2] + `"}`,
		"signature cut":          token[:len(token)-4],
		"signature longer":       token + "AAAA",
		"signature zeros before": parts[0] + "." + parts[1] + ".AAAA" + parts[2],
		"opaque":                 "0123456789abcdef0123456789abcdef",
		"garbage":                "garbage",
		"a megabyte":             strings.Repeat("A", 1<<20),
	} {
		t.Run(name, func(t *testing.T) { checkRefused(t, a, spelt, fault.Unauthenticated) })
	}
}

// TestIDsAreCheckedBeforeTheyAreAskedFor: a token of the cluster's own key whose ids lead to something else than a
// document is refused, and CouchDB, which has something there (GET /DB/_all_docs), is not asked: fault S17.
func TestIDsAreCheckedBeforeTheyAreAskedFor(t *testing.T) {
	t.Parallel()
	traced := observe(openExample(t))
	a := strict(traced)
	for _, id := range []string{"_all_docs", "_changes", "_security", "_design/users", "_design", "_local/x", ".", "..",
		"a/b", "../" + userOfMaster, "a?b", " ", strings.Repeat("a", 65), "\u00e4"} {
		for _, more := range []map[string]any{
			{"owner_id": id}, {"device_id": id}, {"original_account_id": id},
			{"original_account_id": customerA, "original_owner_id": id},
			{"as": map[string]any{"account_id": customerA, "owner_id": id}},
			{"as": map[string]any{"account_id": id, "owner_id": userOfA}},
		} {
			checkRefused(t, a, tokenOf(t, master, userOfMaster, secretOfUserOfMaster, more), fault.Unauthenticated)
		}
		if slices.Contains(traced.ids, id) {
			t.Errorf("asked for %q", id)
		}
	}
	if _, err := authenticate(t, a, exampleToken(t)); err != nil || !slices.Contains(traced.ids, userOfMaster) {
		t.Errorf("the token itself: %v", err)
	}
}
