package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"syscall"
	"time"
)

const besideMux = "a gorilla/mux handler that serves the same bytes"

// pool measures a pool in a CouchDB or, if that is empty, in an embedded store.
func (b *bench) pool(ctx context.Context, size int, couch string) (err error) {
	w := b.newWorld(couch, size, 0)
	defer func() { err = errors.Join(err, w.close()) }()
	if err := w.seed(ctx); err != nil {
		return err
	}
	var least interface { // the necessary writes
		assignAndRelease(clients int) operation
		close() error
	}
	beside := besideMux + "; bbolt, which writes the same keys and bytes to an equal file"
	if couch == "" {
		least, err = b.newBareBolt(ctx, w)
	} else {
		beside = besideMux + "; CouchDB, with the necessary writes through kivik"
		least, err = newBareCouchDB(ctx, w)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, least.close()) }()
	syscall.Sync() // what was written until now
	reads, err := b.serve(ctx, w)
	if err != nil {
		return err
	}
	assign, allocate := b.assignAndRelease(w), b.allocateAndRelease(w)
	writes := []*row{
		{what: "assign and release", clients: 1, do: [columns]operation{assign, least.assignAndRelease(1)}},
		{what: "assign and release", clients: writers, do: [columns]operation{assign, least.assignAndRelease(writers)}},
		{what: "allocate and release", clients: writers, do: [columns]operation{allocate, least.assignAndRelease(writers)}},
	}
	if err := b.measure(ctx, reads); err != nil {
		return err
	}
	if err := b.measure(ctx, writes); err != nil {
		return err
	}
	return b.print(w, beside, append(reads, writes...))
}

// routing measures look-ups as fast as they go, and then at half of that rate.
func (b *bench) routing(ctx context.Context, size int, couch string) (err error) {
	w := b.newWorld(couch, 0, size/addressesEach)
	defer func() { err = errors.Join(err, w.close()) }()
	if err := w.seed(ctx); err != nil {
		return err
	}
	rows, err := b.serve(ctx, w)
	if err != nil {
		return err
	}
	if err := b.measure(ctx, rows); err != nil {
		return err
	}
	if err := b.print(w, besideMux, rows); err != nil {
		return err
	}
	half := max(int(rows[0].rate(junctor)/2), 1)
	lasting := time.Duration(b.rounds) * b.turn
	latencies, err := attack(ctx, w.server.url, w.reads()[0].targets, half, lasting)
	if err != nil {
		return fmt.Errorf("look-ups at half the rate: %w", err)
	}
	_, err = english.Fprintf(b.out, "At half the rate, %d look-ups a second for %v, whether or not responses came: "+
		"p50 %v, p99 %v.\n", half, lasting, rounded(latencies.P50), rounded(latencies.P99))
	return err
}

// serve serves a world with junctor, and returns rows of what can be read from it.
func (b *bench) serve(ctx context.Context, w *world) (rows []*row, err error) {
	for {
		if err := b.start(ctx, w); err != nil {
			return nil, err
		}
		if len(w.starts) >= b.rounds {
			break
		}
		w.server.stop()
	}
	if w.warm, err = w.server.anonymous(); err != nil {
		return nil, err
	}
	simplest := ""
	if w.isCouchDB() {
		if simplest, err = w.startBaseline(ctx, "plain", w.dsn); err != nil {
			return nil, err
		}
	}
	for _, r := range w.reads() {
		first := r.targets[0]
		var body bytes.Buffer
		header, err := b.http.send(ctx, http.MethodGet, w.server.url+first.path, first.token, "", &body)
		if err != nil {
			return nil, err
		}
		handler, err := w.startBaseline(ctx, "mux", canned{r.route, header, body.Bytes()})
		if err != nil {
			return nil, err
		}
		row := &row{what: r.what, clients: readers}
		row.do[junctor], row.do[bare] = b.http.get(w.server.url, r.targets), b.http.get(handler, r.targets)
		if simplest != "" {
			row.do[plain] = b.http.get(simplest, r.targets)
			if err := b.checkData(ctx, simplest, first, body.Bytes()); err != nil {
				return nil, err
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// checkData checks that a server responds with the same data as junctor.
func (b *bench) checkData(ctx context.Context, url string, t target, junctors []byte) error {
	var body bytes.Buffer
	if _, err := b.http.send(ctx, http.MethodGet, url+t.path, t.token, "", &body); err != nil {
		return err
	}
	var want, got struct{ Data any }
	if err := errors.Join(json.Unmarshal(junctors, &want), json.Unmarshal(body.Bytes(), &got)); err != nil {
		return err
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("%s: the plain implementation responds with %v, and junctor with %v", t.path, got, want)
	}
	return nil
}

// change assigns (POST) or releases (DELETE) the free address of a client.
func (b *bench) change(w *world, method string) operation {
	return func(ctx context.Context, client int) error {
		t := w.tenant(client)
		_, err := b.http.send(ctx, method, w.server.url+t.ips()+"/"+address(w.free(client)), t.token, "", io.Discard)
		return err
	}
}

func (b *bench) assignAndRelease(w *world) operation {
	assign, release := b.change(w, http.MethodPost), b.change(w, http.MethodDelete)
	return func(ctx context.Context, client int) error {
		if err := assign(ctx, client); err != nil {
			return err
		}
		return release(ctx, client)
	}
}

// allocateAndRelease allocates any address to the account of a client, and releases it.
func (b *bench) allocateAndRelease(w *world) operation {
	return func(ctx context.Context, client int) error {
		t, url := w.tenant(client), w.server.url+w.tenant(client).ips()
		var body bytes.Buffer
		if _, err := b.http.send(ctx, http.MethodPost, url, t.token, `{"data":{"quantity":1}}`, &body); err != nil {
			return err
		}
		var envelope struct{ Data struct{ IPs [1]string } }
		if err := json.Unmarshal(body.Bytes(), &envelope); err != nil {
			return err
		}
		_, err := b.http.send(ctx, http.MethodDelete, url+"/"+envelope.Data.IPs[0], t.token, "", io.Discard)
		return err
	}
}
