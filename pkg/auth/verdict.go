package auth

import (
	"crypto/sha256"
	"sync"
	"time"
)

// verdict is what a proof of identity was found to be worth. There are none of proofs that were refused.
type verdict struct {
	identity Identity
	claimed  string // the account that the proof is about, before "as"
	expires  *int64 // Unix seconds; nil is never
	until    time.Time
}

// verdicts remembers verdicts for as long as the documents they were made by may be relied on: checking an RSA
// signature costs more than all else that a request does. Tokens themselves are not kept.
type verdicts struct {
	mu    sync.RWMutex
	known map[fingerprint]*verdict
}

// fingerprint tells credentials apart.
type fingerprint [sha256.Size]byte

// maxVerdicts bounds the memory; where more are in use, some are made again.
const maxVerdicts = 8192

func newVerdicts() *verdicts { return &verdicts{known: map[fingerprint]*verdict{}} }

func fingerprintOf(c Credentials) fingerprint {
	text := make([]byte, 0, len(c.Token)+1)
	return sha256.Sum256(append(append(text, byte(c.Kind)), c.Token...))
}

// of answers the verdict that still stands; nil is none.
func (v *verdicts) of(f fingerprint) *verdict {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if known := v.known[f]; known != nil && time.Now().Before(known.until) {
		return known
	}
	return nil
}

func (v *verdicts) remember(f fingerprint, made *verdict) {
	if !time.Now().Before(made.until) {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.known) >= maxVerdicts {
		clear(v.known)
	}
	v.known[f] = made
}
