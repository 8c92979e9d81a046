package auth_test

import (
	"context"
	"crypto"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/auth"
	"junctor/pkg/doccache"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

// counting is a store that counts what is read of it.
type counting struct {
	*store.Store
	reads atomic.Int64
}

func (c *counting) Get(ctx context.Context, db, id string) (document.Document, error) {
	c.reads.Add(1)
	return c.Store.Get(ctx, db, id)
}

func (c *counting) Attachment(ctx context.Context, db, id, name string) ([]byte, error) {
	c.reads.Add(1)
	return c.Store.Attachment(ctx, db, id, name)
}

func remembering(s auth.Store, staleness time.Duration) *auth.Authenticator {
	documents := doccache.New(s, doccache.Options{Staleness: staleness})
	return auth.NewAuthenticator(s, auth.Options{Now: at(now), Documents: documents})
}

// TestWarm: whoever has been here before costs no read of the store, with restrictions or without.
func TestWarm(t *testing.T) {
	t.Parallel()
	s := openExample(t)
	c := &counting{Store: s}
	a := remembering(c, time.Hour)
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
	// the same text handed over in another way is another proof
	token.Kind = auth.Bearer
	if _, err := a.Authenticate(t.Context(), token); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("as Bearer: %v", err)
	}
}

// TestManyAtOnce read each document once.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	c := &counting{Store: openExample(t)}
	alone := remembering(c, time.Hour)
	if _, err := authenticate(t, alone, exampleToken(t)); err != nil {
		t.Fatal(err)
	}
	want := c.reads.Swap(0)
	a := remembering(c, time.Hour)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if _, err := authenticate(t, a, exampleToken(t)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := c.reads.Load(); got < want || got > want+32 { // the key's file may be read by several
		t.Errorf("%d reads, one alone needs %d", got, want)
	}
}

// TestExpiryIsNotRemembered: the clock is looked at for every request.
func TestExpiryIsNotRemembered(t *testing.T) {
	t.Parallel()
	var clock atomic.Int64
	clock.Store(now.Unix())
	s := openExample(t)
	documents := doccache.New(s, doccache.Options{Staleness: time.Hour})
	a := auth.NewAuthenticator(s, auth.Options{
		Now: func() time.Time { return time.Unix(clock.Load(), 0) }, Documents: documents})
	token := tokenOf(t, customerA, userOfA, secretOfUserA, map[string]any{"exp": now.Unix() + 60})
	for _, c := range []struct {
		after int64
		good  bool
	}{{0, true}, {59, true}, {60, false}, {61, false}, {0, true}} {
		clock.Store(now.Unix() + c.after)
		_, err := authenticate(t, a, token)
		if c.good != (err == nil) || err != nil && !fault.Is(err, fault.TokenRejected) {
			t.Errorf("after %d s: %v", c.after, err)
		}
	}
}

// TestTrialIsNotRemembered: it ends when it ends.
func TestTrialIsNotRemembered(t *testing.T) {
	t.Parallel()
	var clock atomic.Int64
	s := openExample(t)
	update(t, s, database(t, master), master, document.Document{
		"pvt_trial_expires": document.Number(kazoo.Gregorian(now) + 60)})
	documents := doccache.New(s, doccache.Options{Staleness: time.Hour})
	a := auth.NewAuthenticator(s, auth.Options{
		Now: func() time.Time { return now.Add(time.Duration(clock.Load())) }, Documents: documents})
	for _, c := range []struct {
		after time.Duration
		good  bool
	}{{0, true}, {59 * time.Second, true}, {60 * time.Second, false}, {time.Hour, false}, {0, true}} {
		clock.Store(int64(c.after))
		_, err := authenticate(t, a, exampleToken(t))
		if c.good != (err == nil) || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("after %s: %v", c.after, err)
		}
	}
}

