package dedicatedip

import (
	"context"
	"errors"
	"strings"

	"junctor/pkg/projection"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

var missingCases = []testCase{
	{"missing database", missingDatabase},
	{"missing design documents", missingDesigns},
	{"install", install},
	{"install Kazoo's text", installKazoosText},
	{"install no second pool", installNoSecondPool},
}

// calls is every call of the pool, on an address that may be there.
func calls(ctx context.Context, p *Pool) map[string]func() error {
	return map[string]func() error{
		"create":      func() error { _, err := p.Create(ctx, inZone("10.0.0.9")); return err },
		"get":         func() error { _, err := p.Read().Get(ctx, "10.0.0.1"); return err },
		"get odd":     func() error { _, err := p.Read().Get(ctx, "2001:DB8::1"); return err },
		"delete":      func() error { _, err := p.Delete(ctx, DeleteRequest{Address: "10.0.0.1"}); return err },
		"available":   func() error { _, err := p.Read().Available(ctx, Filter{}); return err },
		"assigned":    func() error { _, err := p.Read().Assigned(ctx, accountA); return err },
		"all":         func() error { _, err := p.Read().AssignedAll(ctx); return err },
		"zones":       func() error { _, err := p.Read().Zones(ctx); return err },
		"hosts":       func() error { _, err := p.Read().Hosts(ctx); return err },
		"assign one":  func() error { _, err := assignSingle(ctx, p, accountA, "10.0.0.1", nil); return err },
		"release one": func() error { _, err := releaseSingle(ctx, p, accountA, "10.0.0.1", nil); return err },
		"assign":      func() error { _, err := p.Assign(ctx, toAssign(accountA, "10.0.0.1", "10.0.0.2")); return err },
		"release":     func() error { _, err := p.Release(ctx, toRelease(accountA, "10.0.0.1", "10.0.0.2")); return err },
		"release all": func() error { _, err := p.ReleaseAll(ctx, ReleaseAllRequest{Account: accountA}); return err },
	}
}

func missingDatabase(s *subject) {
	p := s.pool(storetest.Apart{Store: s.s.Store, Prefix: s.s.Prefix + "none/"}, s.Output())
	for name, call := range calls(s.Context(), p) {
		if err := call(); !fault.Is(err, fault.DatastoreMissing) || !strings.Contains(err.Error(), Database) {
			s.Errorf("%s: %v", name, err)
		}
	}
}

// missingDesigns: what needs no view works.
func missingDesigns(s *subject) {
	bare := storetest.Apart{Store: s.s.Store, Prefix: s.s.Prefix + "bare/"}
	s.ok(bare.CreateDatabase(s.Context(), Database))
	s.ok(bare.CreateDatabase(s.Context(), s.accountDB(accountA)))
	for _, id := range []string{"10.0.0.1", "10.0.0.2"} {
		_, err := bare.Put(s.Context(), Database, document.Document{"_id": id, "pvt_type": documentType,
			"pvt_status": "available"})
		s.ok(err)
	}
	all := calls(s.Context(), s.pool(bare, s.Output()))
	for _, name := range []string{"create", "get odd", "available", "assigned", "all", "zones", "hosts",
		"release all"} {
		if err := all[name](); !fault.Is(err, fault.DatastoreMissingView) || !strings.Contains(err.Error(), Database) {
			s.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"get", "assign", "release", "assign one", "release one", "delete"} {
		if err := all[name](); err != nil {
			s.Errorf("%s: %v", name, err)
		}
	}
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

// installKazoosText: the text that this Kazoo would install is taken before ours.
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

// installNoSecondPool: where the pool has existed and is gone, none is made in its place, which would make all copies
// look left over (fault R1).
func installNoSecondPool(s *subject) {
	for _, mark := range []string{poolMarkID, projection.StateID} { // the latter is what an older junctor has left
		elsewhere := storetest.Apart{Store: s.s.Store, Prefix: s.s.Prefix + mark + "/"}
		s.ok(elsewhere.CreateDatabase(s.Context(), projection.StateDatabase))
		_, err := elsewhere.Put(s.Context(), projection.StateDatabase, document.Document{"_id": mark})
		s.ok(err)
		for range 2 {
			if err := Install(s.Context(), elsewhere); !errors.Is(err, projection.ErrPoolMissing) {
				s.Errorf("%s: installed with %v", mark, err)
			}
		}
		if exists, err := elsewhere.DatabaseExists(s.Context(), Database); exists || err != nil {
			s.Errorf("%s: the pool exists: %t, %v", mark, exists, err)
		}
		s.ok(elsewhere.CreateDatabase(s.Context(), Database)) // the operator restores it, empty though it be
		s.ok(Install(s.Context(), elsewhere))
		if _, err := elsewhere.Get(s.Context(), Database, "_design/"+ourDesign); err != nil {
			s.Error(err)
		}
	}
	if s.stored(projection.StateDatabase, poolMarkID) == nil {
		s.Error("the pool is not marked")
	}
}
