package main

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// How long the steps of stopping may take, in their order. Together with the lame-duck time that is all: what takes
// longer is abandoned.
const (
	drainTime    = 10 * time.Second // requests under way, and tasks of subcommands
	followerTime = 5 * time.Second
	closeTime    = time.Second // the store, and the checkpoint of change notices
)

// awaitLameDuck serves on for a while and sends clients and balancers elsewhere.
func (s *server) awaitLameDuck() {
	s.log.Info().Stringer("lame_duck", s.lameDuck).Msg("stopping")
	s.api.LameDuck()
	time.Sleep(s.lameDuck)
}

// drain lets requests and tasks under way finish, and takes no new ones.
func (s *server) drain(h *httpServer, closeSocket func()) {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	var both sync.WaitGroup
	both.Go(func() {
		if n := h.drain(ctx); n > 0 {
			s.log.Warn().Int64("connections", n).Stringer("limit", drainTime).Msg("requests took too long and were cut off")
		}
	})
	both.Go(func() {
		if !within(drainTime, closeSocket) {
			s.log.Warn().Stringer("limit", drainTime).Msg("tasks of subcommands took too long and are abandoned")
		}
	})
	both.Wait()
}

// stopFollowers ends what works beside requests.
func (s *server) stopFollowers(f *followers) {
	if left := f.stop(followerTime); len(left) > 0 {
		s.log.Warn().Strs("followers", left).Stringer("limit", followerTime).
			Msg("these take too long to end and are abandoned; what they had to do is done after the next start")
	}
}

// closeWithin closes something, or says that this takes too long.
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

// within does something and reports whether that took no longer than limit. If it did, it goes on.
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
