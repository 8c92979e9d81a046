package schema_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/schema"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

const database = "system_schemas"

// cluster is a store with a catalog of it.
type cluster struct {
	testing.TB
	*schema.Catalog
	store *store.Store
	reads atomic.Int64 // of documents and listings
}

// newCluster opens a store whose database of schemas exists.
func newCluster(t testing.TB, dsn string) *cluster {
	t.Helper()
	c := bare(t, dsn)
	if err := c.store.CreateDatabase(t.Context(), database); err != nil {
		t.Fatal(err)
	}
	return c
}

// bare opens a store.
func bare(t testing.TB, dsn string) *cluster {
	t.Helper()
	c := &cluster{TB: t}
	var err error
	c.store, err = store.Open(dsn, store.Options{Observe: func(call store.Call) {
		if call.Operation == "get" || call.Operation == "all" {
			c.reads.Add(1)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.store.Close() })
	c.Catalog = schema.NewCatalog(c.store, bundled(t))
	return c
}

// onStores runs a test on each kind of store.
func onStores(t *testing.T, test func(*cluster)) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		test(newCluster(t, "memory:"))
	})
	t.Run("couchdb", func(t *testing.T) {
		t.Parallel()
		test(newCluster(t, storetest.FreshCouch(t)))
	})
}

// write puts a schema in place of the one there is.
func (c *cluster) write(id, text string) {
	c.Helper()
	_, err := c.store.Update(c.Context(), database, id, func(doc document.Document) error {
		maps.DeleteFunc(doc, func(key string, _ any) bool { return key != "_id" && key != "_rev" })
		maps.Copy(doc, value(c, text).(map[string]any))
		return nil
	})
	if err != nil {
		c.Fatal(err)
	}
}

// complete answers what becomes of a value as text, or why nothing does.
func (c *cluster) complete(id, text string) string {
	c.Helper()
	full, err := c.Complete(c.Context(), id, value(c, text))
	var failure *fault.Error
	switch {
	case err == nil:
		return encoded(c, full)
	case errors.As(err, &failure) && failure.Kind == fault.Invalid:
		return encoded(c, failure.Data)
	case errors.As(err, &failure) && failure.Kind == fault.SchemaUnusable:
		return failure.Message
	}
	c.Fatal(err)
	return ""
}

// becomes waits until what look answers is as it has to be; a catalog may be a second behind.
func (c *cluster) becomes(want string, look func() string) {
	c.Helper()
	var got string
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if got = look(); got == want {
			return
		}
	}
	c.Errorf("stays %s, want %s", got, want)
}

// TestCatalog: the cluster's own version counts, else the bundled one, and a change does within a second.
func TestCatalog(t *testing.T) {
	onStores(t, func(c *cluster) {
		ids := func() string {
			ids, err := c.IDs(c.Context())
			if err != nil {
				c.Fatal(err)
			}
			return strings.Join(ids, " ")
		}
		ip := func() string { return c.complete("ip", `{"zone":1}`) }
		c.write("ip", `{"properties":{"zone":{"type":"string"}}}`)
		c.write("of/cluster +%", `{"allOf":[{"$ref":"ip"}],"properties":{"a":{"type":"string","default":"b"}}}`)
		c.write("_design/of/all", `{"views":{}}`)
		with := func(own ...string) string {
			return strings.Join(slices.Sorted(slices.Values(append(own, bundled(c).IDs()...))), " ")
		}
		if got, want := ids(), with("of/cluster +%"); got != want {
			c.Errorf("ids %s, want %s", got, want)
		}
		if got := ip(); !strings.Contains(got, `"zone":{"type"`) || strings.Contains(got, "host") {
			c.Errorf("got %s", got)
		}
		if got := c.complete("ips", `{"ips":[]}`); !strings.Contains(got, "minItems") {
			c.Errorf("got %s", got)
		}
		if got := c.complete("of/cluster +%", `{}`); got != `{"a":"b"}` {
			c.Errorf("got %s", got)
		}
		// A change of what it refers to is one of the schema, too.
		c.write("ip", `{"properties":{"zone":{"type":"integer","default":7}}}`)
		c.becomes(`{"zone":1}`, ip)
		c.becomes(`{"a":"b","zone":7}`, func() string { return c.complete("of/cluster +%", `{}`) })
		doc, err := c.store.Get(c.Context(), database, "ip")
		if err == nil {
			err = c.store.Delete(c.Context(), database, "ip", doc.Rev())
		}
		if err != nil {
			c.Fatal(err)
		}
		c.becomes(`{"host":{"required":{"message":"Field is required but missing","value":"host"}}}`,
			func() string { return c.complete("ip", `{"ip":"10.0.0.1","zone":"z"}`) })
		c.write("later", `{"pvt_deleted":true}`)
		c.becomes(with("later", "of/cluster +%"), ids)
		_, err = c.Text(c.Context(), "later")
		isUnknown(c, err, "later")
	})
}

