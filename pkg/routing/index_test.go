package routing

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

	"junctor/pkg/document"
	"junctor/pkg/testutil"
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

func (m plainIndex) lookup(spelling string, directions ...string) []Owner {
	found := []Owner{}
	for _, direction := range directions {
		m.each(direction, func(doc document.Document, zone string, addr netip.Addr) {
			if addr == netip.MustParseAddr(spelling).Unmap() {
				found = append(found, Owner{doc.ID(), doc.String("owner"), doc.String("name"), direction, zone})
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
			found = append(found, Address{IP: addr.String(), Zone: zone})
		default:
			others = append(others, Address{IP: addr.String(), Zone: zone})
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

// TestIndexFollowsDocuments applies random changes to an index and to the model, and compares every look-up after each.
// What a look-up has returned does not change afterwards.
func TestIndexFollowsDocuments(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random, x, m := rand.New(rand.NewPCG(seed, 1)), newIndex(), plainIndex{}
			for range 60 {
				before := compareWithModel(t, x, m)
				text := jsonText(t, before)
				doc := randomDocument(random)
				m[doc.ID()] = doc
				x.Apply(doc)
				if after := jsonText(t, before); after != text {
					t.Fatalf("a result has changed\nfrom %s\nto   %s", text, after)
				}
			}
			for _, id := range modelClusters {
				x.Apply(document.Document{"_id": id, "_rev": "99-", "_deleted": true})
			}
			if len(x.clusters)+len(x.holders[0])+len(x.holders[1]) > 0 {
				t.Errorf("left over: %v, %v", x.clusters, x.holders)
			}
		})
	}
}

// compareWithModel compares all look-ups with the model, and returns their results.
func compareWithModel(t *testing.T, x *index, m plainIndex) (all []any) {
	t.Helper()
	compare := func(got, want any, query ...string) {
		t.Helper()
		if all = append(all, got); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q\ngot  %v\nwant %v", query, got, want)
		}
	}
	for _, ip := range modelSpellings {
		addr := netip.MustParseAddr(ip).Unmap()
		compare(x.lookup(addr, ""), m.lookup(ip, Inbound, Outbound), ip)
		for _, direction := range directions {
			compare(x.lookup(addr, direction), m.lookup(ip, direction), ip, direction)
		}
	}
	for _, id := range modelClusters {
		for direction, name := range directions {
			for _, zone := range modelZones {
				compare(x.cluster(id).addresses(direction, zone, false), m.addresses(id, name, zone), id, name, zone)
			}
		}
	}
	return all
}

// TestIndexSize bounds the memory of an address. It is not parallel, since it would measure other tests, too.
func TestIndexSize(t *testing.T) {
	const clusters, each, most = 8334, 12, 250
	before := testutil.HeapBytes()
	x := newIndex()
	for i := range clusters {
		fill(x, i)
	}
	size := float64(testutil.HeapBytes()-before) / (clusters * each)
	t.Logf("%.0f bytes an address", size)
	if size > most {
		t.Errorf("want %d at most", most)
	}
	runtime.KeepAlive(x)
}
