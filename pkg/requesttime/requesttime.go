// Package requesttime marks contexts of work that a client waits for, with the time at which its request began.
//
// It bounds nothing by itself. Who serves requests marks their contexts. A store that finds the mark does not let a client
// wait for what may take minutes, such as the building of a view, and shares the time of the request among its writes.
package requesttime

import (
	"context"
	"time"
)

type key struct{}

// Begin returns a context for what a client waits for, from now on. Rows of a view or database that do not come within
// five seconds are a fault.DatastoreUnreachable; others wait for as long as it takes a CouchDB to build the view. Writes to
// a CouchDB cluster take five seconds at most, all together.
func Begin(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, time.Now()) }

// Began returns when Begin made a context. ok is false for a context of another origin.
func Began(ctx context.Context) (began time.Time, ok bool) {
	began, ok = ctx.Value(key{}).(time.Time)
	return began, ok
}
