package history

import (
	"context"
	"strconv"
	"time"

	"junctor/pkg/backoff"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

const (
	moveEvery = 50 * time.Millisecond // how long events wait, so that they are written together
	lastPause = 10 * time.Second      // between attempts, while the database can't be written
	saveEvery = 10 * time.Second      // the checkpoint; what was moved since is looked through again after a crash
)

// Run moves events to the database until ctx ends: first what was changed since the stored checkpoint, then what is
// observed. It has to end before the store is closed.
func (l *Log) Run(ctx context.Context) {
	l.Reloaded()
	saved := time.Now()
	for pauses := backoff.New(moveEvery, lastPause); ; {
		pause := moveEvery
		err := l.moveAll(ctx)
		if err == nil && time.Since(saved) >= saveEvery {
			if err = l.save(ctx); err == nil {
				saved = time.Now()
			}
		}
		if ctx.Err() != nil {
			break
		}
		l.report(err)
		if err == nil {
			pauses.Reset()
		} else {
			pause = pauses.Next()
		}
		if backoff.Sleep(ctx, pause) != nil {
			break
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	err := l.moveAll(ctx)
	if err == nil {
		err = l.save(ctx)
	}
	if err != nil {
		l.log.Warn().Err(err).Int("waiting", l.Stats().Waiting).
			Msg("the history lacks the last changes; the next start moves them")
	}
}

// report logs the beginning and the end of a failure.
func (l *Log) report(err error) {
	switch {
	case err != nil && !l.failed:
		l.log.Error().Err(err).Msg("changes can't be moved to the history; they stay in the documents of the addresses " +
			"until they can")
	case err == nil && l.failed:
		l.log.Info().Msg("changes are moved to the history again")
	}
	l.failed = err != nil
}

// Reloaded records that Observe was not called for all that was written. Run then reads the pool's feed from what it
// has moved.
func (l *Log) Reloaded() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.behind = true
}

// Passed records that Observe was called for all documents written before a position in the feed of an epoch, since the
// pool was last loaded.
func (l *Log) Passed(since, epoch string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.passed.since == "" { // the index was loaded, without Observe for what was written before
		l.behind = true
	}
	l.passed = mark{since, epoch, l.now()}
}

// moveAll moves what was not observed, then what was.
func (l *Log) moveAll(ctx context.Context) error {
	l.mu.Lock()
	behind, passed := l.behind, l.passed
	l.behind = false
	l.mu.Unlock()
	if behind {
		if err := l.catchUp(ctx); err != nil {
			l.Reloaded()
			return err
		}
	}
	if err := l.Flush(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if passed.since != "" && !l.behind { // all that was observed before is moved
		l.moved = passed
	}
	return nil
}

// catchUp reads the pool's feed from what was moved on, and moves what it finds. What is queued meanwhile waits.
func (l *Log) catchUp(ctx context.Context) error {
	position, first, err := l.position(ctx)
	if err != nil {
		return err
	}
	began := l.now()
	var docs []document.Document
	moveRead := func() error {
		err := l.exclusively(ctx, func(ctx context.Context) error { return l.move(ctx, docs, first) })
		if docs = nil; err == nil {
			l.mu.Lock()
			l.moved.since = position
			l.mu.Unlock()
		}
		return err
	}
	err = l.store.ChangesSince(ctx, kazoo.DedicatedIPs, position, func(c store.Change) error {
		doc, err := c.Doc()
		if err != nil {
			return err
		}
		position = c.Seq
		if docs = append(docs, doc); len(docs) < batchSize {
			return nil
		}
		started := time.Now()
		if err := moveRead(); err != nil {
			return err
		}
		return backoff.Sleep(ctx, time.Since(started)) // requests come first
	})
	if err == nil {
		err = moveRead()
	}
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.moved.at = began
	return nil
}

// position returns where in the pool's feed to begin. first reports whether the database has no events.
func (l *Log) position(ctx context.Context) (since string, first bool, err error) {
	_, epoch, err := l.store.Position(ctx, kazoo.DedicatedIPs)
	if err != nil {
		return "", false, err
	}
	l.mu.Lock()
	moved := l.moved
	l.mu.Unlock()
	if moved.since == "" {
		if moved, err = l.load(ctx, epoch); err != nil {
			return "", false, err
		}
	}
	if moved.epoch != epoch { // another database, in which generations begin anew
		moved = mark{epoch: epoch}
		l.known.Purge()
	}
	if moved.since == "" {
		if first, err = l.isEmpty(ctx); err != nil {
			return "", false, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.moved = moved
	return moved.since, first, nil
}

// isEmpty reports whether the database has no events.
func (l *Log) isEmpty(ctx context.Context) (empty bool, err error) {
	empty = true
	err = l.store.View(ctx, Database, design, byTime, store.Query{Limit: 1}, func(store.Row) error {
		empty = false
		return nil
	})
	return empty, err
}

// The checkpoint is a document of the database. All servers share it: the one that writes it has moved all before it.
const (
	checkpointID   = "checkpoint"
	fieldSince     = "since"
	fieldEpoch     = "epoch"
	fieldPruned    = "pruned" // Gregorian seconds
	typeCheckpoint = "ip_history_checkpoint"
)

// load reads the checkpoint. It ignores one that is not of this pool's feed, as after an import.
func (l *Log) load(ctx context.Context, epoch string) (mark, error) {
	doc, err := l.store.Get(ctx, Database, checkpointID)
	if fault.Is(err, fault.BadIdentifier) {
		return mark{epoch: epoch}, nil
	}
	if err != nil {
		return mark{}, err
	}
	l.readPruned(doc)
	now, _, err := l.store.Position(ctx, kazoo.DedicatedIPs)
	since := doc.String(fieldSince)
	if err != nil || doc.String(fieldEpoch) != epoch || isAfter(since, now) {
		return mark{epoch: epoch}, err
	}
	l.stored = mark{since: since, epoch: epoch}
	return l.stored, nil
}

func (l *Log) readPruned(checkpoint document.Document) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before, _ := checkpoint.Int(fieldPruned)
	l.pruned = &before
}

// prunedBefore returns the time, in Gregorian seconds, before which events were removed from the database.
func (l *Log) prunedBefore(ctx context.Context) (int64, error) {
	l.mu.Lock()
	known := l.pruned
	l.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	doc, err := l.store.Get(ctx, Database, checkpointID)
	if err != nil && !fault.Is(err, fault.BadIdentifier) {
		return 0, err
	}
	l.readPruned(doc)
	before, _ := doc.Int(fieldPruned)
	return before, nil
}

// isAfter reports whether a sequence is of a database with more writes. Those of a CouchDB cluster can't be compared.
func isAfter(a, b string) bool {
	x, err := strconv.Atoi(a)
	y, otherErr := strconv.Atoi(b)
	return err == nil && otherErr == nil && x > y
}

// save writes the checkpoint if it has changed.
func (l *Log) save(ctx context.Context) error {
	l.mu.Lock()
	moved := l.moved
	l.mu.Unlock()
	if moved.since == l.stored.since && moved.epoch == l.stored.epoch {
		return nil
	}
	doc, err := l.store.Update(ctx, Database, checkpointID, func(doc document.Document) error {
		doc[kazoo.FieldType], doc[fieldSince], doc[fieldEpoch] = typeCheckpoint, moved.since, moved.epoch
		return nil
	})
	if err == nil {
		l.stored = moved
		l.readPruned(doc)
	}
	return err
}
