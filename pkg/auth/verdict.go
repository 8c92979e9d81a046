package auth

import (
	"crypto/sha256"

	lru "github.com/hashicorp/golang-lru/v2"

	"junctor/pkg/account"
	"junctor/pkg/doccache"
)

// verdict is what a proof of identity was found to be worth. There are none of proofs that were refused.
type verdict struct {
	identity Identity
	claimed  string             // the account that the proof is about, before "as"
	holders  []*account.Account // those that may be used until their trial ends; nil is one that does not exist
	expires  *int64             // Unix seconds; nil is never
	validity doccache.Validity
}

// verdicts remembers the latest verdicts, which may not stand any more: checking an RSA signature costs more than all
// else that a request does. Tokens themselves are not kept.
type verdicts = lru.Cache[fingerprint, *verdict]

// fingerprint tells credentials apart.
type fingerprint [sha256.Size]byte

// maxVerdicts bounds the memory: one takes about 2 KiB.
const maxVerdicts = 8192

func newVerdicts() *verdicts {
	known, _ := lru.New[fingerprint, *verdict](maxVerdicts) // fails for sizes below 1 only
	return known
}

func fingerprintOf(c Credentials) fingerprint {
	var room [2048]byte // for most tokens, which is not to be garbage
	return sha256.Sum256(append(append(room[:0], byte(c.Kind)), c.Token...))
}
