package routing

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/testutil"
)

var patchCases = []testCase{
	{"patch laws", patchLaws},
	{"patch order", patchOrder},
	{"model", model},
	{"64 patches", manyPatches},
}

const patched = `{"owner":"o","name":"n","ips":{"inbound":{"east":["10.0.0.1","10.0.0.2"],"west":["10.0.0.3"]},
	"outbound":{"east":["10.0.0.1"]}},"extra":{"deep":{"a":1},"list":[1,2]}}`

func patchLaws(s *subject) {
	const who, out = `"owner":"o","name":"n"`, `"outbound":{"east":["10.0.0.1"]}`
	for _, law := range []struct{ change, want string }{
		{`{}`, patched},
		{`{"name":"other"}`, strings.Replace(patched, `"n"`, `"other"`, 1)},
		{`{"extra":null,"ips":{"inbound":{"east":null}}}`,
			`{` + who + `,"ips":{"inbound":{"west":["10.0.0.3"]},` + out + `}}`},
		{`{"extra":null,"ips":{"inbound":{"east":[],"west":null}}}`,
			`{` + who + `,"ips":{"inbound":{"east":[]},` + out + `}}`},
		{`{"extra":{},"ips":{"inbound":{}}}`, `{` + who + `,"ips":{"inbound":{},` + out + `},"extra":{}}`},
		{`{"ips":{},"extra":null}`, `{` + who + `,"ips":{}}`},
		{`{"extra":{"deep":{"b":2},"list":[3]},"ips":{}}`,
			`{` + who + `,"ips":{},"extra":{"deep":{"a":1,"b":2},"list":[3]}}`},
		{`{"none":null,"ips":{},"extra":1,"id":"x","pvt_type":"y"}`, `{` + who + `,"ips":{},"extra":1}`},
		{`{"randomize_routing":null,"extra":null,"ips":{}}`, `{` + who + `,"ips":{}}`},
	} {
		s.ok(outcome(s.Create(s.Context(), clusterA, doc(s, patched), author)))
		full := doc(s, law.want)
		full["id"], full[fieldRandomize] = clusterA, false
		for range 2 {
			c, err := s.Patch(s.Context(), clusterA, doc(s, law.change), author, nil)
			s.ok(err)
			s.shows(c, jsonText(s, full))
		}
		s.holds(0, nil)
		s.ok(outcome(s.Delete(s.Context(), clusterA, author, nil)))
	}
	s.holds(0, map[string][]string{})
}

// patchOrder: changes of different keys have the same end in any order.
func patchOrder(s *subject) {
	changes := []string{`{"name":"a"}`, `{"ips":{"inbound":{"east":["10.0.0.9"]}}}`, `{"ips":{"inbound":{"west":null}}}`,
		`{"extra":{"deep":{"b":[]}}}`, `{"ips":{"outbound":{}}}`, `{"randomize_routing":true}`}
	var first string
	r := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		s.ok(outcome(s.Create(s.Context(), clusterA, doc(s, patched), author)))
		var c Cluster
		for _, i := range r.Perm(len(changes)) {
			var err error
			c, err = s.Patch(s.Context(), clusterA, doc(s, changes[i]), author, nil)
			s.ok(err)
		}
		if first == "" {
			first = jsonText(s, c)
		} else if got := jsonText(s, c); got != first {
			s.Errorf("got  %s\nwant %s", got, first)
		}
		s.holds(0, nil)
		s.ok(outcome(s.Delete(s.Context(), clusterA, author, nil)))
	}
}

// modelOf is the registry as one would write it for one process and no store: public documents by id.
type modelOf map[string]document.Document

// refuses reports whether a cluster cannot have the slots of ips, as another has one of them.
func (m modelOf) refuses(id string, ips map[string]any) bool {
	want := slotsOf(document.Document{kazoo.FieldType: documentType, "ips": ips})
	for other, d := range m {
		for s := range slotsOf(document.Document{kazoo.FieldType: documentType, "ips": d["ips"]}) {
			if other != id && want[s] {
				return true
			}
		}
	}
	return false
}

