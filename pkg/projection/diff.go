package projection

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// What is done to an account's copy that does not equal the pool.
const (
	CopyCreated = "created" // it was missing
	CopyUpdated = "updated" // it was stale
	CopyRemoved = "removed" // the account does not hold the address
)

// difference is a copy that does not equal the pool.
type difference struct {
	write document.Document // makes it equal: a new document, one over its revision, or a tombstone
	// unexplained says that the copy is to be removed and the pool does not show why. It does if its document of the
	// address is at least as new as the copy, as after every release and every move.
	unexplained bool
}

// kind returns what it does to the copy to write the difference: CopyCreated, CopyUpdated or CopyRemoved.
func (d difference) kind() string {
	switch {
	case d.write.Bool("_deleted"):
		return CopyRemoved
	case d.write.Rev() != "":
		return CopyUpdated
	}
	return CopyCreated
}

// Reader reads several documents in one call.
type Reader interface {
	GetMany(ctx context.Context, db string, ids []string) (map[string]document.Document, error)
}

// chunk bounds how many documents are read and written in one call.
const chunk = 500

// errNoDatabase says that an account holds an address and has no database.
var errNoDatabase = errors.New("the account has no database")

// compare compares an account's copies of at most chunk addresses with the pool. It also returns the pool's documents
// and the copies that it has read. The copies are read first, so that what is written over one is never older than it.
// The error is errNoDatabase if the account holds an address and has no database.
func compare(
	ctx context.Context, s Reader, accountID string, ids []string,
) (differences []difference, pool, copies map[string]document.Document, err error) {
	db, err := account.Database(accountID)
	if err == nil {
		copies, err = s.GetMany(ctx, db, ids)
	}
	noDatabase := db == "" || fault.Is(err, fault.DatastoreMissing)
	if err != nil && !noDatabase {
		return nil, nil, nil, err
	}
	if pool, err = s.GetMany(ctx, kazoo.DedicatedIPs, ids); err != nil {
		return nil, nil, nil, err
	}
	if noDatabase {
		if slices.ContainsFunc(ids, func(id string) bool { return history.StateOf(pool[id]).Holder == accountID }) {
			return nil, pool, nil, errNoDatabase
		}
		return nil, pool, nil, nil // the copies are gone with the account
	}
	for _, id := range ids {
		copied := copies[id]
		of := history.StateOf(pool[id])
		switch held := of.Holder == accountID; {
		case copied == nil && held:
			differences = append(differences, difference{write: Content(pool[id])})
		case copied != nil && held && !SameContent(copied, pool[id]):
			updated := Content(pool[id])
			updated["_rev"] = copied.Rev()
			differences = append(differences, difference{write: updated})
		case copied != nil && !held && copied.String(kazoo.FieldType) == kazoo.TypeDedicatedIP:
			differences = append(differences, difference{
				write:       document.Document{"_id": id, "_rev": copied.Rev(), "_deleted": true},
				unexplained: !of.Exists || modified(pool[id]) < modified(copied),
			})
		}
	}
	return differences, pool, copies, nil
}

func modified(doc document.Document) int64 {
	seconds, _ := doc.Int(kazoo.FieldModified)
	return seconds
}

// SameContent reports whether two documents are equal in what the pool shares with the accounts.
func SameContent(a, b document.Document) bool { return reflect.DeepEqual(Content(a), Content(b)) }

// Content returns a document without what a store adds to it, and without what is the pool's alone: the record of
// changes and the operators' notes. Crossbar copies these, too, so they are ignored in what it wrote.
func Content(doc document.Document) document.Document {
	doc = maps.Clone(doc)
	for _, field := range []string{"_rev", "_conflicts", store.FieldWriter, history.Field, kazoo.FieldNotes} {
		delete(doc, field)
	}
	return doc
}
