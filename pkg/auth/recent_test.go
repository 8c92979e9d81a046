package auth_test

import (
	"crypto"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"junctor/pkg/auth"
	"junctor/pkg/doccache"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
)

func caching(s auth.Store, staleness time.Duration) *auth.Authenticator {
	documents := doccache.New(s, doccache.Options{Staleness: staleness})
	return auth.NewAuthenticator(s, auth.Options{Now: at(now), Documents: documents})
}

// TestWarm: credentials that were verified before cost no read of the store, with restrictions or without.
func TestWarm(t *testing.T) {
	t.Parallel()
	s := openExample(t)
	c := observe(s)
	a := caching(c, time.Hour)
	wanted := auth.Access{Path: []string{"ips"}, Verb: "GET"}
	ask := func(credentials auth.Credentials) {
		t.Helper()
		i, err := a.Authenticate(t.Context(), credentials)
		if err == nil {
			err = a.CheckRestrictions(t.Context(), i, wanted)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	token := auth.Credentials{Kind: auth.XAuthToken, Token: tokenOf(t, customerA, userOfA, secretOfUserA, nil)}
	for _, credentials := range []auth.Credentials{token, basic(customerA + ":a261f6b14d8343e140df3237c9158687")} {
		ask(credentials)
		before := c.reads.Load()
		for range 100 {
			ask(credentials)
		}
		if reads := c.reads.Load() - before; reads != 0 {
			t.Errorf("%d reads", reads)
		}
	}
	token.Account = customerB
	if _, err := a.Authenticate(t.Context(), token); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("with X-Auth-Account-ID of another account: %v", err)
	}
	token.Account = ""
	// the same text in another place of the request is verified again
	token.Kind = auth.Bearer
	if _, err := a.Authenticate(t.Context(), token); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("as Bearer: %v", err)
	}
}

// TestExpiryIsNotCached: the clock is read for every request, for the end of a token and of a trial.
func TestExpiryIsNotCached(t *testing.T) {
	t.Parallel()
	s := openExample(t)
	update(t, s, database(t, master), master, document.Document{
		"pvt_trial_expires": document.Number(kazoo.Gregorian(now) + 60)})
	for kind, token := range map[fault.Kind]string{
		fault.TokenRejected: tokenOf(t, customerA, userOfA, secretOfUserA, map[string]any{"exp": now.Unix() + 60}),
		fault.Invalid:       exampleToken(t),
	} {
		clock := now
		a := auth.NewAuthenticator(s, auth.Options{
			Now: func() time.Time { return clock }, Documents: doccache.New(s, doccache.Options{Staleness: time.Hour})})
		for _, c := range []struct {
			after int
			good  bool
		}{{0, true}, {59, true}, {60, false}, {61, false}, {0, true}} {
			clock = now.Add(time.Duration(c.after) * time.Second)
			_, err := authenticate(t, a, token)
			if c.good != (err == nil) || err != nil && !fault.Is(err, kind) {
				t.Errorf("after %d s: %v", c.after, err)
			}
		}
	}
}

