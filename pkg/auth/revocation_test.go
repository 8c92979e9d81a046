package auth_test

import (
	"context"
	"testing"
	"time"

	"junctor/pkg/auth"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/fresh"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
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

// TestRevocationElsewhereFollowed: it is as soon where nothing is read any more as long as nobody writes.
func TestRevocationElsewhereFollowed(t *testing.T) {
	t.Parallel()
	dsn := storetest.FreshCouch(t)
	there := openAt(t, dsn, "testdata/example.json")
	here := &counting{Store: storetest.Open(t, dsn)}
	documents := fresh.New(here, fresh.Options{Staleness: time.Second})
	follow(t, documents, here)
	a := auth.NewAuthenticator(here, auth.Options{Now: at(now), Documents: documents})
	settle(t, a, here)
	update(t, there, database(t, master), userOfMaster, document.Document{"pvt_signature_secret": "new"})
	checkEnds(t, a, time.Now())
	update(t, there, database(t, master), userOfMaster, document.Document{"pvt_signature_secret": secretOfUserOfMaster})
	settle(t, a, here)
	update(t, there, "system_auth", kid, attachment(t, otherKey(t)))
	checkEnds(t, a, time.Now())
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

// settle uses the example's token until that has cost no reading for longer than a reading stands by itself.
func settle(t *testing.T, a *auth.Authenticator, c *counting) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for quiet := time.Now(); time.Since(quiet) < 1500*time.Millisecond; time.Sleep(time.Millisecond) {
		if _, err := authenticate(t, a, exampleToken(t)); err != nil {
			t.Fatal(err)
		}
		if c.reads.Swap(0) > 0 {
			quiet = time.Now()
		}
		if time.Now().After(deadline) {
			t.Fatal("documents are read again and again")
		}
	}
}

// follow has feeds followed until the test ends.
func follow(t *testing.T, d *fresh.Documents, feeds fresh.Feeds) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.Follow(ctx, feeds)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}