// model does random things to three clusters and to the model, and compares.
func model(s *subject) {
	r := rand.New(rand.NewPCG(1, 1))
	m := modelOf{}
	other := s.registry(s.s, Options{})
	for range 150 {
		id := []string{clusterA, clusterB, clusterC}[r.IntN(3)]
		on := []*Registry{s.Registry, other}[r.IntN(2)]
		s.step(m, on, r, id)
		got, err := s.Get(s.Context(), id)
		want, exists := m[id]
		if exists != (err == nil) || exists && !reflect.DeepEqual(got.Public(), want) {
			s.Fatalf("%s: got %v, %v\nwant %v", id, got.Public(), err, want)
		}
	}
	s.holds(0, nil)
}

func (s *subject) step(m modelOf, on *Registry, r *rand.Rand, id string) {
	s.Helper()
	data := document.Document{"owner": "o", "name": fmt.Sprint(r.IntN(9)), fmt.Sprint("x", r.IntN(3)): value(s, "7"),
		"ips": randomIPs(s, r)}
	next := data.Clone()
	next["id"], next[fieldRandomize] = id, false
	_, exists := m[id]
	var err error
	kind := fault.BadIdentifier
	switch r.IntN(5) {
	case 0:
		kind, exists = fault.Conflict, !exists
		_, err = on.Create(s.Context(), id, data, author)
	case 1:
		_, err = on.Replace(s.Context(), id, data, author, nil)
	case 2, 3:
		change := document.Document{"ips": data["ips"], fmt.Sprint("x", r.IntN(3)): nil}
		next = document.Merge(m[id], change)
		_, err = on.Patch(s.Context(), id, change, author, nil)
	default:
		_, err = on.Delete(s.Context(), id, author, nil)
		next = nil
	}
	switch {
	case !exists:
		testutil.RequireFault(s, err, kind)
	case next == nil:
		s.ok(err)
		delete(m, id)
	case m.refuses(id, next["ips"].(map[string]any)) || repeats(next):
		testutil.RequireFault(s, err, fault.Invalid)
	default:
		s.ok(err)
		m[id] = next
	}
}

// randomIPs returns a few of eight addresses, each once in a direction.
func randomIPs(s *subject, r *rand.Rand) map[string]any {
	var slots []string
	for _, direction := range []string{"in", "out"} {
		for _, i := range r.Perm(8)[:r.IntN(3)] {
			slots = append(slots, fmt.Sprintf("%s:%c:10.0.0.%d", direction, 'a'+rune(r.IntN(2)), i))
		}
	}
	return ipsOf(s, slots...)
}

// repeats reports whether a document has an address twice in a direction.
func repeats(d document.Document) bool {
	for _, direction := range directions {
		var all []any
		for _, zone := range zonesOf(d, direction) {
			for _, a := range zone.addresses {
				if slices.Contains(all, a) {
					return true
				}
				all = append(all, a)
			}
		}
	}
	return false
}

// manyPatches: 64 at once from two processes, each of a key of its own; half of them add an address.
func manyPatches(s *subject) {
	s.have(clusterA)
	registries := []*Registry{s.Registry, s.registry(s.s, Options{})}
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			change := doc(s, fmt.Sprintf(`{"extra":{"k%d":%[1]d}}`, i))
			if i%4 < 2 {
				change = doc(s, fmt.Sprintf(`{"ips":{"inbound":{"k%d":["10.0.0.%[1]d"]}}}`, i))
			}
			if _, err := registries[i%2].Patch(s.Context(), clusterA, change, author, nil); err != nil {
				s.Error(err)
			}
		})
	}
	all.Wait()
	c, err := s.Get(s.Context(), clusterA)
	s.ok(err)
	extra := c.Public()["extra"].(map[string]any)
	zones := zonesOf(c.Public(), Inbound)
	if len(extra) != 32 || len(zones) != 32 {
		s.Errorf("%d fields and %d zones are there", len(extra), len(zones))
	}
	s.holds(0, nil)
}
