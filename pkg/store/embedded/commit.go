package embedded

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"

	"github.com/go-kivik/kivik/v4/driver"
	bolt "go.etcd.io/bbolt"
)

// change is what an op does to its document: the record before, the one after, and its rows in every index.
type change struct {
	id            string
	before, after *record
	rows          map[string][]row
}

// plan is a prepared write. It is stale if one of its documents or the set of indexes has changed since.
type plan struct {
	database   string
	generation uint64
	changes    []change
}

func (d *database) commitOne(ctx context.Context, o op) (string, error) {
	results, err := d.commit(ctx, []op{o})
	if err != nil {
		return "", err
	}
	return results[0].Rev, results[0].Error
}

// commit writes documents: design documents one by one, all others before them.
func (d *database) commit(ctx context.Context, ops []op) ([]driver.BulkResult, error) {
	results := make([]driver.BulkResult, len(ops))
	seen := make(map[string]bool, len(ops))
	var plain []int
	for i, o := range ops {
		results[i] = driver.BulkResult{ID: o.id, Error: checkDocumentID(o.id)}
		if results[i].Error == nil && seen[o.id] {
			results[i].Error = errConflict
		}
		seen[o.id] = true
		if results[i].Error == nil && !isDesign(o.id) {
			plain = append(plain, i)
		}
	}
	for chosen := range slices.Chunk(plain, maxBatch) {
		if err := d.commitPlain(ctx, ops, chosen, results); err != nil {
			return nil, err
		}
	}
	for i, o := range ops {
		if results[i].Error == nil && isDesign(o.id) {
			results[i].Rev, results[i].Error = d.commitDesign(ctx, o)
		}
	}
	return results, nil
}

// commitPlain carries out the chosen ops, given by index. View functions run here, outside of any transaction. The
// transaction only checks that nothing they depended on has changed; if it has, commitPlain starts over.
func (d *database) commitPlain(ctx context.Context, ops []op, chosen []int, results []driver.BulkResult) error {
	for {
		p, err := d.prepare(ctx, ops, chosen, results)
		if err != nil || len(p.changes) == 0 {
			return err
		}
		if err := d.writer.do(ctx, p.apply, len(p.changes)); !errors.Is(err, errStale) {
			return err
		}
	}
}

// prepare applies the ops to what is stored now and sets the result of each.
func (d *database) prepare(ctx context.Context, ops []op, chosen []int, results []driver.BulkResult) (
	*plan, error,
) {
	b, err := d.readBasis(ctx, ops, chosen)
	if err != nil {
		return nil, err
	}
	p := &plan{database: d.name, generation: b.generation}
	for _, i := range chosen {
		results[i] = driver.BulkResult{ID: ops[i].id}
		ch, err := newChange(ops[i], b.records[ops[i].id])
		if err != nil {
			results[i].Error = err
			continue
		}
		results[i].Rev = ch.after.rev
		p.changes = append(p.changes, ch)
	}
	return p, b.mapAll(ctx, p.changes)
}

func newChange(o op, before *record) (change, error) {
	after, err := o.next(before)
	if err != nil {
		return change{}, err
	}
	after.rev = after.nextRev(before)
	for i := range after.atts {
		if after.atts[i].data != nil {
			after.atts[i].RevPos = after.generation()
		}
	}
	return change{id: o.id, before: before, after: after}, nil
}

// basis is the state of the database that a plan is made from.
type basis struct {
	generation uint64
	records    map[string]*record
	indexes    []index
}

func (d *database) readBasis(ctx context.Context, ops []op, chosen []int) (*basis, error) {
	b := &basis{records: make(map[string]*record, len(chosen))}
	err := d.read(ctx, func(c contents) error {
		for _, i := range chosen {
			r, err := c.record(ops[i].id)
			if err != nil {
				return err
			}
			b.records[ops[i].id] = r.clone()
		}
		b.generation = c.generation()
		var err error
		b.indexes, err = d.indexes(c)
		return err
	})
	return b, err
}

// mapAll runs the view functions of every index on the documents that changes leave, on all processors.
func (b *basis) mapAll(ctx context.Context, changes []change) error {
	workers := min(runtime.GOMAXPROCS(0), len(changes))
	if workers <= 1 {
		return b.mapSome(ctx, changes)
	}
	errs := make([]error, workers)
	share := (len(changes) + workers - 1) / workers
	var all sync.WaitGroup
	for n := range workers {
		all.Go(func() {
			errs[n] = b.mapSome(ctx, changes[min(n*share, len(changes)):min((n+1)*share, len(changes))])
		})
	}
	all.Wait()
	return cmp.Or(errs...)
}

func (b *basis) mapSome(ctx context.Context, changes []change) error {
	for i := range changes {
		ch := &changes[i]
		ch.rows = make(map[string][]row, len(b.indexes))
		for _, ix := range b.indexes {
			var err error
			if ch.rows[ix.name], err = ix.rows(ctx, ch.id, ch.after); err != nil {
				return err
			}
		}
	}
	return nil
}

// apply carries out the plan, or returns errStale before it has changed anything.
func (p *plan) apply(tx *bolt.Tx) error {
	c, err := openContents(tx, p.database)
	if err != nil {
		return err
	}
	if c.generation() != p.generation {
		return errStale
	}
	for _, ch := range p.changes {
		if err := ch.check(c); err != nil {
			return err
		}
	}
	for _, ch := range p.changes {
		if err := ch.store(c); err != nil {
			return err
		}
	}
	return nil
}

func (ch change) check(c contents) error {
	stored, err := c.record(ch.id)
	if err != nil {
		return err
	}
	if stored.revision() != ch.before.revision() {
		return errStale
	}
	return nil
}

func (ch change) store(c contents) error {
	if err := c.put(ch.id, ch.after, ch.before); err != nil {
		return err
	}
	if err := c.putFiles(ch); err != nil {
		return err
	}
	for name, rows := range ch.rows {
		if err := c.index(name).replace(ch.id, rows); err != nil {
			return err
		}
	}
	return nil
}
