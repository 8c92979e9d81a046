package embedded

import (
	"context"
	"errors"
	"slices"

	"github.com/go-kivik/kivik/v4/driver"
)

func (d *database) commitOne(ctx context.Context, doc *incoming) (string, error) {
	results, err := d.commit(ctx, []*incoming{doc})
	if err != nil {
		return "", err
	}
	return results[0].Rev, results[0].Error
}

// commit writes documents: design documents one by one, all others before them.
func (d *database) commit(ctx context.Context, docs []*incoming) ([]driver.BulkResult, error) {
	results := make([]driver.BulkResult, len(docs))
	seen := make(map[string]bool, len(docs))
	var plain []int
	for i, doc := range docs {
		results[i] = driver.BulkResult{ID: doc.id, Error: checkDocumentID(doc.id)}
		if results[i].Error == nil && seen[doc.id] {
			results[i].Error = errConflict
		}
		seen[doc.id] = true
		if results[i].Error == nil && !isDesign(doc.id) {
			plain = append(plain, i)
		}
	}
	for chosen := range slices.Chunk(plain, maxBatch) {
		if err := d.commitPlain(ctx, docs, chosen, results); err != nil {
			return nil, err
		}
	}
	for i, doc := range docs {
		if results[i].Error == nil && isDesign(doc.id) {
			results[i].Rev, results[i].Error = d.commitDesign(ctx, doc)
		}
	}
	return results, nil
}

// commitPlain writes the chosen documents, given by index, in one transaction.
func (d *database) commitPlain(
	ctx context.Context, docs []*incoming, chosen []int, results []driver.BulkResult,
) error {
	err := d.update(ctx, len(chosen), func(c contents) error {
		refused := 0
		for _, i := range chosen {
			rev, err := c.write(docs[i])
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

// write stores a document, and returns the new revision.
func (c contents) write(doc *incoming) (rev string, err error) {
	before, err := c.record(doc.id)
	if err != nil {
		return "", err
	}
	after, err := doc.next(before)
	if err != nil {
		return "", err
	}
	after.rev = after.nextRev(before)
	for i := range after.atts {
		if after.atts[i].data != nil {
			after.atts[i].RevPos = after.generation()
		}
	}
	if err := c.put(doc.id, after, before); err != nil {
		return "", err
	}
	return after.rev, c.putFiles(doc.id, after, before)
}
