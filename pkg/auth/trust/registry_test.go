package trust_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"junctor/pkg/auth/trust"
	"junctor/pkg/doccache"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

func TestRegistry(t *testing.T) {
	t.Parallel()
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, c := open(t), &clock{}
			r := registry(s, c)
			wantClusters(t, r)
			added, err := r.Add(t.Context(), clusterB, "HTTP://b.example.com/v2/", "")
			b := trust.Cluster{ID: clusterB, URL: urlB}
			if err != nil || added != b {
				t.Fatalf("added %+v, %v", added, err)
			}
			add(t, r, clusterA, urlA, apiKey)
			a := trust.Cluster{ID: clusterA, URL: urlA, HasAPIKey: true}
			wantClusters(t, r, a, b)
			for _, want := range []trust.Cluster{a, b} {
				for _, r := range []*trust.Registry{r, r, registry(s, c)} {
					if got, err := r.Get(t.Context(), want.ID); err != nil || got != want {
						t.Errorf("got %+v, %v, want %+v", got, err, want)
					}
				}
			}
			_, err = r.Add(t.Context(), clusterA, urlB, "")
			testutil.RequireFault(t, err, fault.Conflict)
			if err := r.Remove(t.Context(), clusterA); err != nil {
				t.Fatal(err)
			}
			_, err = r.Get(t.Context(), clusterA)
			testutil.RequireFault(t, err, fault.BadIdentifier)
			testutil.RequireFault(t, r.Remove(t.Context(), clusterA), fault.BadIdentifier)
			wantClusters(t, r, b)
			add(t, r, clusterA, urlB, "")
			wantClusters(t, r, trust.Cluster{ID: clusterA, URL: urlB}, b)
		})
	}
}

