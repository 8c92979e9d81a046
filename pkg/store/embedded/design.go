package embedded

import (
	"bytes"
	"context"

	bolt "go.etcd.io/bbolt"
)

// commitDesign writes a design document. Its index is complete before the document appears, so no reader waits for
// one, unless it has "autoupdate": false. The new index is registered first, so that from then on every write updates it.
// Then the existing documents are mapped, a batch at a time, while other writes go on.
func (d *database) commitDesign(ctx context.Context, o op) (string, error) {
	unlock, err := d.lockDesigns(ctx)
	if err != nil {
		return "", err
	}
	defer unlock()
	ch, err := d.prepareDesign(ctx, o)
	if err != nil {
		return "", err
	}
	ix := index{}
	if !ch.after.deleted {
		if ix, err = d.newIndex(o.id, ch.after.body); err != nil {
			return "", err
		}
	}
	if err = d.build(ctx, o.id, ix); err == nil {
		err = d.update(ctx, func(c contents) error { return c.install(ch, ix) })
	}
	if err != nil {
		d.abandon(ctx, o.id, ix)
		return "", err
	}
	return ch.after.rev, nil
}

// lockDesigns serialises the writes of design documents to one database. Other documents do not wait for it.
func (d *database) lockDesigns(ctx context.Context) (unlock func(), err error) {
	lock, _ := d.designLocks.LoadOrStore(d.name, make(chan struct{}, 1))
	c := lock.(chan struct{})
	select {
	case c <- struct{}{}:
		return func() { <-c }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (d *database) prepareDesign(ctx context.Context, o op) (change, error) {
	var before *record
	err := d.read(ctx, func(c contents) error {
		r, err := c.record(o.id)
		before = r.clone()
		return err
	})
	if err != nil {
		return change{}, err
	}
	return newChange(o, before)
}

// build creates an index with the rows of all documents.
func (d *database) build(ctx context.Context, ddocID string, ix index) error {
	if ix.name == "" {
		return nil
	}
	var ready bool
	err := d.update(ctx, func(c contents) error {
		if ready = c.isInstalled(ddocID, ix.name); ready {
			return nil
		}
		return c.register(ix)
	})
	if err != nil || ready || ix.program.manual {
		return err
	}
	for last, more := "", true; more; {
		if last, more, err = d.buildBatch(ctx, ix, last); err != nil {
			return err
		}
	}
	return nil
}

// buildBatch maps the next documents behind the id last.
func (d *database) buildBatch(ctx context.Context, ix index, last string) (string, bool, error) {
	batch, err := d.nextDocuments(ctx, last)
	if err != nil || len(batch) == 0 {
		return "", false, err
	}
	for i := range batch {
		ch := &batch[i]
		rows, err := ix.rows(ctx, ch.id, ch.before)
		if err != nil {
			return "", false, err
		}
		ch.rows = map[string][]row{ix.name: rows}
	}
	err = d.update(ctx, func(c contents) error {
		x := c.index(ix.name)
		for _, ch := range batch {
			if ch.check(c) != nil {
				continue // written since: that write has mapped it
			}
			if err := x.replace(ch.id, ch.rows[ix.name]); err != nil {
				return err
			}
		}
		return nil
	})
	return batch[len(batch)-1].id, true, err
}

// The bounds of a batch of documents that are mapped for one index.
const (
	batchDocuments = 500
	batchBytes     = 4 << 20
)

// nextDocuments reads a batch of documents.
func (d *database) nextDocuments(ctx context.Context, last string) ([]change, error) {
	var batch []change
	err := d.read(ctx, func(c contents) error {
		cursor := c.part(docsBucket).Cursor()
		size := 0
		for k, v := cursor.Seek(append([]byte(last), 0)); k != nil; k, v = cursor.Next() {
			r, err := decodeRecord(v)
			if err != nil {
				return err
			}
			batch = append(batch, change{id: string(k), before: r.clone()})
			if size += len(v); len(batch) == batchDocuments || size > batchBytes {
				return nil
			}
		}
		return nil
	})
	return batch, err
}

// register creates an empty index that writes update and no query reads. It replaces one that was abandoned.
func (c contents) register(ix index) error {
	if c.index(ix.name).Bucket != nil {
		if err := c.dropIndex(ix.name); err != nil {
			return err
		}
	}
	b, err := c.part(indexesBucket).CreateBucket([]byte(ix.name))
	if err != nil {
		return err
	}
	if err := b.Put(sourceKey, ix.source); err != nil {
		return err
	}
	if _, err := b.CreateBucket(emittedBucket); err != nil {
		return err
	}
	rows, err := b.CreateBucket(rowsBucket)
	if err != nil {
		return err
	}
	for _, view := range ix.program.views() {
		if _, err := rows.CreateBucket(viewBucket(view)); err != nil {
			return err
		}
	}
	return c.renew()
}

// install stores the design document and replaces its index.
func (c contents) install(ch change, ix index) error {
	current := ix.name != "" && c.index(ix.name).Sequence() == c.updateSeq()
	if err := ch.store(c); err != nil {
		return err
	}
	if current { // a design document has no rows
		if err := c.index(ix.name).SetSequence(c.updateSeq()); err != nil {
			return err
		}
	}
	designs := c.part(designsBucket)
	old := string(designs.Get([]byte(ch.id)))
	err := designs.Put([]byte(ch.id), []byte(ix.name))
	if ch.after.deleted {
		err = designs.Delete([]byte(ch.id))
	}
	if err != nil || old == "" || old == ix.name {
		return err
	}
	return c.dropIndex(old)
}

func (c contents) isInstalled(ddocID, name string) bool {
	return bytes.Equal(c.part(designsBucket).Get([]byte(ddocID)), []byte(name))
}

func (c contents) dropIndex(name string) error {
	if err := c.part(indexesBucket).DeleteBucket([]byte(name)); err != nil {
		return err
	}
	return c.renew()
}

// abandon removes an index whose design document was not written. If that fails too, it is removed when the store
// is next opened.
func (d *database) abandon(ctx context.Context, ddocID string, ix index) {
	if ix.name == "" {
		return
	}
	err := d.update(context.WithoutCancel(ctx), func(c contents) error {
		if c.isInstalled(ddocID, ix.name) || c.index(ix.name).Bucket == nil {
			return nil
		}
		return c.dropIndex(ix.name)
	})
	if err != nil {
		d.log.Warn().Err(err).Str("design", ddocID).Msg("unfinished index not removed")
	}
}

// unfinished is an index that no design document names: a process died while it built it.
type unfinished struct{ database, index string }

func unfinishedIndexes(tx *bolt.Tx) (list []unfinished, err error) {
	databases := tx.Bucket(databasesBucket)
	err = databases.ForEachBucket(func(name []byte) error {
		c := contents{databases.Bucket(name)}
		installed := map[string]bool{}
		err := c.part(designsBucket).ForEach(func(_, index []byte) error {
			installed[string(index)] = true
			return nil
		})
		if err != nil {
			return err
		}
		return c.part(indexesBucket).ForEachBucket(func(index []byte) error {
			if !installed[string(index)] {
				list = append(list, unfinished{string(name), string(index)})
			}
			return nil
		})
	})
	return list, err
}

func dropUnfinished(tx *bolt.Tx, list []unfinished) error {
	for _, u := range list {
		c, err := openContents(tx, u.database)
		if err != nil {
			return err
		}
		if err := c.dropIndex(u.index); err != nil {
			return err
		}
	}
	return nil
}
