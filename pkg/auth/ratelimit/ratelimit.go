// Package ratelimit slows down clients that try credentials until some are valid.
//
// Every client address has, for every account that it tries, a bucket of 60 failures that fills up again by one a
// second (Kazoo's kz_buckets has the same numbers). Only failures cost. What an empty bucket means depends on what is
// tried:
//
//   - A valid token always passes: the caller verifies a token first, and counts it if it is invalid. Tokens are
//     signatures, which cannot be guessed. To refuse valid ones would gain nothing, and would let an attacker behind
//     the same NAT or proxy lock a customer out. With an empty bucket the refusal of a bad token is
//     fault.TooManyRequests.
//   - An API key is as hard to guess as a signature, and is treated alike.
//   - A login by password is refused before its credentials are checked: a guesser who learned that the 61st is right
//     would not be slowed down. This keeps out only people who log in from the guesser's own address, while the
//     guessing lasts; their tokens remain valid. If the account is known before the login, it keeps them out of that
//     account only. A name or realm does not count as the account, since a client can spell them in many ways. Attempts
//     under way count, so that guessing in parallel gains nothing.
//   - A token of another cluster cannot be guessed either, but to check it costs that cluster a request, and that
//     cluster's own limits see one client: this process. So it is treated as a login, to the cluster instead of an
//     account.
//
// Every client address also has a bucket of 600 failures for all accounts together, ten a second back, so that naming
// another account each time gains nothing. While it is empty, see Exhausted, nothing unknown is looked up in the store
// for the client.
//
// Attempts and own tokens have buckets in separate tables: filling one does not flush the other. A page that is left
// open with an expired token repeats its requests, and must not use up the attempts of its user, who is about to log in
// from the same address.
//
// The package knows neither HTTP nor what credentials are. The caller finds out the client's address. The counts are of
// this process alone.
package ratelimit

import (
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"

	"junctor/pkg/account"
	"junctor/pkg/fault"
)

const (
	// burst is how many failures about one account a full bucket allows, and perSecond how many come back.
	burst     = 60
	perSecond = 1
	// clientBurst and clientPerSecond are the same for all accounts together.
	clientBurst     = 600
	clientPerSecond = 10
	// maxBuckets bounds each of the four tables, and so the memory, at some 20 MiB in all. To have an empty bucket
	// forgotten earlier than it fills up, an attacker needs more client addresses than that, or fails about more accounts
	// in two minutes, for which 600 and ten a second from one address are not enough.
	maxBuckets = 1 << 14
)

// noAccount stands for the account of requests that name none, or one that cannot exist.
const noAccount = "no_account"

// key names a bucket.
type key struct {
	client  netip.Prefix
	account string // empty for all together
}

func newKey(client netip.Addr, accountID string) key {
	if !account.ValidID(accountID) {
		accountID = noAccount
	}
	return key{network(client), strings.Clone(accountID)} // which may be a part of a long text
}

// network returns what counts as one client: an IPv4 address, or the IPv6 /64 that a host chooses its addresses from.
func network(client netip.Addr) netip.Prefix {
	client = client.Unmap()
	bits := 64
	if client.Is4() {
		bits = 32
	}
	prefix, _ := client.Prefix(bits) // fails for the zero Addr: all of these share one bucket
	return prefix
}

// Throttle counts failures. It is safe for concurrent use.
type Throttle struct {
	now func() time.Time

	mu               sync.Mutex
	tokens, attempts tables
	failed           Failures
}

// Failures are how many credentials have been refused.
type Failures struct{ Tokens, Logins uint64 }

// Failures returns what was refused since the start.
func (t *Throttle) Failures() Failures {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed
}

// tables are the buckets of one kind of failure.
type tables struct{ clients, accounts *buckets }

func newTables() tables {
	return tables{newBuckets(clientBurst, clientPerSecond), newBuckets(burst, perSecond)}
}

func (t tables) client(client netip.Addr) *bucket { return t.clients.get(key{client: network(client)}) }

func (t tables) account(client netip.Addr, accountID string) *bucket {
	return t.accounts.get(newKey(client, accountID))
}

// New returns a Throttle with nothing counted. now is the clock.
func New(now func() time.Time) *Throttle {
	return &Throttle{now: now, tokens: newTables(), attempts: newTables()}
}

// FailedToken counts a token that was refused, in a request about an account, "" for none. It returns
// fault.TooManyRequests if that is to replace the refusal.
func (t *Throttle) FailedToken(client netip.Addr, accountID string) error {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed.Tokens++
	if !t.tokens.client(client).failures.AllowN(now, 1) || !t.tokens.account(client, accountID).failures.AllowN(now, 1) {
		return fault.New(fault.TooManyRequests, "")
	}
	return nil
}

// Exhausted reports whether a client has shown so many bad tokens that nothing unknown is to be looked up for it.
func (t *Throttle) Exhausted(client netip.Addr) bool {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tokens.client(client).empty(now)
}

// Attempt begins an attempt to log in to an account, "" if it is not known, or to use a token of another cluster. It
// returns fault.TooManyRequests if the credentials must not be checked. Otherwise the caller checks them and calls end
// once: failed says that the credentials were wrong, not that something else failed.
func (t *Throttle) Attempt(client netip.Addr, accountOrCluster string) (end func(failed bool), err error) {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.attempts.client(client)
	if all.empty(now) {
		return nil, fault.New(fault.TooManyRequests, "")
	}
	one := t.attempts.account(client, accountOrCluster)
	if one.empty(now) {
		return nil, fault.New(fault.TooManyRequests, "")
	}
	all.pending++
	one.pending++
	return func(failed bool) { t.end(failed, all, one) }, nil
}

func (t *Throttle) end(failed bool, of ...*bucket) {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if failed {
		t.failed.Logins++
	}
	for _, b := range of {
		b.pending--
		if failed {
			b.failures.AllowN(now, 1)
		}
	}
}

// buckets are those that were used lately, up to maxBuckets.
type buckets struct {
	burst     int
	perSecond rate.Limit
	used      *simplelru.LRU[key, *bucket]
}

func newBuckets(burst int, perSecond rate.Limit) *buckets {
	used, _ := simplelru.NewLRU[key, *bucket](maxBuckets, nil) // fails for limits below 1 only
	return &buckets{burst: burst, perSecond: perSecond, used: used}
}

// get returns the bucket of a key, a full one if there is none.
func (b *buckets) get(k key) *bucket {
	found, ok := b.used.Get(k)
	if !ok {
		found = &bucket{failures: rate.NewLimiter(b.perSecond, b.burst)}
		b.used.Add(k, found)
	}
	return found
}

// bucket counts how often a client may still fail, for an account or for all together.
type bucket struct {
	failures *rate.Limiter
	pending  int // attempts that were begun and not ended
}

func (b *bucket) empty(now time.Time) bool { return b.failures.TokensAt(now)-float64(b.pending) < 1 }
