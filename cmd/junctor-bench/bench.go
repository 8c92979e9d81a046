package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// bench is what all that is measured has in common.
type bench struct {
	settings
	folder    string // for everything; goes in the end
	notes     io.Writer
	serverLog *os.File
	http      httpClient
}

func newBench(s settings, folder string, notes io.Writer) (*bench, error) {
	log, err := os.OpenFile(cmp.Or(s.log, os.DevNull), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	return &bench{settings: s, folder: folder, notes: notes, serverLog: log, http: newBrowser()}, err
}

// say tells whoever waits how far it has come.
func (b *bench) say(format string, args ...any) {
	_, _ = english.Fprintf(b.notes, format+"\n", args...)
}

// embedded measures the embedded store at all sizes at once. Pools and routing have servers of their own, so that
// each tells its memory.
func (b *bench) embedded(ctx context.Context) ([]line, error) {
	var pools, routings []*world
	for _, size := range b.sizes {
		pools = append(pools, b.embeddedWorld(size, 0))
		routings = append(routings, b.embeddedWorld(0, size))
	}
	p := &phase{bench: b, worlds: append(pools, routings...)}
	defer p.close()
	if err := p.fill(ctx); err != nil {
		return nil, err
	}
	var bare []bareWrites
	for _, w := range pools {
		bolt, err := p.bareBolt(ctx, w)
		if err != nil {
			return nil, err
		}
		bare = append(bare, bolt)
	}
	return p.run(ctx, pools, routings, bare)
}

// bareBolt has bbolt write to a copy of a world's file, which must not be served yet.
func (p *phase) bareBolt(ctx context.Context, w *world) (bareWrites, error) {
	began := time.Now()
	setup := boltSetup{File: w.file(), Folder: filepath.Join(w.folder, "bbolt"), Accounts: w.accounts()}
	bolt, err := p.startWorker(ctx, "bbolt", setup)
	if err == nil {
		p.say("%s addresses: writes recorded in %s", w.name(), seconds(time.Since(began)))
	}
	quarter := map[int]float64{writers: 0.25}
	return bareWrites{worker: bolt, of: w, what: "bare bbolt, same keys and bytes", where: w.name(),
		assign: quarter, allocate: quarter}, err
}

// onCouchDB measures a CouchDB at one size after the other: it has room for one pool only. What was measured before
// something failed is answered, too.
func (b *bench) onCouchDB(ctx context.Context) (lines []line, err error) {
	couch, err := claim(ctx, b.couchdb)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, couch.release(ctx)) }()
	for _, size := range b.couchSizes() {
		more, err := b.couchAt(ctx, size)
		lines = append(lines, more...)
		if err == nil {
			err = couch.empty(ctx)
		}
		if err != nil {
			return lines, err
		}
	}
	return lines, nil
}

// couchSizes are the sizes to measure a CouchDB at. To see that it can be measured one is enough.
func (b *bench) couchSizes() []int {
	if b.smoke {
		return b.sizes[:1]
	}
	return b.sizes
}

func (b *bench) couchAt(ctx context.Context, size int) (lines []line, err error) {
	w := &world{dsn: b.couchdb, folder: filepath.Join(b.folder, fmt.Sprint("couchdb-", size)), size: size, routing: size}
	p := &phase{bench: b, worlds: []*world{w}}
	defer p.close()
	if err := p.fill(ctx); err != nil {
		return nil, err
	}
	if p.raw, err = p.startWorker(ctx, "couchdb", couchSetup{DSN: b.couchdb, Accounts: w.accounts(), Size: w.size}); err != nil {
		return nil, err
	}
	if err := calm(ctx, b.couchdb); err != nil {
		return nil, err
	}
	bare := bareWrites{worker: p.raw, of: w, what: "bare CouchDB, necessary writes", where: "kivik",
		assign: map[int]float64{1: 0.80, writers: 0.80}}
	return p.run(ctx, p.worlds, p.worlds, []bareWrites{bare})
}

// allReads adds the reads of pools and routing.
func (p *phase) allReads(ctx context.Context, pools, routings []*world) error {
	for _, r := range poolReads {
		if err := p.reads(ctx, r, pools); err != nil {
			return err
		}
	}
	return p.reads(ctx, lookup, routings)
}

// seconds shortens a duration for people.
func seconds(d time.Duration) string { return d.Round(10 * time.Millisecond).String() }
