package main

import (
	"context"
	"time"
)

// followers are the goroutines that work beside requests.
type followers struct {
	ctx    context.Context
	cancel context.CancelFunc
	all    []follower
}

type follower struct {
	name  string // for the log
	ended chan struct{}
}

// newFollowers returns followers that go on until stop is called.
func newFollowers() *followers {
	ctx, cancel := context.WithCancel(context.Background())
	return &followers{ctx: ctx, cancel: cancel}
}

// run starts a follower, which has to return when its context ends.
func (f *followers) run(name string, follow func(ctx context.Context)) {
	ended := make(chan struct{})
	f.all = append(f.all, follower{name, ended})
	go func() {
		defer close(ended)
		follow(f.ctx)
	}()
}

// stop ends all followers, and returns the names of those that have not ended within limit.
func (f *followers) stop(limit time.Duration) (abandoned []string) {
	f.cancel()
	timeout := time.After(limit)
	for i, one := range f.all {
		select {
		case <-one.ended:
		case <-timeout:
			return running(f.all[i:])
		}
	}
	return nil
}

func running(all []follower) (names []string) {
	for _, one := range all {
		select {
		case <-one.ended:
		default:
			names = append(names, one.name)
		}
	}
	return names
}
