package introspect

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"sync"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
)

const (
	// acceptedFor is how long a good answer counts: so long a revoked token stays good here.
	acceptedFor = time.Minute
	// refusedFor is how long a bad one does: enough to keep a client that repeats itself off the other cluster.
	refusedFor = 2 * time.Second
	// maxAnswers bounds how many of each are remembered.
	maxAnswers = 4096
)

// key says which answers are the same: tokens are remembered as hashes, and a cluster that is registered anew
// elsewhere has said nothing yet.
func (q question) key() string {
	hash := sha256.Sum256([]byte(q.token))
	return q.cluster.ID + " " + q.cluster.URL + " " + hex.EncodeToString(hash[:])
}

// answers remembers verdicts: good ones apart from bad ones, of which anybody can provoke as many as they like.
type answers struct {
	mu       sync.Mutex
	accepted map[string]remembered
	refused  map[string]remembered
}

type remembered struct {
	verdict verdict
	until   time.Time
}

func newAnswers() *answers {
	return &answers{accepted: map[string]remembered{}, refused: map[string]remembered{}}
}

func (a *answers) get(key string, now time.Time) (verdict, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, known := range []map[string]remembered{a.accepted, a.refused} {
		if r, ok := known[key]; ok && now.Before(r.until) {
			return r.verdict, true
		}
	}
	return verdict{}, false
}

// put remembers a verdict. That a cluster can't be reached is not remembered: the breaker sees to that.
func (a *answers) put(q question, v verdict, now time.Time) {
	if fault.Is(v.err, fault.ClusterUnreachable) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.accepted, q.key())
	delete(a.refused, q.key())
	if v.err != nil {
		remember(a.refused, q.key(), remembered{v, now.Add(refusedFor)})
		return
	}
	until := now.Add(acceptedFor)
	if end, ok := expiry(q.token); ok && end.Before(until) {
		until = end
	}
	remember(a.accepted, q.key(), remembered{v, until})
}

// remember makes room by forgetting any other.
func remember(known map[string]remembered, key string, r remembered) {
	for other := range known {
		if len(known) < maxAnswers {
			break
		}
		delete(known, other)
	}
	known[key] = r
}

// expiry reads when a token ends by its own account. Nothing was verified here, which is good enough for a bound
// on the cluster's word that the token is genuine.
func expiry(token string) (time.Time, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}, false
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return time.Time{}, false
	}
	claims, err := document.Decode(text)
	if err != nil {
		return time.Time{}, false
	}
	seconds, ok := claims.Int("exp")
	return time.Unix(seconds, 0), ok
}
