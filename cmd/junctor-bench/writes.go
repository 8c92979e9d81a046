package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// bareWrites are the necessary writes of a world without anything else.
type bareWrites struct {
	*worker
	of          *world
	what, where string
	// The ratios to them that are wanted of assignments and of allocations, by the number of clients; 0 is none in
	// particular.
	assign, allocate map[int]float64
}

// writes adds assignments in some worlds, the first of which is the smallest, and allocations where they are served.
// Large worlds are compared with the smallest, too.
func (p *phase) writes(ctx context.Context, bare []bareWrites) error {
	allocates, err := p.allocates(ctx, bare[0].of)
	if err != nil {
		return err
	}
	if !allocates {
		p.say("allocations are not served, and not measured")
	}
	for _, clients := range []int{1, writers} {
		var smallest []*series
		for _, b := range bare {
			all := p.writesOf(b, clients, allocates)
			for i, few := range smallest {
				p.compare(all[i], few, 0)
			}
			if smallest == nil {
				smallest = all
			}
		}
	}
	return nil
}

// writesOf adds the writes of one world next to the bare ones.
func (p *phase) writesOf(b bareWrites, clients int, allocates bool) []*series {
	least := p.add(b.what, b.where, documents, b.turns("writes", clients))
	assign := p.write("assign + release", b.of, clients, p.assignAndRelease)
	p.compare(assign, least, b.assign[clients])
	if !allocates {
		return []*series{assign}
	}
	allocate := p.write("allocate + release", b.of, clients, p.allocateAndRelease)
	p.compare(allocate, least, b.allocate[clients])
	return []*series{assign, allocate}
}

func (p *phase) write(
	what string, w *world, clients int,
	take func(context.Context, *world, int, time.Duration) (sample, error),
) *series {
	who := fmt.Sprintf("%d clients", clients)
	if clients == 1 {
		who = "1 client"
	}
	return p.add(what+", "+who, w.name(), documents, func(ctx context.Context, turn time.Duration) (sample, error) {
		return take(ctx, w, clients, turn)
	})
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
