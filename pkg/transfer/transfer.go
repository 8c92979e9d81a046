// Package transfer writes all databases of a store to one file, and such a file to a store: the way between an embedded
// store and a CouchDB, in both directions.
//
// A file has a line of JSON for each thing, see format.go, and ends with the check sum of all lines before. Verify reads
// it to its end, so that nothing is written of a file that was cut off.
//
// Documents are the same after a transfer, except for their revisions: each store makes its own. Import compares what
// is in the file with what is in the store. So it may be repeated, and continues after it was interrupted. Documents
// that differ are not changed, unless Overwrite is set.
//
// An export holds a page of documents in memory, and an import a page and the attachments of one document. The package
// does not know what the documents mean, with two exceptions: the tombstones of the pool, which the history of an address
// goes on from, and what belongs to the processes of one store, as a lease and a position in a feed.
package transfer

import (
	"strings"

	"junctor/pkg/document"
	"junctor/pkg/history"
	"junctor/pkg/kazoo"
	"junctor/pkg/projection"
)

// Progress is how far a transfer has come.
type Progress struct {
	Database    string // the one under way
	Databases   int    // that were begun
	Total       int    // databases; only of an export
	Documents   int
	Attachments int
	Bytes       int64 // of the file
}

// hasTombstones reports whether the tombstones of a database are transferred: those that have history.Field.
func hasTombstones(db string) bool { return db == kazoo.DedicatedIPs }

const tombstoneField = history.Field

// isProcessState reports whether a document is about the processes of one store, and means nothing in another.
func isProcessState(db, id string) bool {
	return db == projection.StateDatabase && id == projection.StateID
}

// detach removes from a document what means nothing in another store.
func detach(db string, doc document.Document) {
	if db == history.Database {
		history.Detach(doc)
	}
}

const designPrefix = "_design/"

func isDesign(id string) bool { return strings.HasPrefix(id, designPrefix) }

// ownDesign is the design document that every junctor installs in the version that it needs.
const ownDesign = designPrefix + "junctor"
