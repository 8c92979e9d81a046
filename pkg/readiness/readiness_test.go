package readiness

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
)

// TestProbesOncePerSecond: however many ask, the store is probed once a second, and only then.
func TestProbesOncePerSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var probes atomic.Int64
		p := &Prober{Log: zerolog.Nop(), Probe: func(context.Context) (string, error) {
			probes.Add(1)
			time.Sleep(100 * time.Millisecond)
			return "", nil
		}}
		time.Sleep(time.Hour)
		if n := probes.Load(); n != 0 {
			t.Errorf("%d probes that nobody asked for", n)
		}
		const seconds = 10
		for range 10 * seconds {
			var callers sync.WaitGroup
			for range 50 {
				callers.Go(func() {
					if reason := p.State(t.Context()); reason != "" {
						t.Errorf("reason %q", reason)
					}
				})
			}
			time.Sleep(100 * time.Millisecond)
			callers.Wait()
		}
		if n := probes.Load(); n < seconds-1 || n > seconds+1 {
			t.Errorf("%d probes in %d seconds", n, seconds)
		}
	})
}

// TestSilentStore: a store that hangs counts as unreachable after the grace, not before, and callers do not wait for it.
func TestSilentStore(t *testing.T) {
	t.Parallel()
	for name, silence := range map[string]func(context.Context) error{
		"hangs":   func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"refuses": func(context.Context) error { return errors.New("connection refused") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var silent atomic.Bool
				var log bytes.Buffer
				p := &Prober{
					Log: zerolog.New(&log), Grace: 10 * time.Second, Remedies: map[string]string{Unreachable: "look there"},
					Probe: func(ctx context.Context) (string, error) {
						if silent.Load() {
							return "", silence(ctx)
						}
						return "", nil
					},
				}
				poll := func(want string, d time.Duration) {
					for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Second) {
						began := time.Now()
						if got := p.State(t.Context()); got != want {
							t.Errorf("silent is %t: reason %q, want %q", silent.Load(), got, want)
						}
						if time.Since(began) > waitTime {
							t.Errorf("a caller waited for %s", time.Since(began))
						}
					}
				}
				poll("", 5*time.Second)
				silent.Store(true)
				poll("", p.Grace-time.Second)
				time.Sleep(MaxAge + waitTime + 2*time.Second)
				poll(Unreachable, 20*time.Second)
				silent.Store(false)
				time.Sleep(probeTime)
				poll("", 5*time.Second)
				if lines := strings.Count(log.String(), "\n"); lines != 3 || !strings.Contains(log.String(), "not ready: look there") {
					t.Errorf("logged, of three changes:\n%s", log.String())
				}
			})
		})
	}
}

// TestSlowStart: until the first probe is over nothing is known, so that nothing is said of the store.
func TestSlowStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		p := &Prober{Log: zerolog.New(&log), Probe: func(context.Context) (string, error) {
			time.Sleep(3 * waitTime / 2)
			return "", nil
		}}
		for _, want := range []string{Starting, ""} {
			if got := p.State(t.Context()); got != want {
				t.Errorf("reason %q, want %q", got, want)
			}
		}
		if strings.Count(log.String(), "\n") != 1 || strings.Contains(log.String(), "not ready") {
			t.Errorf("logged\n%s", log.String())
		}
	})
}