// TestNobodyIsRefusedFromMemory: what another process has just written counts at once where it makes a token good.
func TestNobodyIsRefusedFromMemory(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*testing.T, *store.Store)
		token  func(*testing.T) string // good after the change only
	}{
		"another key": {
			func(t *testing.T, s *store.Store) { update(t, s, "system_auth", kid, attachment(t, otherKey(t))) },
			func(t *testing.T) string {
				return sign(t, foreignKey(), crypto.SHA256, header, encodeJSON(t, goodClaims()))
			},
		},
		"another password": {
			func(t *testing.T, s *store.Store) {
				update(t, s, database(t, master), userOfMaster, document.Document{"pvt_signature_secret": "new"})
			},
			func(t *testing.T) string { return tokenOf(t, master, userOfMaster, "new", nil) },
		},
		"another server secret": {
			func(t *testing.T, s *store.Store) {
				update(t, s, "system_config", "auth", document.Document{
					"default": map[string]any{"secret_for_user_signature": "new"}})
			},
			func(t *testing.T) string {
				return tokenOf(t, master, userOfMaster, "", map[string]any{
					"identity_sig": identitySig(userOfMaster, secretOfUserOfMaster, "new")})
			},
		},
		"a new user": {
			func(t *testing.T, s *store.Store) {
				update(t, s, database(t, master), userOfA, document.Document{
					"pvt_type": "user", "pvt_signature_secret": "new"})
			},
			func(t *testing.T) string { return tokenOf(t, master, userOfA, "new", nil) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openExample(t)
			a := remembering(s, time.Hour)
			if _, err := authenticate(t, a, exampleToken(t)); err != nil {
				t.Fatal(err)
			}
			c.change(t, s)
			if _, err := authenticate(t, a, c.token(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestKeyRotationOverHTTP: tokens of a new key are good at once, and those of the old one are not where it was not
// remembered.
func TestKeyRotationOverHTTP(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.FreshCouch(t))
	loadExample(t, s)
	a := remembering(s, time.Hour)
	if _, err := authenticate(t, a, exampleToken(t)); err != nil {
		t.Fatal(err)
	}
	update(t, s, "system_auth", kid, attachment(t, otherKey(t)))
	token := sign(t, foreignKey(), crypto.SHA256, header, encodeJSON(t, goodClaims()))
	if _, err := authenticate(t, a, token); err != nil {
		t.Error(err)
	}
	checkRefused(t, remembering(s, time.Hour), exampleToken(t), fault.Unauthenticated)
}

// TestBadTokensDoNotHammerTheStore: each document is read before its time at most once a second.
func TestBadTokensDoNotHammerTheStore(t *testing.T) {
	t.Parallel()
	c := &counting{Store: openExample(t)}
	a := remembering(c, time.Hour)
	if _, err := authenticate(t, a, exampleToken(t)); err != nil {
		t.Fatal(err)
	}
	c.reads.Store(0)
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

// TestRememberingOutage: a store that does not answer is neither good nor bad news, and is asked again.
func TestRememberingOutage(t *testing.T) {
	t.Parallel()
	f := &failing{Store: openExample(t)}
	a := remembering(f, time.Hour)
	if _, err := authenticate(t, a, exampleToken(t)); !fault.Is(err, fault.DatastoreUnreachable) {
		t.Errorf("down: %v", err)
	}
	f.left.Store(1000)
	if _, err := authenticate(t, a, exampleToken(t)); err != nil {
		t.Errorf("up again: %v", err)
	}
	f.left.Store(0)
	if _, err := authenticate(t, a, exampleToken(t)); err != nil {
		t.Errorf("remembered: %v", err)
	}
}

// slow is a store whose reads wait until they are let go.
type slow struct {
	*store.Store
	entered chan struct{}
	release chan struct{}
}

func (s *slow) Get(ctx context.Context, db, id string) (document.Document, error) {
	s.entered <- struct{}{}
	<-s.release
	return s.Store.Get(ctx, db, id)
}

// TestWaitingEnds with the request that waits for another's reading.
func TestWaitingEnds(t *testing.T) {
	t.Parallel()
	s := &slow{Store: openExample(t), entered: make(chan struct{}, 100), release: make(chan struct{})}
	a := remembering(s, time.Hour)
	first := make(chan error, 1)
	go func() {
		_, err := authenticate(t, a, exampleToken(t))
		first <- err
	}()
	<-s.entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := a.Authenticate(ctx, auth.Credentials{Kind: auth.XAuthToken, Token: exampleToken(t)})
	if !fault.Is(err, fault.DatastoreUnreachable) {
		t.Errorf("got %v", err)
	}
	close(s.release)
	if err := <-first; err != nil {
		t.Error(err)
	}
}
