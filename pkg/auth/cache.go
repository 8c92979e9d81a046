package auth

import (
	"crypto/sha256"

	lru "github.com/hashicorp/golang-lru/v2"

	"junctor/pkg/doccache"
)

// cachedIdentity is the result of a successful authentication. Failures are not cached.
type cachedIdentity struct {
	identity Identity
	trialEnd int64 // Gregorian seconds: the first of the accounts' trials ends; never is math.MaxInt64
	until    int64 // Unix seconds: the token expires, or a trial ends
	validity doccache.Validity
}

// identityCache is an LRU of the results of authentication, by credentials. An entry is valid until its time, as long as
// the documents are that it was made from. To check an RSA signature costs more than all else that a request does.
// Tokens are not in it.
type identityCache = lru.Cache[fingerprint, *cachedIdentity]

// fingerprint is a hash of credentials.
type fingerprint [sha256.Size]byte

// maxCachedIdentities bounds the memory: one takes about 2 KiB.
const maxCachedIdentities = 8192

func newIdentityCache() *identityCache {
	cache, _ := lru.New[fingerprint, *cachedIdentity](maxCachedIdentities) // fails for sizes below 1 only
	return cache
}

func fingerprintOf(c Credentials) fingerprint {
	var buffer [2048]byte // on the stack, large enough for most tokens
	text := append(buffer[:0], byte(c.Kind))
	if c.Kind == XAuthToken { // which Account has to fit
		text = append(append(text, c.Account...), 0)
	}
	return sha256.Sum256(append(text, c.Token...))
}
