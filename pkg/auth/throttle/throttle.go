// Package throttle slows down whoever tries credentials until some fit.
//
// Every client address has, for every account that it tries, a bucket of 60 failures that fills up again by one a
// second (Kazoo's kz_buckets, with which it shares the numbers). Failures cost, successes do not. What an empty
// bucket means depends on what is tried:
//
//   - A token that proves good always passes, and nobody asks here before it is verified. Tokens are signatures:
//     guessing is hopeless, so refusing good ones would win nothing, and would let an attacker behind the same NAT or
//     proxy lock a customer out. A bad token is refused either way; once the bucket is empty it is told to slow down.
//   - An API key is as hard to guess as a signature, and is treated alike.
//   - A login by password is refused before its credentials are looked at: a guesser who learned that
//     the 61st is right would not be slowed down. This can keep people out only who log in from the guesser's own
//     address, for as long as the guessing lasts; their tokens stay good. Where the account is known before the
//     login it is only that account; a name or realm is not it, as the client may spell them in many ways. Attempts
//     under way count, so that guessing in parallel gains nothing.
//   - A token of another cluster is no guess either, but checking it costs that cluster a request, and to its own
//     limits all of them come from here: one client with bad tokens could use up what is meant for everybody. So it
//     is treated as a login, to the cluster instead of an account.
//
// Attempts and own tokens have buckets of their own. A page left open with a dead token asks again and again, and
// must not use up the attempts of its user, who is about to log in from the same address.
//
// The package knows neither HTTP nor what credentials are. Which address is the client's is the caller's to find
// out, and what this process counts is not shared with others.
package throttle

import (
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"junctor/pkg/account"
	"junctor/pkg/fault"
)

const (
	// burst is how many failures a full bucket bears.
	burst = 60
	// perSecond is how many come back.
	perSecond = 1
	// keepTime is how long after its last use a bucket is certainly full, and so as good as none: twice the time that
	// it takes to fill, for an attempt counts as a use when it begins.
	keepTime = 2 * burst / perSecond * time.Second
	// maxBuckets bounds the memory, at some 20 MiB. To have an empty bucket forgotten earlier than it fills up, an
	// attacker has to cause more failures than that with other buckets within a minute.
	maxBuckets = 1 << 16
)

// noAccount stands for the account of what is about none, or about none that there can be.
const noAccount = "no_account"

// key names a bucket.
type key struct {
	client  netip.Prefix
	account string
	attempt bool
}

func newKey(client netip.Addr, accountID string, attempt bool) key {
	if !account.ValidID(accountID) {
		accountID = noAccount
	}
	return key{network(client), strings.Clone(accountID), attempt} // it may be a piece of something long
}

// network answers whom an address stands for: one host, or in IPv6 the /64 that a host chooses its addresses from.
func network(client netip.Addr) netip.Prefix {
	client = client.Unmap()
	bits := 64
	if client.Is4() {
		bits = 32
	}
	prefix, _ := client.Prefix(bits) // fails for no address at all: then all such share one
	return prefix
}

// Throttle counts failures. It is safe for concurrent use.
type Throttle struct {
	now func() time.Time

	mu      sync.Mutex
	buckets *buckets
}

// New answers a Throttle with nothing counted. now is the clock; nil is the real one.
func New(now func() time.Time) *Throttle {
	if now == nil {
		now = time.Now
	}
	return &Throttle{now: now, buckets: newBuckets(maxBuckets)}
}

// FailedToken counts a token that was refused, in a request about an account, "" for none. It answers
// fault.TooManyRequests where that should be the answer instead of the refusal.
func (t *Throttle) FailedToken(client netip.Addr, accountID string) error {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.buckets.get(newKey(client, accountID, false), now).failures.AllowN(now, 1) {
		return fault.New(fault.TooManyRequests, "")
	}
	return nil
}

// Attempt begins an attempt to log in to an account, "" where it is not known to which, or to show a token of
// another cluster. It answers fault.TooManyRequests where the credentials must not even be looked at. Otherwise the
// caller looks, and calls end once: failed says that the credentials were wrong, not that something else went wrong.
func (t *Throttle) Attempt(client netip.Addr, accountOrCluster string) (end func(failed bool), err error) {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.buckets.get(newKey(client, accountOrCluster, true), now)
	if b.failures.TokensAt(now)-float64(b.pending) < 1 {
		return nil, fault.New(fault.TooManyRequests, "")
	}
	b.pending++
	return func(failed bool) { t.end(b, failed) }, nil
}

func (t *Throttle) end(b *bucket, failed bool) {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	b.pending--
	if failed {
		b.failures.AllowN(now, 1)
	}
}

// bucket is what a client may still get wrong about an account.
type bucket struct {
	failures *rate.Limiter
	pending  int // attempts that were begun and not ended
}
