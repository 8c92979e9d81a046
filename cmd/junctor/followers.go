package main

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// followers are the goroutines that work beside requests, each with a name for the log.
type followers struct {
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	running map[string]bool
	ended   chan struct{} // takes a value whenever one has ended
}

// newFollowers returns followers that go on until stop is called.
func newFollowers() *followers {
	ctx, cancel := context.WithCancel(context.Background())
	return &followers{ctx: ctx, cancel: cancel, running: map[string]bool{}, ended: make(chan struct{}, 1)}
}

// run starts a follower, which has to return when its context ends.
func (f *followers) run(name string, follow func(ctx context.Context)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running[name] = true
	go func() {
		follow(f.ctx)
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.running, name)
		select {
		case f.ended <- struct{}{}:
		default:
		}
	}()
}

// left returns the names of those that still run.
func (f *followers) left() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.running))
}

// stop ends all followers, and returns the names of those that have not ended within limit.
func (f *followers) stop(limit time.Duration) (abandoned []string) {
	f.cancel()
	timeout := time.After(limit)
	for {
		if abandoned = f.left(); len(abandoned) == 0 {
			return nil
		}
		select {
		case <-f.ended:
		case <-timeout:
			return f.left()
		}
	}
}
