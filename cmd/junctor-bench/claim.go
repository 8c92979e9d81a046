package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-kivik/kivik/v4"
)

// marker is the database that says: everything here was made by tests. The tests use it, too; they and this program
// may follow each other on a CouchDB, but not meet there.
const marker = "junctor_tests"

// couchLease is a CouchDB that may be filled and emptied.
type couchLease struct{ client *kivik.Client }

// claim takes possession of a CouchDB that is empty, or that tests or a benchmark that broke off have left their
// marker in; it is empty then. Any other is somebody's, and is refused.
func claim(ctx context.Context, dsn string) (*couchLease, error) {
	client, err := dial(dsn)
	if err != nil {
		return nil, err
	}
	p := &couchLease{client}
	names, err := p.databases(ctx)
	if err != nil {
		return nil, err
	}
	if len(names) > 0 && !slices.Contains(names, marker) {
		return nil, fmt.Errorf("the CouchDB that %s names holds %d databases that no test made (%s, …), and they would "+
			"be deleted: name an empty one, or, if nothing in it matters, create a database %q there",
			couchVariable, len(names), names[0], marker)
	}
	if len(names) == 0 {
		if err := client.CreateDB(ctx, marker); err != nil {
			return nil, err
		}
	}
	return p, p.empty(ctx)
}

// databases returns all databases but CouchDB's own.
func (p *couchLease) databases(ctx context.Context) ([]string, error) {
	names, err := p.client.AllDBs(ctx)
	return slices.DeleteFunc(names, func(db string) bool { return strings.HasPrefix(db, "_") }), err
}

// empty removes everything but the marker.
func (p *couchLease) empty(ctx context.Context) error {
	names, err := p.databases(ctx)
	if err != nil {
		return err
	}
	for _, db := range names {
		if db == marker {
			continue
		}
		if err := p.client.DestroyDB(ctx, db); err != nil {
			return err
		}
	}
	return nil
}

// release leaves the CouchDB empty, also where the benchmark was told to end.
func (p *couchLease) release(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	defer p.client.Close()
	if err := p.empty(ctx); err != nil {
		return err
	}
	return p.client.DestroyDB(ctx, marker)
}
