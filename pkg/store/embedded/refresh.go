package embedded

import "context"

// refresh updates the index of a design document that has "autoupdate": false, so that a query sees every write before
// it. The index covers all changes up to its sequence.
func (d *database) refresh(ctx context.Context, ddocID string) error {
	ix, _, err := d.outdated(ctx, ddocID)
	if err != nil || ix.name == "" {
		return err
	}
	unlock, err := d.lockDesigns(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	ix, until, err := d.outdated(ctx, ddocID) // again: another query may have done it meanwhile
	for ix.name != "" && err == nil {
		var reached uint64
		if reached, until, err = d.refreshBatch(ctx, ix, until); reached >= until {
			break
		}
	}
	return err
}

// outdated returns the index of a design document if a query has to update it first, and the update sequence of the
// database. The index has no name if there is nothing to do.
func (d *database) outdated(ctx context.Context, ddocID string) (ix index, until uint64, err error) {
	err = d.read(ctx, func(c contents) error {
		name := string(c.part(designsBucket).Get([]byte(ddocID)))
		if name == "" {
			return nil
		}
		x := c.index(name)
		p, err := d.program(name, x.Get(sourceKey))
		if err == nil && p.manual && x.Sequence() < c.updateSeq() {
			ix, until = index{name: name, program: p}, c.updateSeq()
		}
		return err
	})
	return ix, until, err
}

// refreshBatch maps the next documents that have changed. It returns the sequence that the index has reached, and the one
// that it has to reach. A document that was written again meanwhile is skipped, and its new sequence has to be reached,
// too.
func (d *database) refreshBatch(ctx context.Context, ix index, until uint64) (reached, target uint64, err error) {
	batch, reached, err := d.nextChanges(ctx, ix.name)
	if err != nil || len(batch) == 0 {
		return until, until, err
	}
	b := basis{indexes: []index{ix}}
	if err := b.mapAll(ctx, batch); err != nil {
		return 0, until, err
	}
	target = until
	err = d.update(ctx, func(c contents) error {
		x := c.index(ix.name)
		for _, ch := range batch {
			stored, err := c.record(ch.id)
			if err != nil {
				return err
			}
			if stored.revision() != ch.after.revision() {
				target = max(target, stored.seq)
				continue
			}
			if err := x.replace(ch.id, ch.rows[ix.name]); err != nil {
				return err
			}
		}
		return x.SetSequence(reached)
	})
	return reached, target, err
}

// nextChanges reads a batch of the documents that have changed since an index was updated, and the sequence of the last.
func (d *database) nextChanges(ctx context.Context, name string) (batch []change, last uint64, err error) {
	err = d.read(ctx, func(c contents) error {
		cursor := c.part(changesBucket).Cursor()
		size := 0
		for k, id := cursor.Seek(seqKey(c.index(name).Sequence() + 1)); k != nil; k, id = cursor.Next() {
			r, err := c.record(string(id))
			if err != nil {
				return err
			}
			batch, last = append(batch, change{id: string(id), after: r.clone()}), r.seq
			if size += len(r.body); len(batch) == batchDocuments || size > batchBytes {
				return nil
			}
		}
		return nil
	})
	return batch, last, err
}
