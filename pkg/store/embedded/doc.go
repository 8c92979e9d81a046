// Package embedded is a kivik driver over one bbolt file, so that junctor runs with nothing else installed.
//
// It answers as a single CouchDB node does, in the part of CouchDB that junctor uses: databases, documents with
// revisions, attachments, _all_docs, views, _changes and bulk writes. Views are the JavaScript of the design
// documents, the same files a CouchDB runs. What it does not do (replication, old revisions, Mango, document
// validation functions, compaction) it refuses with a 501 that names the thing.
//
// Three promises go beyond the interface: an answered write is on disk; an index is never behind or ahead of its
// documents, whenever the process dies; and no JavaScript runs while a write transaction is open.
//
// The package knows nothing of Kazoo, of accounts or of addresses.
package embedded
