package backoff_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"junctor/pkg/backoff"
)

// TestPausesGrowToTheCap checks the range of every pause, of a thousand series.
func TestPausesGrowToTheCap(t *testing.T) {
	t.Parallel()
	const first, last = 10 * time.Millisecond, 65 * time.Millisecond
	distinct := map[time.Duration]bool{}
	b := backoff.New(first, last)
	for range 1000 {
		b.Reset()
		for i, nominal := range []time.Duration{first, 2 * first, 4 * first, last, last} {
			pause := b.Next()
			if pause < nominal/2 || pause > nominal {
				t.Fatalf("pause %d is %v, want between %v and %v", i+1, pause, nominal/2, nominal)
			}
			distinct[pause] = true
		}
	}
	if len(distinct) < 100 {
		t.Errorf("%d distinct pauses in 5000: no jitter", len(distinct))
	}
}

func TestWaitPauses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := backoff.New(time.Minute, time.Hour).Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took < time.Minute/2 || took > time.Minute {
			t.Errorf("waited %v", took)
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stopping := errors.New("stopping")
		ctx, cancel := context.WithCancelCause(t.Context())
		began := time.Now()
		time.AfterFunc(time.Second, func() { cancel(stopping) })
		if err := backoff.New(time.Hour, time.Hour).Wait(ctx); !errors.Is(err, stopping) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("waited %v", took)
		}
	})
}
