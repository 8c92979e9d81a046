package main

import (
	"context"
	"slices"
	"time"
)

// phase is what is measured at the same time, in turns.
type phase struct {
	*bench
	worlds  []*world
	all     []*series
	pairs   []pair
	closers []func()
	raw     *worker // a bare CouchDB; nil is none
}

// fill makes the worlds.
func (p *phase) fill(ctx context.Context) error {
	for _, w := range p.worlds {
		began := time.Now()
		if err := w.seed(ctx); err != nil {
			return err
		}
		p.say("%s addresses: filled in %s", w.name(), seconds(time.Since(began)))
	}
	return nil
}

// run serves the worlds, and measures reads of pools and of routing first, and then writes: what many have written
// keeps a server and the disk busy for a while after.
func (p *phase) run(ctx context.Context, pools, routings []*world, bare []bareWrites) ([]line, error) {
	if err := p.startAll(ctx); err != nil {
		return nil, err
	}
	if err := p.allReads(ctx, pools, routings); err != nil {
		return nil, err
	}
	if err := p.takeTurns(ctx, "reads", p.all); err != nil {
		return nil, err
	}
	reads := len(p.all)
	if err := p.writes(ctx, bare); err != nil {
		return nil, err
	}
	if err := p.takeTurns(ctx, "writes", p.all[reads:]); err != nil {
		return nil, err
	}
	return p.lines()
}

// startAll starts the servers as often as there are rounds, and leaves them running.
func (p *phase) startAll(ctx context.Context) error {
	for round := range p.rounds {
		for _, w := range p.worlds {
			if err := p.start(ctx, w); err != nil {
				return err
			}
			if round < p.rounds-1 {
				w.server.stop()
				continue
			}
			p.closers = append(p.closers, w.server.stop)
			var err error
			if w.ready, err = anonymous(w.server.cmd.Process.Pid); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *phase) add(
	what, where string, u unit, turn func(context.Context, time.Duration) (sample, error),
) *series {
	s := &series{what: what, where: where, unit: u, turn: turn}
	p.all = append(p.all, s)
	return s
}

func (p *phase) compare(ours, beside *series, target float64) {
	p.pairs = append(p.pairs, pair{ours: ours, beside: beside, target: target})
}

// takeTurns gives all of a part their turns: a short one first that does not count, and then one in each round, forth
// and back, so that who comes early in one round comes late in the next.
func (p *phase) takeTurns(ctx context.Context, part string, all []*series) error {
	for _, s := range all {
		if err := s.take(ctx, p.turn/4); err != nil {
			return err
		}
		s.samples = nil
	}
	order := slices.Clone(all)
	for round := range p.rounds {
		p.say("%s, round %d of %d", part, round+1, p.rounds)
		for _, s := range order {
			if err := s.take(ctx, p.turn); err != nil {
				return err
			}
		}
		slices.Reverse(order)
	}
	return nil
}

func (p *phase) close() {
	for _, stop := range slices.Backward(p.closers) {
		stop()
	}
}
