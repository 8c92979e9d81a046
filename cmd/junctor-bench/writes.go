package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// bareWrites are the necessary writes without anything else.
type bareWrites struct {
	*hand
	what, where string
	target      map[int]float64 // the ratio to them that is wanted, by the number of clients; 0 is none in particular
}

// writes measures assignments in some worlds, the first of which is the smallest, and allocations where they are
// served.
func (p *phase) writes(ctx context.Context, bare bareWrites, worlds []*world) error {
	allocates, err := p.allocates(ctx, worlds[0])
	if err != nil {
		return err
	}
	if !allocates {
		p.say("allocations are not served, and not measured")
	}
	for _, clients := range []int{1, writers} {
		who := fmt.Sprintf("%d clients", clients)
		if clients == 1 {
			who = "1 client"
		}
		least := p.add(bare.what, bare.where, documents, bare.turns("writes", clients))
		p.write("assign + release, "+who, clients, least, bare.target[clients], worlds, p.assignAndRelease)
		if allocates {
			p.write("allocate + release, "+who, clients, least, 0, worlds, p.allocateAndRelease)
		}
	}
	return nil
}

// write compares one kind of write with the bare ones, and in large worlds with the same in the smallest.
func (p *phase) write(
	what string, clients int, least *series, target float64, worlds []*world,
	take func(context.Context, *world, int, time.Duration) (sample, error),
) {
	var smallest *series
	for _, w := range worlds {
		ours := p.add(what, w.name(), documents, func(ctx context.Context, turn time.Duration) (sample, error) {
			return take(ctx, w, clients, turn)
		})
		p.compare(ours, least, target)
		if smallest == nil {
			smallest = ours
		} else {
			p.compare(ours, smallest, 0)
		}
	}
}

// assignAndRelease has every client assign an address of its own to its account, and release it.
func (p *phase) assignAndRelease(ctx context.Context, w *world, clients int, turn time.Duration) (sample, error) {
	return repeat(ctx, clients, turn, func(ctx context.Context, client int) error {
		t, _ := w.tenant(client)
		url := w.ips(t) + "/" + address(firstFree(len(w.tenants))+client)
		if err := p.http.send(ctx, request{method: http.MethodPost, url: url, token: t.token}); err != nil {
			return err
		}
		return p.http.send(ctx, request{method: http.MethodDelete, url: url, token: t.token})
	})
}
