package remote

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/golang-jwt/jwt/v5"
	lru "github.com/hashicorp/golang-lru/v2"

	"junctor/pkg/fault"
)

const (
	// acceptedFor is how long an accepted token is cached, and so how long a revoked one may still be accepted.
	acceptedFor = time.Minute
	// refusedFor is how long a refused one is: a client that repeats its request costs the other cluster nothing.
	refusedFor = 2 * time.Second
	// maxCached bounds how many of each are cached.
	maxCached = 4096
)

// key identifies a question. Tokens are cached as hashes. A cluster that is registered again with another URL has other
// keys.
func (q question) key() string {
	hash := sha256.Sum256([]byte(q.token))
	return q.cluster.ID + " " + q.cluster.URL + " " + hex.EncodeToString(hash[:])
}

// introspections is a cache of results. Those that accept a token and those that refuse one have an LRU each, so that
// bad tokens cannot evict good ones.
type introspections struct {
	accepted, refused *lru.Cache[string, cachedIntrospection]
}

type cachedIntrospection struct {
	result  introspection
	expires time.Time
}

func newIntrospections() *introspections {
	accepted, _ := lru.New[string, cachedIntrospection](maxCached) // fails for sizes below 1 only
	refused, _ := lru.New[string, cachedIntrospection](maxCached)
	return &introspections{accepted, refused}
}

func (v *introspections) get(key string, now time.Time) (introspection, bool) {
	for _, cache := range []*lru.Cache[string, cachedIntrospection]{v.refused, v.accepted} {
		if cached, ok := cache.Get(key); ok && now.Before(cached.expires) {
			return cached.result, true
		}
	}
	return introspection{}, false
}

// put caches the introspection of a question. An unreachable cluster is not cached: that is what the breaker is for.
func (v *introspections) put(q question, result introspection, now time.Time) {
	switch {
	case fault.Is(result.err, fault.ClusterUnreachable):
	case result.err != nil:
		v.refused.Add(q.key(), cachedIntrospection{result, now.Add(refusedFor)})
		v.accepted.Remove(q.key())
	default:
		v.accepted.Add(q.key(), cachedIntrospection{result, expiry(q.token, now.Add(acceptedFor))})
		v.refused.Remove(q.key())
	}
}

// expiry returns when a token expires according to its claims, at most latest. The claims are not verified here: they
// only shorten the time for which the cluster's own verification is cached.
func expiry(token string, latest time.Time) time.Time {
	claims := jwt.MapClaims{}
	_, _, _ = jwt.NewParser().ParseUnverified(token, claims) // of what is no JWT there are no claims
	if end, _ := claims.GetExpirationTime(); end != nil && end.Before(latest) {
		return end.Time
	}
	return latest
}
