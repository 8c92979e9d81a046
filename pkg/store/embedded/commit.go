package embedded

import (
	"context"
	"errors"
	"slices"

	"github.com/go-kivik/kivik/v4/driver"
)

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

// commitPlain carries out the chosen ops, given by index, in one transaction.
func (d *database) commitPlain(ctx context.Context, ops []op, chosen []int, results []driver.BulkResult) error {
	err := d.update(ctx, len(chosen), func(c contents) error {
		refused := 0
		for _, i := range chosen {
			rev, err := c.write(ops[i])
			if err != nil && !isRefusal(err) {
				return err
			}
			if results[i].Rev, results[i].Error = rev, err; err != nil {
				refused++
			}
		}
		if refused == len(chosen) {
			return errAllRefused
		}
		return nil
	})
	if err == nil {
		d.updater.note(d.name)
	}
	if errors.Is(err, errAllRefused) {
		return nil
	}
	return err
}

// write stores what an op makes of its document, and returns the new revision.
func (c contents) write(o op) (rev string, err error) {
	before, err := c.record(o.id)
	if err != nil {
		return "", err
	}
	after, err := o.next(before)
	if err != nil {
		return "", err
	}
	after.rev = after.nextRev(before)
	for i := range after.atts {
		if after.atts[i].data != nil {
			after.atts[i].RevPos = after.generation()
		}
	}
	if err := c.put(o.id, after, before); err != nil {
		return "", err
	}
	return after.rev, c.putFiles(o.id, after, before)
}
