package main

import (
	"context"
	"fmt"
	"time"
)

// read is a GET that is measured.
type read struct {
	what  string
	route string // as gorilla/mux writes it
	of    func(w *world, client int) request
	raw   string  // what a bare CouchDB does for it
	mux   float64 // the ratio to a bare handler that is wanted; 0 is none in particular
	couch float64 // the ratio to bare CouchDB reading one document that is wanted; 0 is none
}

// pageSize is how long the page of a listing is.
const pageSize = 50

// poolReads are the reads of the pool, each by accounts of their own addresses.
var poolReads = []read{
	{"GET one IP", "/v2/accounts/{account}/ips/{ip}", (*world).readOne, "document", 0.60, 10},
	{"GET assigned, 25 rows", "/v2/accounts/{account}/ips/assigned", under("/assigned"), "assigned", 0.60, 10},
	{"GET zones", "/v2/accounts/{account}/ips/zones", under("/zones"), "zones", 0.60, 10},
	{"GET available, first page of 50", "/v2/accounts/{account}/ips",
		under(fmt.Sprintf("?page_size=%d", pageSize)), "available", 0, 0},
}

// lookup is whose an address is, asked by the master account.
var lookup = read{what: "GET routing lookup", route: "/v2/routing/lookup", of: (*world).lookup}

func (w *world) readOne(client int) request {
	t, n := w.tenant(client)
	return get(w.ips(t)+"/"+address(n*heldEach+client%heldEach), t.token)
}

// under reads what is under the URL of an account's addresses.
func under(rest string) func(*world, int) request {
	return func(w *world, client int) request {
		t, _ := w.tenant(client)
		return get(w.ips(t)+rest, t.token)
	}
}

func (w *world) lookup(client int) request {
	n := client * 7919 % (w.routing / addressesEach)
	return get(fmt.Sprintf("%s/v2/routing/lookup?ip=%s&direction=inbound", w.server.url, address(addressesEach*n)),
		w.admin)
}

// reads measures one read in some worlds, the first of which is the smallest.
func (p *phase) reads(ctx context.Context, r read, worlds []*world) error {
	bare, err := p.bareHandler(ctx, r, worlds[0])
	if err != nil {
		return err
	}
	var smallest *series
	for _, w := range worlds {
		ours := p.add(r.what, w.name(), requests, func(ctx context.Context, turn time.Duration) (sample, error) {
			return p.getAll(ctx, r, w, "", turn)
		})
		p.compare(ours, bare, r.mux)
		if smallest == nil {
			smallest = ours
		} else {
			p.compare(ours, smallest, sameRate)
		}
		if p.raw != nil {
			p.besideCouchDB(r, ours)
		}
	}
	return nil
}

// sameRate is what becomes of the rate of a few addresses at many.
const sameRate = 0.90

// besideCouchDB compares a read with what a bare CouchDB does for it, and with one that reads a document at that time.
func (p *phase) besideCouchDB(r read, ours *series) {
	if r.couch > 0 {
		p.compare(ours, p.bareCouchDB("document"), r.couch)
	}
	if r.raw != "" && r.raw != "document" {
		p.compare(ours, p.bareCouchDB(r.raw), 0)
	}
}

func (p *phase) bareCouchDB(what string) *series {
	return p.add("bare CouchDB, "+what, "kivik", reads, p.raw.turns(what, readers))
}

// getAll has every client do its read, at another server where one is given.
func (p *phase) getAll(ctx context.Context, r read, w *world, server string, turn time.Duration) (sample, error) {
	asked := make([]request, readers)
	for client := range asked {
		asked[client] = r.of(w, client)
		if server != "" {
			asked[client].url = server + asked[client].url[len(w.server.url):]
		}
	}
	return repeat(ctx, readers, turn, func(ctx context.Context, client int) error {
		return p.http.send(ctx, asked[client])
	})
}

// bareHandler measures a bare handler that answers what a world's server answers.
func (p *phase) bareHandler(ctx context.Context, r read, w *world) (*series, error) {
	got, err := p.http.fetch(ctx, r.of(w, 0))
	if err != nil {
		return nil, err
	}
	mux, err := p.startWorker(ctx, "mux", canned{Route: r.route, Header: got.header, Body: got.body})
	if err != nil {
		return nil, err
	}
	turn := func(ctx context.Context, turn time.Duration) (sample, error) {
		return p.getAll(ctx, r, w, mux.url, turn)
	}
	return p.add("bare mux handler, same bytes", r.what, requests, turn), nil
}
