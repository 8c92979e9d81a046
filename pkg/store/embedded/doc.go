// Package embedded is a kivik driver over one bbolt file, so that junctor runs with nothing else installed.
//
// It behaves as a single CouchDB node does, in the part of CouchDB that pkg/store calls and that the design documents of
// junctor and Kazoo use: databases, documents with revisions, bulk writes, attachments inside a document, _all_docs,
// views, views reduced by key with _count, _sum of numbers or JavaScript, and _changes, normal or long poll. Views are
// the JavaScript of the design documents, the same files that a CouchDB runs. Anything else is refused with a 501 that
// names it. A reduce function that is not supported refuses only the queries that reduce.
//
// Three promises go beyond the interface: an acknowledged write is on disk; a query has everything that was written before
// it, whenever a process dies (a query updates the index, if that was not done in the background); and no JavaScript runs
// while a write transaction is open.
//
// The package knows nothing of Kazoo, of accounts or of addresses.
package embedded
