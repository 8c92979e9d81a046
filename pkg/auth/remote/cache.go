package remote

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"junctor/pkg/auth"
)

const (
	// acceptedFor is how long an accepted token is cached, and so how long a revoked one may still be accepted.
	acceptedFor = time.Minute
	// maxCached bounds how many are cached.
	maxCached = 4096
)

// key identifies a question. Tokens are cached as hashes. A cluster that is registered again with another URL has other
// keys.
func (q question) key() string {
	hash := sha256.Sum256([]byte(q.token))
	return q.cluster.ID + " " + q.cluster.URL + " " + hex.EncodeToString(hash[:])
}

// cachedIdentity is the identity of a token that its cluster has accepted.
type cachedIdentity struct {
	identity auth.Identity
	expires  time.Time
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