func wantClusters(t *testing.T, r *trust.Registry, want ...trust.Cluster) {
	t.Helper()
	if got, err := r.List(t.Context()); err != nil || got == nil || !slices.Equal(got, want) {
		t.Errorf("listed %+v, %v, want %+v", got, err, want)
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	s := open(t, "memory:")
	add(t, registry(s, &clock{}), clusterA, urlA, apiKey)
	doc, err := s.Get(t.Context(), trust.Database, clusterA)
	if err != nil {
		t.Fatal(err)
	}
	sealed := doc.String("pvt_api_key")
	if !strings.HasPrefix(sealed, "v1:") || strings.Contains(sealed, apiKey) {
		t.Errorf("the API key is stored as %q", sealed)
	}
	delete(doc, "pvt_api_key")
	delete(doc, "_rev")
	now := document.Number(kazoo.Gregorian(start))
	want := document.Document{
		"_id": clusterA, "pvt_type": "kazoo_cluster", "pvt_api_url": urlA, "pvt_created": now, "pvt_modified": now,
	}
	if len(doc) != len(want) {
		t.Errorf("stored %v", doc)
	}
	for name := range want {
		if doc[name] != want[name] {
			t.Errorf("%s is %v, want %v", name, doc[name], want[name])
		}
	}
}

func TestAddRefuses(t *testing.T) {
	t.Parallel()
	r := registry(open(t, "memory:"), &clock{})
	for _, url := range badURLs {
		_, err := r.Add(t.Context(), clusterA, url, "")
		testutil.RequireFault(t, err, fault.Invalid)
	}
	for _, id := range []string{"", "a", strings.ToUpper(clusterA), "_design/junctor", clusterA + "/",
		strings.Repeat("é", 16)} {
		_, err := r.Add(t.Context(), id, urlA, "")
		testutil.RequireFault(t, err, fault.Invalid)
	}
	wantClusters(t, r)
}

// TestNotOurs: documents that others wrote into the database are no clusters, or none that tokens are sent to.
func TestNotOurs(t *testing.T) {
	t.Parallel()
	s := open(t, "memory:")
	r := registry(s, &clock{})
	put(t, s, document.Document{"_id": strings.Repeat("1", 32), "pvt_api_url": urlA})
	put(t, s, document.Document{"_id": strings.Repeat("2", 32), "pvt_api_url": urlA, "pvt_type": "account"})
	put(t, s, document.Document{"_id": strings.Repeat("3", 32), "pvt_api_url": urlA, "pvt_type": "kazoo_cluster",
		"pvt_deleted": true})
	put(t, s, document.Document{"_id": "top", "pvt_api_url": urlA, "pvt_type": "kazoo_cluster"})
	wantClusters(t, r)
	for _, id := range []string{strings.Repeat("1", 32), strings.Repeat("2", 32), strings.Repeat("3", 32), "top",
		"_design/junctor", "", "../accounts/" + clusterA} {
		_, err := r.Get(t.Context(), id)
		testutil.RequireFault(t, err, fault.BadIdentifier)
		testutil.RequireFault(t, r.Remove(t.Context(), id), fault.BadIdentifier)
		_, err = r.APIKey(t.Context(), id)
		testutil.RequireFault(t, err, fault.BadIdentifier)
	}
	for i, url := range []any{nil, "", "file:///etc/passwd", "http://a@b.example", json(7), "http://a.example/v2?a="} {
		id := clusterA[:31] + string('0'+rune(i))
		put(t, s, document.Document{"_id": id, "pvt_api_url": url, "pvt_type": "kazoo_cluster"})
		_, err := r.Get(t.Context(), id)
		testutil.RequireFault(t, err, fault.DatastoreFault)
	}
	clusters, err := r.List(t.Context())
	if err != nil || len(clusters) != 6 {
		t.Errorf("listed %v, %v", clusters, err)
	}
	for _, c := range clusters {
		if err := r.Remove(t.Context(), c.ID); err != nil {
			t.Error(err)
		}
	}
	put(t, s, document.Document{"_id": clusterB, "pvt_api_url": urlA + "/", "pvt_type": "kazoo_cluster", "name": "B"})
	if c, err := r.Get(t.Context(), clusterB); err != nil || c.URL != urlA {
		t.Errorf("got %+v, %v", c, err)
	}
}

func json(n int64) any { return document.Number(n) }

func put(t *testing.T, s *store.Store, doc document.Document) {
	t.Helper()
	if _, err := s.Put(t.Context(), trust.Database, doc); err != nil {
		t.Fatal(err)
	}
}

func TestNotInstalled(t *testing.T) {
	t.Parallel()
	_, err := registry(storetest.Open(t, "memory:"), &clock{}).Get(t.Context(), clusterA)
	testutil.RequireFault(t, err, fault.BadIdentifier)
}

// cached returns a registry that caches clusters for a time, on a store that others may read through another one.
func cached(s *store.Store, reader doccache.Reader, staleness time.Duration) (*trust.Registry, *doccache.Cache) {
	documents := doccache.New(reader, doccache.Options{Staleness: staleness})
	return trust.NewRegistry(documents.Writer(s), trust.Options{Documents: documents}), documents
}

// TestAnotherProcess tests how long a change by another process may go unnoticed.
func TestAnotherProcess(t *testing.T) {
	t.Parallel()
	const staleness = 5 * time.Second
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open("memory:", store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.CreateDatabase(t.Context(), trust.Database); err != nil {
			t.Fatal(err)
		}
		here, documents := cached(s, s, staleness)
		defer documents.Close()
		there := registry(s, &clock{})
		_, err = here.Get(t.Context(), clusterA)
		testutil.RequireFault(t, err, fault.BadIdentifier)
		add(t, there, clusterA, urlA, "")
		time.Sleep(time.Second)
		if _, err := here.Get(t.Context(), clusterA); err != nil {
			t.Errorf("a new cluster does not count within a second: %v", err)
		}
		if err := there.Remove(t.Context(), clusterA); err != nil {
			t.Fatal(err)
		}
		add(t, there, clusterA, urlB, "")
		if got, err := here.Get(t.Context(), clusterA); err != nil || got.URL != urlA {
			t.Errorf("not cached: %+v, %v", got, err)
		}
		time.Sleep(staleness)
		if got, err := here.Get(t.Context(), clusterA); err != nil || got.URL != urlB {
			t.Errorf("after %v: %+v, %v", staleness, got, err)
		}
	})
}
