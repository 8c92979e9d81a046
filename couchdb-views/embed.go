// Package couchdbviews holds the design documents that junctor installs, one file each.
//
// dedicated_ips.json is Kazoo's own design document of the database dedicated_ips: the same views, keys, values
// and reductions. It is written only where Kazoo has not put its own. The junctor_DATABASE.json files are the
// views of ours in that database, junctor_account.json those in the database of each account; all of them are
// _design/junctor, which Kazoo leaves alone. routing.json and ip_history.json are the design documents of the databases
// routing and ip_history, which are ours altogether.
//
// pkg/store reads them. As in Kazoo's files a function may be an array of lines, which are joined with nothing
// between them; so every statement ends in a semicolon or a brace, and no line has a // comment. They run in
// CouchDB's SpiderMonkey, in PouchDB and in the embedded store's goja: ECMAScript 5 and CouchDB's sandbox only.
package couchdbviews

import "embed"

// Files holds the *.json files.
//
//go:embed *.json
var Files embed.FS
