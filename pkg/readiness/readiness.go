// Package readiness finds out whether a store accepts writes, for balancers that ask several times a second: a probe is
// made only when somebody asks, at most once a second, and one at a time.
//
// The package does not know what is probed.
package readiness

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/singleflight"
)

// MaxAge is the age up to which the result of a probe is used again.
const MaxAge = time.Second

const (
	probeTime = 5 * time.Second // for a probe
	waitTime  = time.Second     // that a caller waits for it
)

// Reasons of the package's own.
const (
	Starting    = "starting"          // the first probe is under way: nothing is known, and nothing is logged
	Unreachable = "store_unreachable" // the store does not respond
)

// Prober remembers the result of the last probe, and logs when it changes.
type Prober struct {
	// Probe returns the reason why a write would not succeed, "" if there is none. err is for the log; without a reason
	// it means that the store did not respond.
	Probe func(context.Context) (reason string, err error)
	// Grace is how long a store may not respond before it counts as Unreachable.
	Grace time.Duration
	// Remedies says for each reason what to do about it.
	Remedies map[string]string
	Log      zerolog.Logger

	flight    singleflight.Group
	mu        sync.Mutex
	probed    time.Time // when the last finished probe began
	responded time.Time // when the last one began that the store responded to
	reason    string    // what that one returned
	err       error     // of the last one
	logged    *string   // the reason that was logged last; nil if none was
}

// State returns why a write would not succeed, "" if it would.
func (p *Prober) State(ctx context.Context) (reason string) {
	if !p.isFresh() {
		timeout := time.NewTimer(waitTime)
		defer timeout.Stop()
		select {
		case <-p.flight.DoChan("", p.run):
		case <-timeout.C:
		case <-ctx.Done():
		}
	}
	return p.conclude()
}

// Forget makes the next call of State probe.
func (p *Prober) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.probed = time.Time{}
}

// isFresh reports whether the last probe is younger than MaxAge.
func (p *Prober) isFresh() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Since(p.probed) < MaxAge
}

// run makes one probe.
func (p *Prober) run() (any, error) {
	if p.isFresh() { // by another caller, a moment ago
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), probeTime)
	defer cancel()
	began := time.Now()
	reason, err := p.Probe(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.probed, p.err = began, err
	if reason != "" || err == nil {
		p.responded, p.reason = began, reason
	}
	return nil, nil
}

// conclude returns why a write would not succeed, as of the probes so far.
func (p *Prober) conclude() (reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.responded.IsZero() && p.err == nil {
		return Starting
	}
	reason = p.reason
	if time.Since(p.responded) > p.Grace+MaxAge+waitTime {
		reason = Unreachable
	}
	if p.logged != nil && *p.logged == reason {
		return reason
	}
	p.logged = &reason
	if reason == "" {
		p.Log.Info().Msg("ready")
	} else {
		p.Log.Warn().Str("reason", reason).Err(p.err).Msg("not ready: " + p.Remedies[reason])
	}
	return reason
}
