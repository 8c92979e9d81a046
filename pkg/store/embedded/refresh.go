package embedded

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"sync"
)

// errOutdated is returned for an index that does not have everything that was written before.
var errOutdated = errors.New("index outdated")

// The bounds of a batch of documents that are mapped.
const (
	batchDocuments = 500
	batchBytes     = 4 << 20
)

// pending is a document that was written since an index was updated, and its rows.
type pending struct {
	id     string
	record *record
	rows   map[string][]row // by index
}

// refresh updates the indexes that choose returns, so that they have everything that was written before.
func (d *database) refresh(ctx context.Context, choose func(contents) ([]index, error)) error {
	var until uint64
	err := d.read(ctx, func(c contents) error {
		until = c.updateSeq()
		return nil
	})
	for reached := uint64(0); err == nil && reached < until; {
		reached, err = d.refreshBatch(ctx, choose)
	}
	return err
}

// refreshBatch maps the next documents that were written, and returns the sequence that the chosen indexes have reached.
// View functions run outside of any transaction. A document that is written again meanwhile gets the rows of the
// revision that was mapped: its new sequence is not reached yet, so it is mapped again.
//
// One batch of a database is mapped at a time. So many queries at once mostly find nothing to do, and a query does not
// wait until the index of another design document is complete.
func (d *database) refreshBatch(ctx context.Context, choose func(contents) ([]index, error)) (reached uint64, err error) {
	unlock, err := d.lock(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	var indexes []index
	var batch []pending
	err = d.read(ctx, func(c contents) (err error) {
		if indexes, err = choose(c); err == nil {
			batch, reached, err = c.nextChanges(indexes)
		}
		return err
	})
	if err == nil {
		err = mapAll(ctx, indexes, batch)
	}
	outdated := func(ix index) bool { return ix.reached < reached } // without a batch, too, if the file is damaged
	if err != nil || !slices.ContainsFunc(indexes, outdated) {
		return reached, err
	}
	return reached, d.update(ctx, len(batch), func(c contents) error {
		for _, ix := range indexes {
			if err := c.index(ix.name).add(ix, batch, reached); err != nil {
				return err
			}
		}
		return nil
	})
}

// nextChanges reads a batch of the documents that were written since the oldest of the indexes was updated, and the
// sequence of the last of them.
func (c contents) nextChanges(indexes []index) (batch []pending, last uint64, err error) {
	last = c.updateSeq()
	if len(indexes) == 0 {
		return nil, last, nil
	}
	oldest := slices.MinFunc(indexes, func(a, b index) int { return cmp.Compare(a.reached, b.reached) })
	cursor := c.part(changesBucket).Cursor()
	size := 0
	for k, id := cursor.Seek(seqKey(oldest.reached + 1)); k != nil; k, id = cursor.Next() {
		r, err := c.record(string(id))
		if err != nil {
			return nil, 0, err
		}
		batch = append(batch, pending{id: string(id), record: r.clone(), rows: map[string][]row{}})
		if size += len(r.body); len(batch) == batchDocuments || size > batchBytes {
			return batch, binary.BigEndian.Uint64(k), nil // of the key, which grows even in a damaged file
		}
	}
	return batch, last, nil
}

// mapAll runs the view functions of the indexes on a batch, on all processors.
func mapAll(ctx context.Context, indexes []index, batch []pending) error {
	workers := min(runtime.GOMAXPROCS(0), len(batch))
	errs := make([]error, workers)
	var all sync.WaitGroup
	for n := range workers {
		all.Go(func() {
			for i := n; i < len(batch) && errs[n] == nil; i += workers {
				errs[n] = batch[i].mapFor(ctx, indexes)
			}
		})
	}
	all.Wait()
	return cmp.Or(errs...)
}

func (p pending) mapFor(ctx context.Context, indexes []index) (err error) {
	for _, ix := range indexes {
		if p.record.seq <= ix.reached {
			continue
		}
		if p.rows[ix.name], err = ix.rows(ctx, p.id, p.record); err != nil {
			return err
		}
	}
	return nil
}
