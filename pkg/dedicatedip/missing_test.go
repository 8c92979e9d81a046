package dedicatedip

import (
	"context"
	"strings"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store/storetest"
)

var missingCases = []testCase{
	{"missing database", missingDatabase},
	{"missing design documents", missingDesigns},
}

// calls is every call of the pool, on an address that may be there.
func calls(ctx context.Context, p *Pool) map[string]func() error {
	return map[string]func() error{
		"create":      func() error { return outcome(p.Create(ctx, inZone("10.0.0.9"))) },
		"get":         func() error { return outcome(p.Read().Get(ctx, "10.0.0.1")) },
		"get odd":     func() error { return outcome(p.Read().Get(ctx, "2001:DB8::1")) },
		"delete":      func() error { return outcome(p.Delete(ctx, DeleteRequest{Address: "10.0.0.1"})) },
		"available":   func() error { return outcome(p.Read().Available(ctx, Filter{})) },
		"assigned":    func() error { return outcome(p.Read().Assigned(ctx, accountA)) },
		"all":         func() error { return outcome(p.Read().AssignedAll(ctx)) },
		"zones":       func() error { return outcome(p.Read().Zones(ctx)) },
		"hosts":       func() error { return outcome(p.Read().Hosts(ctx)) },
		"assign":      func() error { return outcome(p.Assign(ctx, toAssign(accountA, "10.0.0.1", "10.0.0.2"))) },
		"release":     func() error { return outcome(p.Release(ctx, toRelease(accountA, "10.0.0.1", "10.0.0.2"))) },
		"release all": func() error { return outcome(p.ReleaseAll(ctx, ReleaseAllRequest{Account: accountA})) },
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
	for _, name := range []string{"get", "assign", "release", "delete"} {
		if err := all[name](); err != nil {
			s.Errorf("%s: %v", name, err)
		}
	}
}
