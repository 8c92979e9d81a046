package trust

import (
	"context"
	"errors"
	"fmt"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/auth/seal"
	"junctor/pkg/doccache"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// Store is what the registry needs of a store.
type Store interface {
	account.Reader
	store.Lister
	Put(ctx context.Context, db string, doc document.Document) (rev string, err error)
	Delete(ctx context.Context, db, id, rev string) error
}

// Options configures a Registry. The zero value stores no API keys and caches nothing.
type Options struct {
	// Documents caches what Get reads. Nil reads the store each time. The registry's store has to be the one whose
	// writes invalidate this cache.
	Documents *doccache.Cache
	// Now is the clock; nil is the real one.
	Now func() time.Time
	// Key returns the key that API keys are sealed with. It is called when one is written or read, not before.
	Key func() (*seal.Key, error)
}

// Registry is the other clusters in a store. It is safe for concurrent use.
type Registry struct {
	store     Store
	documents *doccache.Cache
	now       func() time.Time
	key       func() (*seal.Key, error)
}

// NewRegistry returns the registry of the clusters in s.
func NewRegistry(s Store, o Options) *Registry {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Key == nil {
		o.Key = func() (*seal.Key, error) { return nil, errors.New("no key to seal API keys with") }
	}
	if o.Documents == nil {
		o.Documents = doccache.New(s, doccache.Options{})
	}
	return &Registry{store: s, documents: o.Documents, now: o.Now, key: o.Key}
}

// Add registers a cluster; apiKey may be empty. An invalid id or URL is fault.Invalid. An id that is registered already
// is fault.Conflict: the URL that tokens are sent to is not replaced by accident.
func (r *Registry) Add(ctx context.Context, id, rawURL, apiKey string) (Cluster, error) {
	if !kazoo.IsID(id) {
		return Cluster{}, fault.New(fault.Invalid, "a cluster id is 32 digits and letters from a to f")
	}
	url, err := NormalizeURL(rawURL)
	if err != nil {
		return Cluster{}, fault.New(fault.Invalid, err.Error())
	}
	now := document.Number(kazoo.Gregorian(r.now()))
	doc := document.Document{
		"_id": id, "pvt_api_url": url, kazoo.FieldType: docType, kazoo.FieldCreated: now, kazoo.FieldModified: now,
	}
	if err := r.sealAPIKey(doc, apiKey); err != nil {
		return Cluster{}, err
	}
	_, err = r.store.Put(ctx, Database, doc)
	if fault.Is(err, fault.Conflict) {
		err = &fault.Error{Kind: fault.Conflict, Message: "the cluster " + id + " is registered already", Err: err}
	}
	if err != nil {
		return Cluster{}, err
	}
	return listed(doc), nil
}

func (r *Registry) sealAPIKey(doc document.Document, apiKey string) error {
	if apiKey == "" {
		return nil
	}
	key, err := r.key()
	if err != nil {
		return fmt.Errorf("store an API key: %w", err)
	}
	doc["pvt_api_key"] = key.Seal(apiKey, doc.ID())
	return nil
}

// Get returns a registered cluster, which may be as stale as Options.Documents where another process has changed or
// removed it. One that is not registered is fault.BadIdentifier; an id that can't be one is not looked up. One whose
// URL can't be asked is fault.DatastoreFault: junctor did not write it.
func (r *Registry) Get(ctx context.Context, id string) (Cluster, error) {
	doc, err := doccache.Decide(ctx, r.documents, fault.BadIdentifier,
		func(documents *doccache.ReadSet) (document.Document, error) { return read(ctx, documents, id) })
	if err != nil {
		return Cluster{}, err
	}
	c := listed(doc)
	if c.URL, err = NormalizeURL(c.URL); err != nil {
		return Cluster{}, fault.Wrap(fault.DatastoreFault, fmt.Errorf("cluster %s: %w", id, err))
	}
	return c, nil
}

// read reads the document of a cluster.
func read(ctx context.Context, documents account.Reader, id string) (document.Document, error) {
	if !kazoo.IsID(id) {
		return nil, unknown(id, nil)
	}
	doc, err := documents.Get(ctx, Database, id)
	if account.Missing(err) {
		return nil, unknown(id, err)
	}
	if err != nil {
		return nil, err
	}
	if !isCluster(doc) {
		return nil, unknown(id, errors.New("the document is not that of a cluster"))
	}
	return doc, nil
}

func unknown(id string, cause error) error {
	return &fault.Error{Kind: fault.BadIdentifier, Message: fmt.Sprintf("no cluster %q is registered", id), Err: cause}
}

// List returns all registered clusters by id, those with an unusable URL included.
func (r *Registry) List(ctx context.Context) ([]Cluster, error) {
	clusters := []Cluster{}
	err := r.store.All(ctx, Database, store.Query{IncludeDocs: true}, func(row store.Row) error {
		doc, err := row.Doc()
		if err == nil && kazoo.IsID(doc.ID()) && isCluster(doc) {
			clusters = append(clusters, listed(doc))
		}
		return err
	})
	return clusters, err
}

// Remove ends the registration of a cluster. One that is not registered is fault.BadIdentifier.
func (r *Registry) Remove(ctx context.Context, id string) error {
	doc, err := read(ctx, r.store, id)
	if err != nil {
		return err
	}
	return r.store.Delete(ctx, Database, id, doc.Rev())
}

// APIKey returns the key of a cluster's API, "" if none is stored.
func (r *Registry) APIKey(ctx context.Context, id string) (string, error) {
	doc, err := read(ctx, r.store, id)
	if err != nil {
		return "", err
	}
	sealed := doc.String("pvt_api_key")
	if sealed == "" {
		return "", nil
	}
	key, err := r.key()
	if err != nil {
		return "", fmt.Errorf("open an API key: %w", err)
	}
	apiKey, err := key.Open(sealed, id)
	if err != nil {
		return "", fmt.Errorf("API key of cluster %s: %w", id, err)
	}
	return apiKey, nil
}
