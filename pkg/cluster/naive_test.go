package cluster

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"

	"junctor/pkg/document"
)

// naive is what the table should answer, said as plainly as can be: it keeps the documents and looks through them all.
type naive struct {
	docs   map[string]document.Document
	recent map[string]bool // told of since the last reading began
}

func newNaive() *naive { return &naive{docs: map[string]document.Document{}} }

func (n *naive) begin() { n.recent = map[string]bool{} }

func (n *naive) apply(doc document.Document) {
	if known := n.docs[doc.ID()]; known == nil || later(doc, known) {
		n.take(doc)
	}
}

func (n *naive) restore(doc document.Document) {
	known := n.docs[doc.ID()]
	if known == nil || later(doc, known) || later(known, doc) && !n.recent[doc.ID()] {
		n.take(doc)
	}
	n.recent[doc.ID()] = true
}

func (n *naive) take(doc document.Document) {
	n.docs[doc.ID()] = doc
	n.recent[doc.ID()] = true
}

func (n *naive) forget() {
	maps.DeleteFunc(n.docs, func(id string, _ document.Document) bool { return !n.recent[id] })
}

// later reports whether a is a later revision than b.
func later(a, b document.Document) bool {
	var generations [2]int
	var hashes [2]string
	for i, doc := range []document.Document{a, b} {
		_, _ = fmt.Sscanf(doc.Rev(), "%d-%s", &generations[i], &hashes[i]) // as modelDocument has written it
	}
	return cmp.Or(generations[0]-generations[1], strings.Compare(hashes[0], hashes[1])) > 0
}

// each tells of everything that clusters have in a direction, in the order of look-ups.
func (n *naive) each(direction string, tell func(doc document.Document, zone string, addr netip.Addr)) {
	for _, id := range slices.Sorted(maps.Keys(n.docs)) {
		doc := n.docs[id]
		if doc["pvt_type"] != "customer_cluster" || doc["pvt_deleted"] == true {
			continue
		}
		zones := doc["ips"].(map[string]any)[direction].(map[string]any)
		for _, zone := range slices.Sorted(maps.Keys(zones)) {
			for _, spelling := range zones[zone].([]any) {
				if addr, err := netip.ParseAddr(fmt.Sprint(spelling)); err == nil {
					tell(doc, zone, addr.Unmap())
				}
			}
		}
	}
}

func (n *naive) lookup(spelling string, directions ...string) []Holding {
	found := []Holding{}
	for _, direction := range directions {
		n.each(direction, func(doc document.Document, zone string, addr netip.Addr) {
			if addr == netip.MustParseAddr(spelling).Unmap() {
				found = append(found, Holding{doc.ID(), doc.String("owner"), doc.String("name"), direction, zone})
			}
		})
	}
	return found
}

func (n *naive) addresses(cluster, direction, first string) []Address {
	found, others := []Address{}, []Address{}
	n.each(direction, func(doc document.Document, zone string, addr netip.Addr) {
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

// What the model's documents are made of: little enough for clusters to get in each other's way, with six spellings of
// three addresses.
var (
	modelClusters  = []string{"a", "b", "c", "d"}
	modelZones     = []string{"", "east", "north west", strings.Repeat("long", 50)}
	modelSpellings = []string{
		"10.0.0.1", "10.0.0.2", "::ffff:10.0.0.1", "::FFFF:0a00:2", "2001:db8::1", "2001:DB8:0::1",
	}
	noAddresses = []any{"hello", "", 7, nil, true}
)

// modelDocument makes up a document, with a revision that none before it had.
func modelDocument(random *rand.Rand, number int) document.Document {
	doc := document.Document{
		"_id": oneOf(random, modelClusters), "_rev": fmt.Sprintf("%d-%06d", 1+random.IntN(12), number),
		"owner": fmt.Sprint("owner", random.IntN(3)), "name": fmt.Sprint("name", number),
		"pvt_type": "customer_cluster", "ips": map[string]any{Inbound: modelIPs(random), Outbound: modelIPs(random)},
	}
	switch random.IntN(8) {
	case 0:
		doc["pvt_deleted"] = true
	case 1:
		doc["pvt_type"] = "kazoo_cluster"
	}
	return doc
}

func modelIPs(random *rand.Rand) map[string]any {
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
