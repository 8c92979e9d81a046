package embedded

import (
	"bytes"
	"context"

	bolt "go.etcd.io/bbolt"
)

// commitDesign writes a design document. Its index has been built by then, a batch of documents at a time while other
// writes go on, so that readers use the index before it until the new one is as good.
func (d *database) commitDesign(ctx context.Context, o op) (rev string, err error) {
	unlock, err := d.lock(ctx, &d.designLocks) // other documents do not wait for it
	if err != nil {
		return "", err
	}
	defer unlock()
	var next *record
	err = d.read(ctx, func(c contents) error {
		before, err := c.record(o.id)
		if err == nil {
			next, err = o.next(before)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	ix := index{}
	if !next.deleted {
		if ix, err = d.newIndex(o.id, next.body); err != nil {
			return "", err
		}
	}
	if err = d.build(ctx, o.id, ix); err == nil {
		err = d.update(ctx, 1, func(c contents) (err error) {
			rev, err = c.install(o, next.deleted, ix)
			return err
		})
	}
	if err != nil {
		d.abandon(ctx, o.id, ix)
		return "", err
	}
	d.updater.note(d.name, 1)
	return rev, nil
}

// build creates an index with the rows of all documents. Nobody else knows it yet.
func (d *database) build(ctx context.Context, ddocID string, ix index) error {
	if ix.name == "" {
		return nil
	}
	var ready bool
	err := d.update(ctx, 1, func(c contents) error {
		if ready = c.isInstalled(ddocID, ix.name); ready {
			return nil
		}
		return c.register(ix)
	})
	if err != nil || ready {
		return err
	}
	return d.catchUp(ctx, func(c contents) ([]index, error) {
		ix.reached = c.index(ix.name).Sequence()
		return []index{ix}, nil
	})
}

// register creates an empty index that no query reads. It replaces one that was abandoned.
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
	for _, view := range ix.program.views {
		if _, err := rows.CreateBucket(viewBucket(view)); err != nil {
			return err
		}
	}
	return nil
}

// install stores a design document, and replaces its index.
func (c contents) install(o op, deleted bool, ix index) (rev string, err error) {
	if rev, err = c.write(o); err != nil {
		return "", err
	}
	designs := c.part(designsBucket)
	old := string(designs.Get([]byte(o.id)))
	if deleted {
		err = designs.Delete([]byte(o.id))
	} else {
		err = designs.Put([]byte(o.id), []byte(ix.name))
	}
	if err != nil || old == "" || old == ix.name {
		return rev, err
	}
	return rev, c.dropIndex(old)
}

func (c contents) isInstalled(ddocID, name string) bool {
	return bytes.Equal(c.part(designsBucket).Get([]byte(ddocID)), []byte(name))
}

func (c contents) dropIndex(name string) error {
	return c.part(indexesBucket).DeleteBucket([]byte(name))
}

// abandon removes an index whose design document was not written. If that fails too, it is removed when the store
// is next opened.
func (d *database) abandon(ctx context.Context, ddocID string, ix index) {
	if ix.name == "" {
		return
	}
	err := d.update(context.WithoutCancel(ctx), 1, func(c contents) error {
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
