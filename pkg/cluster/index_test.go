package cluster

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"junctor/pkg/document"
)

// plainIndex is what the index should return, in the simplest way: it has the documents and searches them all.
type plainIndex map[string]document.Document

// each calls do for everything that live clusters have in a direction, in the order of look-ups.
func (m plainIndex) each(direction string, do func(doc document.Document, zone string, addr netip.Addr)) {
	for _, id := range slices.Sorted(maps.Keys(m)) {
		doc := m[id]
		if doc["pvt_type"] != "customer_cluster" || doc["pvt_deleted"] == true {
			continue
		}
		zones := doc["ips"].(map[string]any)[direction].(map[string]any)
		for _, zone := range slices.Sorted(maps.Keys(zones)) {
			for _, spelling := range zones[zone].([]any) {
				if addr, err := netip.ParseAddr(fmt.Sprint(spelling)); err == nil {
					do(doc, zone, addr.Unmap())
				}
			}
		}
	}
}

func (m plainIndex) lookup(spelling string, directions ...string) []Holding {
	found := []Holding{}
	for _, direction := range directions {
		m.each(direction, func(doc document.Document, zone string, addr netip.Addr) {
			if addr == netip.MustParseAddr(spelling).Unmap() {
				found = append(found, Holding{doc.ID(), doc.String("owner"), doc.String("name"), direction, zone})
			}
		})
	}
	return found
}

func (m plainIndex) addresses(cluster, direction, first string) []Address {
	found, others := []Address{}, []Address{}
	m.each(direction, func(doc document.Document, zone string, addr netip.Addr) {
		switch {
		case doc.ID() != cluster:
		case zone == first:
			found = append(found, Address{addr.String(), zone})
		default:
			others = append(others, Address{addr.String(), zone})
		}
	})
	return append(found, others...)
}

// What the model's documents are made of: little enough for clusters to hold the same addresses, with six spellings of
// three addresses, and zones whose names collation holds equal.
var (
	modelClusters  = []string{"a", "b", "c", "d"}
	modelZones     = []string{"", "east", "ea\u00adst", "north west", strings.Repeat("long", 50)}
	modelSpellings = []string{
		"10.0.0.1", "10.0.0.2", "::ffff:10.0.0.1", "::FFFF:0a00:2", "2001:db8::1", "2001:DB8:0::1",
	}
	noAddresses = []any{"hello", "", 7, nil, true}
)

// randomDocument returns a document of any generation, since documents may go back to earlier ones.
func randomDocument(random *rand.Rand) document.Document {
	doc := document.Document{
		"_id": oneOf(random, modelClusters), "_rev": fmt.Sprintf("%d-%x", 1+random.IntN(12), random.Uint64()),
		"owner": fmt.Sprint("owner", random.IntN(3)), "name": fmt.Sprint("name", random.IntN(99)),
		"pvt_type": "customer_cluster", "ips": map[string]any{Inbound: randomZones(random), Outbound: randomZones(random)},
	}
	switch random.IntN(8) {
	case 0:
		doc["pvt_deleted"] = true
	case 1:
		doc["pvt_type"] = "kazoo_cluster"
	}
	return doc
}

func randomZones(random *rand.Rand) map[string]any {
	zones := map[string]any{}
	for range random.IntN(4) {
		addresses := []any{}
		for range random.IntN(5) {
			addresses = append(addresses, oneOf(random, modelSpellings))
		}
		if random.IntN(8) == 0 {
			addresses = append(addresses, oneOf(random, noAddresses))
		}
		zones[oneOf(random, modelZones)] = addresses
	}
	return zones
}

func oneOf[T any](random *rand.Rand, list []T) T { return list[random.IntN(len(list))] }

// TestIndexFollowsDocuments applies random changes and readings to an index and to the model, and compares every
// look-up after each. What a look-up has returned does not change afterwards.
func TestIndexFollowsDocuments(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random, r, m := rand.New(rand.NewPCG(seed, 1)), New(nil, nil, Options{}), plainIndex{}
			r.index.reload(time.Now(), nil)
			for range 60 {
				before := compareWithModel(t, r, m)
				text := jsonText(t, before)
				if random.IntN(8) == 0 {
					clear(m)
					for range random.IntN(8) {
						doc := randomDocument(random)
						m[doc.ID()] = doc
					}
					r.index.reload(time.Now(), entriesOf(m))
				} else {
					doc := randomDocument(random)
					m[doc.ID()] = doc
					r.index.applyChange(doc)
				}
				if after := jsonText(t, before); after != text {
					t.Fatalf("a result has changed\nfrom %s\nto   %s", text, after)
				}
			}
			for _, id := range modelClusters {
				r.index.applyChange(document.Document{"_id": id, "_rev": "99-", "_deleted": true})
			}
			if x := r.index; len(x.clusters)+len(x.holders[0])+len(x.holders[1])+len(x.pending) > 0 {
				t.Errorf("left over: %v, %v", x.clusters, x.holders)
			}
		})
	}
}

