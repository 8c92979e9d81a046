package embedded

import "context"

// commitDesign writes a design document, and with it an empty index if its views are others than before. Then it updates
// the index. A query of the views meanwhile waits for that, as with a CouchDB, and goes on with it if ctx ends.
func (d *database) commitDesign(ctx context.Context, doc *incoming) (rev string, err error) {
	var next *record
	err = d.read(ctx, func(c contents) error {
		before, err := c.record(doc.id)
		if err == nil {
			next, err = doc.next(before)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	ix := index{}
	if !next.deleted {
		if ix, err = d.newIndex(doc.id, next.body); err != nil {
			return "", err
		}
	}
	err = d.update(ctx, 1, func(c contents) (err error) {
		if rev, err = c.write(doc); err != nil { // if it goes on from another record than it did above
			return err
		}
		return c.replaceIndex(doc.id, next.deleted, ix)
	})
	if err != nil {
		return "", err
	}
	d.updater.note(d.name)
	_ = d.refresh(ctx, d.indexOf(doc.id))
	return rev, nil
}

// replaceIndex makes ix the index of a design document, empty unless it has been that before.
func (c contents) replaceIndex(ddocID string, deleted bool, ix index) (err error) {
	designs := c.part(designsBucket)
	before := string(designs.Get([]byte(ddocID)))
	if deleted {
		err = designs.Delete([]byte(ddocID))
	} else {
		err = designs.Put([]byte(ddocID), []byte(ix.name))
	}
	if err != nil || before == ix.name {
		return err
	}
	if before != "" {
		if err := c.dropIndex(before); err != nil {
			return err
		}
	}
	if ix.name == "" {
		return nil
	}
	return c.createIndex(ix)
}

func (c contents) createIndex(ix index) error {
	if c.index(ix.name).Bucket != nil { // format 1 had indexes that a crash left unfinished
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

func (c contents) dropIndex(name string) error {
	return c.part(indexesBucket).DeleteBucket([]byte(name))
}
