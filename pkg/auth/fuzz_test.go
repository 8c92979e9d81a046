package auth_test

import (
	"crypto"
	"strings"
	"testing"

	"junctor/pkg/fault"
)

// FuzzAuthenticate: nothing that the cluster's key did not sign is a token, and nothing makes the parser panic.
func FuzzAuthenticate(f *testing.F) {
	good := exampleToken(f)
	parts := strings.Split(good, ".")
	for _, seed := range []string{
		good, "", "..", parts[0] + "..", parts[0] + "." + parts[1] + ".",
		encode(`{"alg":"none"}`) + "." + parts[1] + ".",
		encode(strings.Replace(header, "RS256", "HS256", 1)) + "." + parts[1] + "." + parts[2],
		encode(`{"crit":["exp"],`+header[1:]) + "." + parts[1] + "." + parts[2],
		parts[0] + "." + encode(`{"iss":"kazoo","account_id":"`+master+`"}`) + "." + parts[2],
		sign(f, foreignKey(), crypto.SHA256, header, encodeJSON(f, goodClaims())),
		good + "=", good + "\n", `{"payload":"` + parts[1] + `"}`,
	} {
		f.Add(seed)
	}
	s := openExample(f)
	a := strict(s)
	f.Fuzz(func(t *testing.T, token string) {
		identity, err := authenticate(t, a, token)
		if token == good {
			if err != nil {
				t.Errorf("the good token: %v", err)
			}
			return
		}
		if identity != nil || !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%q: %+v, %v", token, identity, err)
		}
	})
}
