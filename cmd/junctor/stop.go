package main

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/httpserver"
)

// How long the steps of stopping may take, in their order, after the lame-duck time. What takes longer is abandoned.
const (
	drainTime    = 10 * time.Second // requests under way, and tasks of other commands
	followerTime = 5 * time.Second
	closeTime    = time.Second // the store, and the checkpoint of change notices
)

// awaitLameDuck serves for a while longer, and sends clients and balancers elsewhere.
func (s *server) awaitLameDuck() {
	s.log.Info().Stringer("lame_duck", s.lameDuck).Msg("stopping")
	s.api.LameDuck()
	time.Sleep(s.lameDuck)
}

// drain finishes requests and tasks under way, and accepts no new ones.
func (s *server) drain(h *httpserver.Server, closeSocket func()) {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	var both sync.WaitGroup
	both.Go(func() {
		if n := h.Drain(ctx); n > 0 {
			s.log.Warn().Int("connections", n).Stringer("limit", drainTime).Msg("requests took too long and were cut off")
		}
	})
	both.Go(func() {
		if !within(drainTime, closeSocket) {
			s.log.Warn().Stringer("limit", drainTime).Msg("tasks of other commands took too long and are abandoned")
		}
	})
	both.Wait()
}

// stopFollowers ends the goroutines that work beside requests.
func (s *server) stopFollowers(f *followers) {
	if !f.stop(followerTime) {
		s.log.Warn().Stringer("limit", followerTime).
			Msg("the work beside requests takes too long to stop and is abandoned; the next start does what is left")
	}
}

// closeWithin closes something, or logs that it takes too long.
func closeWithin(limit time.Duration, what string, closeIt func() error, log zerolog.Logger) {
	closed := within(limit, func() {
		if err := closeIt(); err != nil {
			log.Error().Err(err).Msg("closing " + what + " failed")
		}
	})
	if !closed {
		log.Warn().Stringer("limit", limit).Msg("closing " + what + " takes too long and is abandoned")
	}
}

// within calls do and reports whether it returned within limit. If not, do goes on.
func within(limit time.Duration, do func()) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
		return true
	case <-time.After(limit):
		return false
	}
}

// followers are the goroutines that work beside requests.
type followers struct {
	ctx    context.Context
	cancel context.CancelFunc
	all    sync.WaitGroup
}

// newFollowers returns followers that go on until stop is called.
func newFollowers() *followers {
	f := &followers{}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f
}

// run starts a follower, which has to return when its context ends.
func (f *followers) run(follow func(ctx context.Context)) { f.all.Go(func() { follow(f.ctx) }) }

// stop ends all followers, and reports whether they have ended within limit.
func (f *followers) stop(limit time.Duration) bool {
	f.cancel()
	return within(limit, f.all.Wait)
}
