// Package schemas holds the JSON Schemas (draft 4) of what clients send, as files beside this one. They set the
// same constraints as the schemas of the same name that Kazoo keeps in its database system_schemas, since
// clients rely on them, and describe them in words of their own; customer_cluster, which Kazoo's have nothing of, is
// ours. NAME.json has the _id NAME. What compiles and applies them is pkg/schema.
package schemas

import "embed"

// Files are the schemas.
//
//go:embed *.json
var Files embed.FS
