package auth_test

import (
	"testing"
	"time"

	"junctor/pkg/auth"
	"junctor/pkg/fault"
)

// TestRevocationElsewhere measures how long a token outlives what is written by another process.
func TestRevocationElsewhere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]change{
		"password changed": {master, userOfMaster, fields{"pvt_signature_secret": "new"}},
		"user deleted":     {master, userOfMaster, fields{"pvt_deleted": true}},
		"key changed":      {"system_auth", kid, attachment(otherKey(t))},
		"account deleted":  {master, master, fields{"pvt_deleted": true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openExample(t)
			a := caching(s, time.Second)
			if _, err := authenticate(t, a, exampleToken(t)); err != nil {
				t.Fatal(err)
			}
			c.make(t, s)
			checkEnds(t, a, time.Now())
		})
	}
}

// checkEnds checks that the example's token is refused within a second of a change.
func checkEnds(t *testing.T, a *auth.Authenticator, changed time.Time) {
	t.Helper()
	for range time.Tick(time.Millisecond) {
		asked := time.Now()
		_, err := authenticate(t, a, exampleToken(t))
		if fault.Is(err, fault.Unauthenticated) {
			return
		}
		if err != nil || asked.Sub(changed) > time.Second {
			t.Fatalf("%v after the change: %v", asked.Sub(changed), err)
		}
	}
}
