package schema

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// Store reads what the cluster keeps.
type Store interface {
	Get(ctx context.Context, db, id string) (document.Document, error)
	All(ctx context.Context, db string, q store.Query, each func(store.Row) error) error
}

// database is where a Kazoo keeps its schemas, one a document.
const database = "system_schemas"

const (
	// maxListed bounds how many documents of the database count; Kazoo has some 500.
	maxListed = 10_000
	// maxKept bounds what is remembered, by the length of the texts; and in the same way, of the compiled ones.
	maxKept = 8 << 20
	// listingTime is how long it is not looked whether the cluster has changed its schemas.
	listingTime = time.Second
)

// Catalog is the schemas of a cluster: those that it keeps in its database, where operators change them and add
// theirs, and the bundled ones where it has none of an id. What it has read and compiled is remembered by revision, so
// that all that is read again is the list of revisions, once a second.
//
// It is what the cluster shows and applies for its clients. The product's own resources judge what they are sent by the
// bundled Set, whatever the cluster keeps under the same ids: the rules behind them rely on what that lets through.
type Catalog struct {
	store   Store
	bundled *Set
	turn    chan struct{} // full while somebody uses what is below

	listed   map[string]string // revision by id
	listedAt time.Time         // zero is never
	texts    kept[document.Document]
	verdicts kept[verdict]
}

// verdict is what became of compiling a schema.
type verdict struct {
	schema *Schema
	err    error
	from   map[string]string // the revisions of what was looked at by id, "" for what the cluster has not
}

// NewCatalog answers the schemas of the cluster whose documents are in s.
func NewCatalog(s Store, bundled *Set) *Catalog {
	return &Catalog{store: s, bundled: bundled, turn: make(chan struct{}, 1)}
}

// IDs answers the ids of all schemas, sorted.
func (c *Catalog) IDs(ctx context.Context) ([]string, error) {
	if err := c.begin(ctx); err != nil {
		return nil, err
	}
	defer c.end()
	ids := append(slices.Collect(maps.Keys(c.listed)), c.bundled.IDs()...)
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// Text answers a schema as it is written, as document or file. Nobody may alter it.
func (c *Catalog) Text(ctx context.Context, id string) (document.Document, error) {
	if err := c.begin(ctx); err != nil {
		return nil, err
	}
	defer c.end()
	text, err := c.text(ctx, id)
	if errors.Is(err, errNoText) {
		data := map[string]any{"cause": id, "message": "bad identifier"}
		return nil, &fault.Error{Kind: fault.BadIdentifier, Data: data}
	}
	return text, err
}

// Complete validates a value and answers what would be stored of it, see Schema.Complete. A schema that does not
// exist, or is no such thing, is fault.SchemaUnusable.
func (c *Catalog) Complete(ctx context.Context, id string, value any) (any, error) {
	schema, err := c.schema(ctx, id)
	if err != nil {
		return nil, err
	}
	full, err := schema.Complete(value)
	if err != nil && fault.Is(err, fault.Internal) {
		err = unusable("schema "+id+" can't be applied.", err)
	}
	return full, err
}

// begin waits for its turn and sees to it that the listing is fresh. Where it fails there is no turn to end.
func (c *Catalog) begin(ctx context.Context) error {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return fault.Wrap(fault.DatastoreUnreachable, ctx.Err())
	}
	if !c.listedAt.IsZero() && time.Since(c.listedAt) < listingTime {
		return nil
	}
	err := c.list(ctx)
	if err != nil {
		c.end()
	}
	return err
}

func (c *Catalog) end() { <-c.turn }

func (c *Catalog) list(ctx context.Context) error {
	began, listed := time.Now(), map[string]string{}
	err := c.store.All(ctx, database, store.Query{Limit: maxListed}, func(row store.Row) error {
		var value struct{ Rev string }
		err := row.Value(&value)
		if id := row.ID(); !strings.HasPrefix(id, "_") {
			listed[id] = value.Rev
		}
		return err
	})
	if err != nil && !fault.Is(err, fault.DatastoreMissing) {
		return err
	}
	c.listed, c.listedAt = listed, began
	return nil
}

// text answers the cluster's text of an id, else the bundled one, else errNoText. One that Kazoo counts as deleted is
// none.
func (c *Catalog) text(ctx context.Context, id string) (document.Document, error) {
	rev, ok := c.listed[id]
	if !ok {
		return c.bundled.find(id)
	}
	text, readAt, ok := c.texts.get(id)
	if !ok || text.Rev() != rev && !readAt.After(c.listedAt) {
		var err error
		if text, err = c.read(ctx, id); err != nil {
			return nil, err
		}
	}
	if text == nil || text.Bool("pvt_deleted") {
		return c.bundled.find(id)
	}
	return text, nil
}

// read answers a document of the cluster, nil where it was removed since it was listed.
func (c *Catalog) read(ctx context.Context, id string) (document.Document, error) {
	began := time.Now()
	text, err := c.store.Get(ctx, database, id)
	if fault.Is(err, fault.BadIdentifier) || fault.Is(err, fault.DatastoreMissing) {
		return nil, nil
	}
	if err == nil {
		c.texts.put(id, text, lengthOf(text), began)
	}
	return text, err
}

// schema answers the compiled schema of an id. That one can't be compiled is remembered, too.
func (c *Catalog) schema(ctx context.Context, id string) (*Schema, error) {
	if err := c.begin(ctx); err != nil {
		return nil, err
	}
	defer c.end()
	v, madeAt, ok := c.verdicts.get(id)
	if ok && (madeAt.After(c.listedAt) || c.unchanged(v.from)) {
		return v.schema, v.err
	}
	return c.compile(ctx, id)
}

// unchanged reports whether the cluster still has these revisions.
func (c *Catalog) unchanged(from map[string]string) bool {
	for id, rev := range from {
		if c.listed[id] != rev {
			return false
		}
	}
	return true
}

func (c *Catalog) compile(ctx context.Context, id string) (*Schema, error) {
	began, length := time.Now(), 0
	v := verdict{from: map[string]string{}}
	v.schema, v.err = Compile(id, func(id string) (document.Document, error) {
		text, err := c.text(ctx, id)
		length += lengthOf(text)
		v.from[id] = text.Rev()
		return text, err
	})
	switch {
	case v.err == nil:
	case !fault.Is(v.err, fault.Internal): // the store's
		return nil, v.err
	case len(v.from) == 1 && errors.Is(v.err, errNoText):
		return nil, unusable("schema "+id+" not found.", nil) // not remembered: there is no end of such ids
	default:
		v.err = unusable("schema "+id+" can't be applied.", v.err)
	}
	c.verdicts.put(id, v, length, began)
	return v.schema, v.err
}

// unusable is worded as by Crossbar, for which a schema that it can't find is a failure of its own.
func unusable(message string, cause error) error {
	return &fault.Error{Kind: fault.SchemaUnusable, Message: message, Err: cause,
		Data: map[string]any{"message": message}}
}
