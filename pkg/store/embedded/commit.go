package embedded

import (
	"context"
	"errors"

	"github.com/go-kivik/kivik/v4/driver"
	bolt "go.etcd.io/bbolt"
)

// change is an edit worked out: the record before, the one after, and its rows in every index.
type change struct {
	id            string
	before, after *record
	rows          map[string][]row
}

// plan is what a write does if the database is still as it was when the plan was made.
type plan struct {
	database   string
	generation uint64
	changes    []change
}

func (d *database) commitOne(ctx context.Context, e edit) (string, error) {
	results, err := d.commit(ctx, []edit{e})
	if err != nil {
		return "", err
	}
	return results[0].Rev, results[0].Error
}

// commit carries out edits: design documents one by one, all others in one transaction before them.
func (d *database) commit(ctx context.Context, edits []edit) ([]driver.BulkResult, error) {
	results := make([]driver.BulkResult, len(edits))
	var plain []int
	for i, e := range edits {
		results[i] = driver.BulkResult{ID: e.id, Error: checkDocumentID(e.id)}
		if results[i].Error == nil && !isDesign(e.id) {
			plain = append(plain, i)
		}
	}
	if err := d.commitPlain(ctx, edits, plain, results); err != nil {
		return nil, err
	}
	for i, e := range edits {
		if results[i].Error == nil && isDesign(e.id) {
			results[i].Rev, results[i].Error = d.commitDesign(ctx, e)
		}
	}
	return results, nil
}

// commitPlain carries out the edits that chosen names. View functions run here, outside of any transaction; the
// transaction only checks that nothing they depended on has changed, else it is all done again.
func (d *database) commitPlain(ctx context.Context, edits []edit, chosen []int, results []driver.BulkResult) error {
	for len(chosen) > 0 {
		p, err := d.prepare(ctx, edits, chosen, results)
		if err != nil || len(p.changes) == 0 {
			return err
		}
		if err := d.writer.do(ctx, p.apply); !errors.Is(err, errStale) {
			return err
		}
	}
	return nil
}

// prepare works out the edits against what is stored now, and notes what becomes of each.
func (d *database) prepare(ctx context.Context, edits []edit, chosen []int, results []driver.BulkResult) (
	*plan, error,
) {
	b, err := d.readBasis(ctx, edits, chosen)
	if err != nil {
		return nil, err
	}
	p := &plan{database: d.name, generation: b.generation}
	for _, i := range chosen {
		e, result := edits[i], &results[i]
		*result = driver.BulkResult{ID: e.id}
		before, first := b.records[e.id]
		delete(b.records, e.id)
		if !first { // the same document twice in one bulk
			result.Error = errConflict
			continue
		}
		ch, err := newChange(e, before)
		if err != nil {
			result.Error = err
			continue
		}
		if ch.rows, err = b.rows(ctx, ch); err != nil {
			return nil, err
		}
		result.Rev = ch.after.rev
		p.changes = append(p.changes, ch)
	}
	return p, nil
}

func newChange(e edit, before *record) (change, error) {
	after, err := e.against(before)
	if err != nil {
		return change{}, err
	}
	after.rev = after.nextRev(before)
	for i := range after.atts {
		if after.atts[i].data != nil {
			after.atts[i].RevPos = after.generation()
		}
	}
	return change{id: e.id, before: before, after: after}, nil
}

// basis is what edits are worked out from.
type basis struct {
	generation uint64
	records    map[string]*record
	indexes    []index
}

func (d *database) readBasis(ctx context.Context, edits []edit, chosen []int) (*basis, error) {
	b := &basis{records: make(map[string]*record, len(chosen))}
	err := d.read(ctx, func(c contents) error {
		for _, i := range chosen {
			r, err := c.record(edits[i].id)
			if err != nil {
				return err
			}
			b.records[edits[i].id] = r.clone()
		}
		b.generation = c.generation()
		var err error
		b.indexes, err = d.indexes(c)
		return err
	})
	return b, err
}

// rows runs the view functions of every index on the document that a change leaves.
func (b *basis) rows(ctx context.Context, ch change) (map[string][]row, error) {
	rows := make(map[string][]row, len(b.indexes))
	for _, ix := range b.indexes {
		var err error
		if rows[ix.name], err = ix.rows(ctx, ch.id, ch.after); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// apply carries the plan out, or answers errStale before it has changed anything.
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
