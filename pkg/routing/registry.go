// Package routing is the registry of routing clusters: the addresses, by direction and zone, from which a Kazoo cluster
// sends calls and on which it takes calls.
//
// It has the rules of the documents: who may claim which address, and how a change is merged. Look-ups are made in
// memory. In one direction an address serves one cluster. claims.go explains how that holds among writers on many
// machines.
//
// The package knows neither HTTP nor CouchDB's wire. It does not check who may do what: the caller may act for the
// cluster ids that it passes.
package routing

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/mirror"
	"junctor/pkg/store"
)

// The databases: the clusters' documents, and who has which address.
const (
	Database       = "routing"
	ClaimsDatabase = "routing_claims"
)

// design is our design document in Database.
const design = "routing"

// schemaID is the schema of what clients send.
const schemaID = "customer_cluster"

// Store is what the registry needs of a store.
type Store interface {
	store.Writer
	store.Viewer
	mirror.Store
	ChangesSince(ctx context.Context, db, since string, each func(store.Change) error) error
	Get(ctx context.Context, db, id string) (document.Document, error)
	Position(ctx context.Context, db string) (seq, epoch string, err error)
	Delete(ctx context.Context, db, id, rev string) error
}

// Schemas validates a document by the schema of an id and returns it with its values cast. Findings are a fault.Invalid.
type Schemas interface {
	Cast(id string, doc document.Document) (document.Document, error)
}

// Options adjusts New. The zero value is usable.
type Options struct {
	Now   func() time.Time // nil is time.Now
	Grace time.Duration    // how long a claim may stand without its cluster; 0 is DefaultGrace
	Log   zerolog.Logger
}

// Registry is the registry of routing clusters. It is safe for concurrent use, by any number of processes on one
// store.
type Registry struct {
	store   Store
	schemas Schemas
	options Options
	writers *keyedMutex
	index   *index
	mirror  *mirror.Mirror // of the clusters' documents, into index
}

// New returns the registry in a store. Look-ups succeed once Load or Follow has read all clusters.
func New(s Store, schemas Schemas, o Options) *Registry {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Grace == 0 {
		o.Grace = DefaultGrace
	}
	x := newIndex()
	return &Registry{store: s, schemas: schemas, options: o, writers: newKeyedMutex(), index: x,
		mirror: mirror.New(s, Database, x, mirror.Options{Log: o.Log})}
}

// Load reads all clusters once, for a process that does not Follow, or does so later.
func (r *Registry) Load(ctx context.Context) error { return r.mirror.Load(ctx) }

// Follow keeps the look-ups current with what other processes write, until ctx ends. While the store is away, look-ups
// return what was known last. It has to end before the store is closed.
func (r *Registry) Follow(ctx context.Context) { r.mirror.Run(ctx) }

// Reload makes Follow read all clusters again, after the database was created again.
func (r *Registry) Reload() { r.mirror.Reload() }

// Get returns a cluster, or fault.BadIdentifier.
func (r *Registry) Get(ctx context.Context, id string) (Cluster, error) {
	doc, err := r.read(ctx, id)
	if err == nil && !isLive(doc) {
		err = fault.Unknown(id, nil)
	}
	if err != nil {
		return Cluster{}, err
	}
	return Cluster{doc}, nil
}

// Create makes a cluster of data, as data says it: the private fields and the id in it are ignored, the fields we
// do not know stay. One that exists is fault.Conflict; one that was deleted begins anew.
func (r *Registry) Create(ctx context.Context, id string, data document.Document, by Author) (Cluster, error) {
	return r.write(ctx, id, func(stored document.Document) (draft, error) {
		base := document.Document{"_id": id}
		if stored != nil {
			base["_rev"] = stored.Rev()
		}
		next, err := r.validate(base.Replaced(data))
		if err == nil && stored != nil && (isLive(stored) || !isCluster(stored)) {
			err = fault.New(fault.Conflict, "")
		}
		return r.stamped(next, by), err
	})
}

// Replace makes data all that is public of a cluster.
func (r *Registry) Replace(
	ctx context.Context, id string, data document.Document, by Author, match store.Match,
) (Cluster, error) {
	return r.change(ctx, id, by, match, func(stored document.Document) document.Document {
		return stored.Replaced(data)
	})
}

// Patch merges changes into a cluster: objects key by key, null removes, everything else replaces. Others may
// change the cluster at the same time; what they change and this does not is as they say.
func (r *Registry) Patch(
	ctx context.Context, id string, changes document.Document, by Author, match store.Match,
) (Cluster, error) {
	return r.change(ctx, id, by, match, func(stored document.Document) document.Document {
		return stored.Patched(changes)
	})
}

// change is what Replace and Patch have in common. As in Crossbar what is wrong with the data comes before a
// revision that does not match.
func (r *Registry) change(
	ctx context.Context, id string, by Author, match store.Match, next func(document.Document) document.Document,
) (Cluster, error) {
	return r.write(ctx, id, func(stored document.Document) (draft, error) {
		if !isLive(stored) {
			return draft{}, fault.Unknown(id, nil)
		}
		checked, err := r.validate(next(stored))
		if err == nil {
			err = match.Check(stored.Rev())
		}
		return r.stamped(checked, by), err
	})
}

// Delete removes a cluster and returns it as it was. As in Crossbar the document stays, marked as deleted.
func (r *Registry) Delete(ctx context.Context, id string, by Author, match store.Match) (last Cluster, err error) {
	_, err = r.write(ctx, id, func(stored document.Document) (draft, error) {
		if !isLive(stored) {
			return draft{}, fault.Unknown(id, nil)
		}
		last = Cluster{stored}
		next := stored.Clone()
		next[kazoo.FieldDeleted] = true
		return r.stamped(draft{doc: next}, by), match.Check(stored.Rev())
	})
	if err != nil {
		return Cluster{}, err
	}
	return last, nil
}

// Summary is a cluster as a listing shows it.
type Summary struct {
	ID               string `json:"id"`
	Owner            string `json:"owner"`
	Name             string `json:"name"`
	RandomizeRouting bool   `json:"randomize_routing"`
}

// List returns all clusters by id.
func (r *Registry) List(ctx context.Context) ([]Summary, error) {
	list := []Summary{}
	err := r.store.View(ctx, Database, design, "listing", store.Query{}, func(row store.Row) error {
		var s Summary
		err := row.Value(&s)
		list = append(list, s)
		return err
	})
	return list, err
}
