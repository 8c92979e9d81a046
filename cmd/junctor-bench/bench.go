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
	http      browser
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
	return p.run(ctx, func() error {
		if err := p.allReads(ctx, pools, routings); err != nil {
			return err
		}
		setup := boltSetup{Folder: filepath.Join(b.folder, "bbolt"), Size: b.sizes[0]}
		bolt, err := p.hire(ctx, "bbolt", setup)
		if err != nil {
			return err
		}
		bare := bareWrites{hand: bolt, what: "bare bbolt, same keys and bytes", where: pools[0].name(),
			target: map[int]float64{writers: 0.25}}
		return p.writes(ctx, bare, pools)
	})
}

// onCouchDB measures a CouchDB at one size after the other: it has room for one pool only.
func (b *bench) onCouchDB(ctx context.Context) (lines []line, err error) {
	couch, err := claim(ctx, b.couchdb)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, couch.release(ctx)) }()
	for _, size := range b.couchSizes() {
		more, err := b.couchAt(ctx, size)
		if err == nil {
			err = couch.empty(ctx)
		}
		if err != nil {
			return nil, err
		}
		lines = append(lines, more...)
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

func (b *bench) couchAt(ctx context.Context, size int) ([]line, error) {
	w := &world{dsn: b.couchdb, folder: filepath.Join(b.folder, fmt.Sprint("couchdb-", size)), size: size, routing: size}
	p := &phase{bench: b, worlds: []*world{w}}
	return p.run(ctx, func() (err error) {
		setup := couchSetup{DSN: b.couchdb}
		for _, t := range w.tenants {
			setup.Accounts = append(setup.Accounts, t.id)
		}
		if p.raw, err = p.hire(ctx, "couchdb", setup); err != nil {
			return err
		}
		if err := p.allReads(ctx, p.worlds, p.worlds); err != nil {
			return err
		}
		bare := bareWrites{hand: p.raw, what: "bare CouchDB, necessary writes", where: "kivik",
			target: map[int]float64{1: 0.80, writers: 0.80}}
		return p.writes(ctx, bare, p.worlds)
	})
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