// TestValidTokensAreNotRefusedFromMemory: a write of another process that makes a token valid counts at once.
func TestValidTokensAreNotRefusedFromMemory(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change
		token string // valid after the change only
	}{
		"another key": {change{"system_auth", kid, attachment(otherKey(t))},
			sign(t, foreignKey(), crypto.SHA256, header, encodeJSON(t, goodClaims()))},
		"another password": {change{master, userOfMaster, fields{"pvt_signature_secret": "new"}},
			tokenOf(t, master, userOfMaster, "new", nil)},
		"another server secret": {
			change{"system_config", "auth", fields{"default": map[string]any{"secret_for_user_signature": "new"}}},
			tokenOf(t, master, userOfMaster, "", map[string]any{
				"identity_sig": identitySig(userOfMaster, secretOfUserOfMaster, "new")})},
		"a new user": {change{master, userOfA, fields{"pvt_type": "user", "pvt_signature_secret": "new"}},
			tokenOf(t, master, userOfA, "new", nil)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openExample(t)
			a := caching(s, time.Hour)
			if _, err := authenticate(t, a, exampleToken(t)); err != nil {
				t.Fatal(err)
			}
			c.make(t, s)
			if _, err := authenticate(t, a, c.token); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestBadTokensDoNotHammerTheStore: each document is read before its time at most once a second.
func TestBadTokensDoNotHammerTheStore(t *testing.T) {
	t.Parallel()
	c := observe(openExample(t))
	a := caching(c, time.Hour)
	if _, err := authenticate(t, a, exampleToken(t)); err != nil {
		t.Fatal(err)
	}
	c.reads.Store(0)
	unknown := strings.Replace(header, kid, strings.Repeat("0", 32), 1)
	checkRefused(t, a, sign(t, foreignKey(), crypto.SHA256, unknown, encodeJSON(t, goodClaims())), fault.Unauthenticated)
	if reads := c.reads.Swap(0); reads != 1 {
		t.Errorf("a token of an unknown key made %d reads", reads) // fault S12
	}
	began := time.Now()
	const attempts = 100
	for range attempts / 2 {
		checkRefused(t, a, sign(t, foreignKey(), crypto.SHA256, header, encodeJSON(t, goodClaims())), fault.Unauthenticated)
		checkRefused(t, a, tokenOf(t, master, userOfMaster, "x", nil), fault.Unauthenticated)
	}
	documents := int64(3) // key, user, server secret
	limit := documents * (2 + int64(time.Since(began)/time.Second))
	if reads := c.reads.Load(); reads == 0 || reads > limit {
		t.Errorf("%d bad tokens made %d reads, want at most %d", attempts, reads, limit)
	}
}

// TestFailuresOfTheStoreAreNotCached: an unreachable store is read again.
func TestFailuresOfTheStoreAreNotCached(t *testing.T) {
	t.Parallel()
	f := observe(openExample(t))
	f.left.Store(0)
	a := caching(f, time.Hour)
	if _, err := authenticate(t, a, exampleToken(t)); !fault.Is(err, fault.DatastoreUnreachable) {
		t.Errorf("down: %v", err)
	}
	f.left.Store(1000)
	if _, err := authenticate(t, a, exampleToken(t)); err != nil {
		t.Errorf("up again: %v", err)
	}
	f.left.Store(0)
	if _, err := authenticate(t, a, exampleToken(t)); err != nil {
		t.Errorf("cached: %v", err)
	}
}

// TestOutageOfTheStore: a client that has just been here is served for half of the staleness at least (R4).
func TestOutageOfTheStore(t *testing.T) {
	t.Parallel()
	const staleness = 5 * time.Second
	for used, credentials := range map[time.Duration]auth.Credentials{
		time.Second:      xAuth(exampleToken(t)),
		4 * time.Second:  xAuth(exampleToken(t)),
		14 * time.Second: basic(customerA + ":" + hashOfA),
		11 * time.Second: xAuth(exampleToken(t)),
	} {
		synctest.Test(t, func(t *testing.T) {
			f := observe(openExample(t))
			documents := doccache.New(f, doccache.Options{Staleness: staleness})
			defer documents.Close()
			a := auth.NewAuthenticator(f, auth.Options{Now: at(now), Documents: documents})
			served := func() bool {
				_, err := a.Authenticate(t.Context(), credentials)
				if err != nil && !fault.Is(err, fault.DatastoreUnreachable) {
					t.Fatal(err)
				}
				return err == nil
			}
			for began := time.Now(); time.Since(began) < used; time.Sleep(100 * time.Millisecond) {
				if !served() {
					t.Fatalf("refused after %v", time.Since(began))
				}
			}
			f.left.Store(0)
			began := time.Now()
			for served() {
				time.Sleep(100 * time.Millisecond)
			}
			if lasted := time.Since(began); lasted < staleness/2 || lasted > staleness {
				t.Errorf("used for %v, served for %v", used, lasted)
			}
		})
	}
}
