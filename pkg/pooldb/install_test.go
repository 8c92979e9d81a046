package pooldb

import (
	"errors"
	"strings"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/projection"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	runCases(t, "memory:")
}

func TestCouchDB(t *testing.T) {
	t.Parallel()
	runCases(t, storetest.FreshCouch(t))
}

func runCases(t *testing.T, dsn string) {
	t.Helper()
	for name, run := range map[string]func(*subject){
		"install": install, "install the text of Kazoo": installKazoosText, "install no second pool": installNoSecondPool,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			prefix := strings.ReplaceAll(strings.ToLower(name), " ", "-") + "/"
			s := &subject{T: t, s: storetest.Apart{Store: storetest.Open(t, dsn), Prefix: prefix}}
			s.ok(Install(t.Context(), s.s))
			run(s)
		})
	}
}

// subject is a store with an installed and empty pool.
type subject struct {
	*testing.T
	s storetest.Apart
}

func (s *subject) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *subject) stored(db, id string) document.Document {
	s.Helper()
	doc, err := s.s.Get(s.Context(), db, id)
	s.ok(err)
	return doc
}

// install: what is there already stays, byte by byte.
func install(s *subject) {
	revs := func() string {
		return s.stored(Database, "_design/dedicated_ips").Rev() + " " + s.stored(Database, "_design/junctor").Rev()
	}
	before := revs()
	s.ok(Install(s.Context(), s.s))
	if after := revs(); after != before {
		s.Errorf("installed anew: %s, was %s", after, before)
	}
	doc := s.stored(Database, "_design/dedicated_ips")
	doc["views"].(map[string]any)["more"] = map[string]any{"map": "function(doc) {}"}
	_, err := s.s.Put(s.Context(), Database, doc)
	s.ok(err)
	before = revs()
	s.ok(Install(s.Context(), s.s))
	if after := revs(); after != before {
		s.Errorf("Kazoo's was overwritten: %s, was %s", after, before)
	}
}

// installKazoosText: the text that this Kazoo would install is preferred to ours.
func installKazoosText(s *subject) {
	elsewhere := storetest.Apart{Store: s.s.Store, Prefix: s.s.Prefix + "kazoo/"}
	s.ok(elsewhere.CreateDatabase(s.Context(), "system_data"))
	design := testutil.KazooViews(s, "dedicated_ips")[0]
	zones := design["views"].(map[string]any)["zone_listing"].(map[string]any)
	zones["map"] = strings.ReplaceAll(zones["map"].(string), "  ", " ") // as another release may write it
	source := design.Clone()
	source["kazoo"] = map[string]any{"view_map": []any{}}
	_, err := elsewhere.Put(s.Context(), "system_data", document.Document{
		"_id": kazooCopy, "view_definition": map[string]any(source),
	})
	s.ok(err)
	s.ok(Install(s.Context(), elsewhere))
	doc, err := elsewhere.Get(s.Context(), Database, "_design/dedicated_ips")
	s.ok(err)
	if !projection.SameContent(doc, design) {
		s.Errorf("installed %v\nwant %v", doc, design)
	}
}

// installNoSecondPool: if the pool has existed and is gone, Install does not create another one, which would make all
// copies look left over.
func installNoSecondPool(s *subject) {
	elsewhere := storetest.Apart{Store: s.s.Store, Prefix: s.s.Prefix + "gone/"}
	s.ok(elsewhere.CreateDatabase(s.Context(), projection.StateDatabase))
	_, err := elsewhere.Put(s.Context(), projection.StateDatabase, document.Document{"_id": markID})
	s.ok(err)
	for range 2 {
		if err := Install(s.Context(), elsewhere); !errors.Is(err, projection.ErrPoolMissing) {
			s.Errorf("installed with %v", err)
		}
	}
	if exists, err := elsewhere.DatabaseExists(s.Context(), Database); exists || err != nil {
		s.Errorf("the pool exists: %t, %v", exists, err)
	}
	s.ok(elsewhere.CreateDatabase(s.Context(), Database)) // the operator restores it, empty though it be
	s.ok(Install(s.Context(), elsewhere))
	if _, err := elsewhere.Get(s.Context(), Database, "_design/"+OurDesign); err != nil {
		s.Error(err)
	}
	s.stored(projection.StateDatabase, markID)
}
