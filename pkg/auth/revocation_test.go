package auth_test

import (
	"testing"
	"time"

	"junctor/pkg/auth"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// TestRevocationElsewhere measures how long a token outlives what is written by another process.
func TestRevocationElsewhere(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*testing.T, *store.Store){
		"password changed": func(t *testing.T, s *store.Store) {
			update(t, s, database(t, master), userOfMaster, document.Document{"pvt_signature_secret": "new"})
		},
		"user deleted": func(t *testing.T, s *store.Store) {
			update(t, s, database(t, master), userOfMaster, document.Document{"pvt_deleted": true})
		},
		"key changed": func(t *testing.T, s *store.Store) { update(t, s, "system_auth", kid, attachment(t, otherKey(t))) },
		"account deleted": func(t *testing.T, s *store.Store) {
			update(t, s, database(t, master), master, document.Document{"pvt_deleted": true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openExample(t)
			a := remembering(s, time.Second)
			if _, err := authenticate(t, a, exampleToken(t)); err != nil {
				t.Fatal(err)
			}
			change(t, s)
			checkEnds(t, a, time.Now())
		})
	}
}

// checkEnds wants the example's token to be no good within a second of a change.
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