func entriesOf(m plainIndex) (entries []*entry) {
	for _, doc := range m {
		if e := newEntry(doc); e != nil {
			entries = append(entries, e)
		}
	}
	return entries
}

// compareWithModel compares all look-ups with the model, and returns their results.
func compareWithModel(t *testing.T, r *Registry, m plainIndex) (all []any) {
	t.Helper()
	compare := func(got, want any, err error, query ...string) {
		t.Helper()
		if all = append(all, got); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %v\ngot  %v\nwant %v", query, err, got, want)
		}
	}
	for _, ip := range modelSpellings {
		found, err := r.Lookup(ip, "")
		compare(found, m.lookup(ip, Inbound, Outbound), err, ip)
		for _, direction := range directions {
			found, err := r.Lookup(ip, direction)
			compare(found, m.lookup(ip, direction), err, ip, direction)
		}
	}
	for _, id := range modelClusters {
		for _, direction := range directions {
			for _, zone := range modelZones {
				found, err := r.Addresses(id, direction, zone)
				compare(found, m.addresses(id, direction, zone), err, id, direction, zone)
			}
		}
	}
	return all
}

// TestPendingWrites: a write of this process stays until the feed has delivered it or something later, or until the
// document has been read again.
func TestPendingWrites(t *testing.T) {
	t.Parallel()
	revision := func(n int) document.Document {
		return document.Document{"_id": "a", "_rev": fmt.Sprint(n, "-x"), "pvt_type": documentType, "name": fmt.Sprint(n),
			"ips": map[string]any{Inbound: map[string]any{"z": []any{"10.0.0.1"}}}}
	}
	gone := document.Document{"_id": "a", "_rev": "9-x", "_deleted": true}
	type docs = map[string]document.Document
	for name, test := range map[string]struct {
		steps func(x *index)
		want  string // the generation that look-ups return; empty if none
	}{
		"an older change is ignored": {func(x *index) {
			x.applyWrite(revision(3))
			x.applyChange(revision(2))
		}, "3"},
		"after the write was delivered the feed decides": {func(x *index) {
			x.applyWrite(revision(3))
			x.applyChange(revision(3))
			x.applyChange(revision(2))
		}, "2"},
		"a later change replaces it": {func(x *index) {
			x.applyWrite(revision(3))
			x.applyChange(revision(5))
			x.applyChange(revision(4))
		}, "4"},
		"the feed was faster": {func(x *index) {
			x.applyChange(revision(3))
			x.applyChange(revision(4))
			x.applyWrite(revision(3))
			x.applyChange(revision(2))
		}, "2"},
		"removed before it was applied": {func(x *index) {
			x.applyChange(gone)
			x.applyWrite(revision(3))
			x.correct(x.overdue(time.Now().Add(1)), docs{})
		}, ""},
		"lost to an earlier generation": {func(x *index) {
			x.applyWrite(revision(3))
			x.applyChange(revision(2))
			x.correct(x.overdue(time.Now().Add(1)), docs{"a": revision(2)})
		}, "2"},
		"written again while it was read": {func(x *index) {
			x.applyWrite(revision(3))
			overdue := x.overdue(time.Now().Add(1))
			x.applyWrite(revision(4))
			x.correct(overdue, docs{"a": revision(3)})
		}, "4"},
		"written while everything was read": {func(x *index) {
			began := time.Now()
			x.applyWrite(revision(3))
			x.reload(began, []*entry{newEntry(revision(2))})
		}, "3"},
		"written before everything was read": {func(x *index) {
			x.applyWrite(revision(3))
			x.reload(time.Now().Add(1), []*entry{newEntry(revision(2))})
			x.applyChange(revision(1))
		}, "1"},
		"deleted while everything was read": {func(x *index) {
			began := time.Now()
			deleted := revision(3)
			deleted[fieldDeleted] = true
			x.applyWrite(deleted)
			x.reload(began, []*entry{newEntry(revision(2))})
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newIndex()
			x.reload(time.Now(), nil)
			test.steps(x)
			got := ""
			found, err := x.lookup(netip.MustParseAddr("10.0.0.1"), Inbound)
			for _, h := range found {
				got += h.Name
			}
			if err != nil || got != test.want {
				t.Errorf("found %q, %v, want %q", got, err, test.want)
			}
			x.correct(x.overdue(time.Now().Add(1)), nil)
			if len(x.pending) > 0 {
				t.Errorf("still pending: %v", x.pending)
			}
		})
	}
}

// TestIndexSize bounds the memory of an address. It is not parallel, since it would measure other tests, too.
func TestIndexSize(t *testing.T) {
	const clusters, each, most = 8334, 12, 250
	before := heap()
	r := New(nil, nil, Options{})
	for i := range clusters {
		fill(r, i)
	}
	size := float64(heap()-before) / (clusters * each)
	t.Logf("%.0f bytes an address", size)
	if size > most {
		t.Errorf("want %d at most", most)
	}
	runtime.KeepAlive(r)
}

// heap returns how many bytes are in use.
func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
