package dedicatedip

import (
	"cmp"
	"context"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// mirror makes an account's copies of addresses what the pool says: the document while the account holds the
// address, else none (Kazoo: kz_ip:maybe_save_in_account, maybe_remove_from_account).
//
// Requests that follow each other closely may come here in the opposite order. So whoever has written copies
// looks whether the pool still says the same, and goes on until it does: the last to write has seen the last
// state. The pool has committed by now, so the answer is a success whatever becomes of the copies.
func (p *Pool) mirror(ctx context.Context, accountID string, ids []string) {
	if accountID == "" {
		return
	}
	p.report(p.equalize(ctx, accountID, ids), accountID, ids,
		"could not update the account's copies of these addresses: dedicated_ips is right, but billing counts the copies")
}

// equalize is mirror for those who want to know what became of it.
func (p *Pool) equalize(ctx context.Context, accountID string, ids []string) error {
	ctx, cancel := committed(ctx)
	defer cancel()
	db, err := account.Database(accountID)
	var pool map[string]document.Document
	for err == nil {
		seen := pool
		err = patiently(ctx, func() (err error) {
			pool, err = p.store.GetMany(ctx, Database, ids)
			return err
		})
		if err == nil && seen != nil && sameRevisions(ids, seen, pool) {
			return nil
		}
		if err == nil {
			err = patiently(ctx, func() error { return p.project(ctx, db, accountID, ids, pool) })
		}
		if fault.Is(err, fault.Conflict) { // another request is at the same copies
			pool, err = nil, ctx.Err()
		}
	}
	return err
}

func sameRevisions(ids []string, a, b map[string]document.Document) bool {
	for _, id := range ids {
		if a[id].Rev() != b[id].Rev() {
			return false
		}
	}
	return true
}

// project writes what differs between an account's copies and the pool.
func (p *Pool) project(
	ctx context.Context, db, accountID string, ids []string, pool map[string]document.Document,
) error {
	writes, err := differences(ctx, p.store, db, accountID, ids, pool)
	if err != nil {
		return err
	}
	for _, w := range p.putCopies(ctx, db, accountID, writes) {
		err = cmp.Or(err, w.Err)
	}
	return err
}

// documents reads several documents in one go.
type documents interface {
	GetMany(ctx context.Context, db string, ids []string) (map[string]document.Document, error)
}

// differences answers what to write for an account's copies of addresses to be what the pool says.
func differences(
	ctx context.Context, s documents, db, accountID string, ids []string, pool map[string]document.Document,
) (writes []document.Document, err error) {
	wanted := map[string]document.Document{}
	for _, id := range ids {
		if doc := pool[id]; isDedicatedIP(doc) && (IP{doc}).heldBy(accountID) {
			wanted[id] = content(doc)
		}
	}
	copies, err := s.GetMany(ctx, db, ids)
	if fault.Is(err, fault.DatastoreMissing) && len(wanted) == 0 {
		return nil, nil // the account is gone, and its copies with it
	}
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if doc := replacement(copies[id], wanted[id]); doc != nil {
			writes = append(writes, doc)
		}
	}
	return writes, nil
}

// replacement answers what to write over a copy to make it the wanted one, and nil where it is. Nil is no copy.
func replacement(copied, wanted document.Document) document.Document {
	switch {
	case copied == nil:
		return wanted
	case wanted == nil:
		return document.Document{"_id": copied.ID(), "_rev": copied.Rev(), "_deleted": true}
	case sameContent(copied, wanted):
		return nil
	default:
		wanted["_rev"] = copied.Rev()
		return wanted
	}
}

// attempts and pause bound how long an answer waits for a store that fails after the pool has committed.
const (
	attempts = 3
	pause    = 50 * time.Millisecond
)

// patiently tries what has to be done a few times. A conflict is not for it to repeat.
func patiently(ctx context.Context, try func() error) (err error) {
	for attempt := range attempts {
		if err = try(); err == nil || fault.Is(err, fault.Conflict) || attempt == attempts-1 {
			break
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause << attempt):
		}
	}
	return err
}

// reportedIPs bounds the length of a log line.
const reportedIPs = 20

// report tells the operator what is left to repair, if anything.
func (p *Pool) report(err error, accountID string, ids []string, message string) {
	if err == nil {
		return
	}
	p.log.Error().Err(err).Str("account", accountID).Int("count", len(ids)).
		Strs("ips", ids[:min(len(ids), reportedIPs)]).Msg(message)
}
