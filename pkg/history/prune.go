package history

import (
	"context"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// Pruned is what Prune did.
type Pruned struct {
	Removed int `json:"removed"`
	// Kept is how many older events remain because they say who holds an address now: the last one of each address of
	// the pool.
	Kept int `json:"kept"`
}

// Prune removes the events from before a time, in Gregorian seconds, but for the last one of each address that was not
// deleted. It may be repeated. A time in the future removes what there is now. progress is called with the number of
// events read; nil disables it.
func (l *Log) Prune(ctx context.Context, before int64, progress func(seen int)) (done Pruned, err error) {
	now := kazoo.Gregorian(l.now())
	until := min(before, now) // events that are yet to come must not count as pruned
	doc, err := l.store.Update(ctx, Database, checkpointID, func(doc document.Document) error {
		if known, _ := doc.Int(fieldPruned); known >= until && known <= now {
			return store.ErrUnchanged
		}
		doc[kazoo.FieldType], doc[fieldPruned] = typeCheckpoint, document.Number(until)
		return nil
	})
	if err != nil {
		return done, err
	}
	l.readPruned(doc)
	q := store.Query{StartKey: []any{""}, IncludeDocs: true, Limit: batchSize}
	var last Event // whose next one decides
	seen := 0
	for {
		var doomed []string
		rows := 0
		var key []any
		err := l.store.View(ctx, Database, design, byAddress, q, func(row store.Row) error {
			doc, err := row.Doc()
			if err == nil {
				err = row.Key(&key)
			}
			if err != nil {
				return err
			}
			rows++
			e := decodeDocument(doc)
			if e.ID == last.ID {
				return nil
			}
			if last.At < before && last.ID != "" && (last.IP == e.IP || last.Action == Deleted) {
				doomed = append(doomed, last.ID)
			} else if last.At < before && last.ID != "" {
				done.Kept++
			}
			last = e
			seen++
			return nil
		})
		if err != nil {
			return done, err
		}
		ended := rows < batchSize
		if ended && last.ID != "" && last.At < before {
			if last.Action == Deleted {
				doomed = append(doomed, last.ID)
			} else {
				done.Kept++
			}
		}
		removed, err := l.remove(ctx, doomed)
		done.Removed += removed
		if err != nil || ended {
			return done, err
		}
		if progress != nil {
			progress(seen)
		}
		q.StartKey = key
	}
}

// remove removes events, and returns how many.
func (l *Log) remove(ctx context.Context, ids []string) (removed int, err error) {
	docs, err := l.store.GetMany(ctx, Database, ids)
	if err != nil || len(docs) == 0 {
		return 0, err
	}
	tombstones := make([]document.Document, 0, len(docs))
	for id, doc := range docs {
		tombstones = append(tombstones, document.Document{"_id": id, "_rev": doc.Rev(), "_deleted": true})
	}
	for _, w := range store.PutEach(ctx, l.store, Database, tombstones) {
		switch {
		case w.Err == nil:
			removed++
		case !fault.Is(w.Err, fault.Conflict): // somebody else has removed it
			err = w.Err
		}
	}
	return removed, err
}