func isUnknown(t testing.TB, err error, id string) {
	t.Helper()
	var failure *fault.Error
	if !errors.As(err, &failure) || failure.Kind != fault.BadIdentifier ||
		encoded(t, failure.Data) != `{"cause":"`+id+`","message":"bad identifier"}` {
		t.Errorf("%s: %v", id, err)
	}
}

// TestBrokenSchemas: what the cluster has and nobody can apply says so until it is repaired, and can be read.
func TestBrokenSchemas(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "memory:")
	broken := map[string]string{
		"ips": `{"type":"text"}`, "loop": `{"$ref":"loop"}`, "pieces": `{"$ref":"missing"}`, "old": `{"$schema":"3"}`,
		"ip": `{"$ref":"ips"}`,
	}
	for id, text := range broken {
		c.write(id, text)
	}
	for id := range broken {
		for range 2 {
			if got, want := c.complete(id, `{}`), "schema "+id+" can't be applied."; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		doc, err := c.Text(t.Context(), id)
		if err != nil || doc.Rev() == "" {
			t.Errorf("%s: %v, %v", id, doc, err)
		}
	}
	for _, id := range []string{"nope", "_design/x", "_all_docs", ""} {
		if got, want := c.complete(id, `{}`), "schema "+id+" not found."; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		_, err := c.Text(t.Context(), id)
		isUnknown(t, err, id)
	}
	c.write("missing", `{"type":"string"}`)
	c.becomes(wrongType("", "string", "{}"), func() string { return c.complete("pieces", `{}`) })
}

// TestNoDatabase: where the cluster has no database of schemas there are the bundled ones.
func TestNoDatabase(t *testing.T) {
	t.Parallel()
	c := bare(t, "memory:")
	ids, err := c.IDs(t.Context())
	if err != nil || !slices.Equal(ids, bundled(t).IDs()) {
		t.Errorf("%v, %v", ids, err)
	}
	if got := c.complete("ips", `{}`); got != `{}` {
		t.Errorf("got %s", got)
	}
}

// TestStoreTrouble: a store that does not answer is a failure that passes, and nothing of it is remembered.
func TestStoreTrouble(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "memory:")
	c.write("a", `{"$ref":"b"}`)
	c.write("b", `{"type":"object"}`)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 { // before the first listing, and after it
		if _, err := c.Complete(gone, "a", map[string]any{}); err == nil || fault.Is(err, fault.SchemaUnusable) {
			t.Errorf("got %v", err)
		}
		if _, err := c.IDs(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if got := c.complete("a", `{}`); got != `{}` {
		t.Errorf("got %s", got)
	}
}

// TestCatalogReads: the store is asked once a second, and for a document when there is a new revision.
func TestCatalogReads(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "memory:")
	c.write("a", `{"$ref":"b"}`)
	c.write("b", `{"type":"object"}`)
	c.reads.Store(0)
	began := time.Now()
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			for range 50 {
				if got := c.complete("a", `{}`); got != `{}` {
					t.Errorf("got %s", got)
				}
				if _, err := c.Text(t.Context(), "b"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	asking.Wait()
	listings := int64(time.Since(began)/time.Second) + 1
	if got := c.reads.Load(); got > 2+listings {
		t.Errorf("%d reads", got)
	}
}

// TestLongText: what is too long to apply can be read.
func TestLongText(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "memory:")
	long := strings.Repeat("x", 1<<20)
	c.write("long", `{"description":"`+long+`"}`)
	if doc, err := c.Text(t.Context(), "long"); err != nil || doc.String("description") != long {
		t.Errorf("%v", err)
	}
	if got := c.complete("long", `{}`); got != "schema long can't be applied." {
		t.Errorf("%.100s", got)
	}
}
