package cluster

import (
	"cmp"
	"net/netip"
	"strconv"
	"strings"

	"junctor/pkg/document"
)

// member is what the table knows of one cluster.
type member struct {
	text packed // the parts of its profile, one after the other
	told uint64 // when the store or a writer last told of it, by the table's clock
}

// profile is what a document says of a cluster. Of a deleted one there are only the id and the revision.
type profile struct {
	id, rev     string
	owner, name string
	randomize   bool
	zones       [2]packedZones // by direction
}

// memberOf reads a document, valid or not.
func memberOf(doc document.Document) *member {
	text := pack(pack(nil, doc.ID()), doc.Rev())
	if isLive(doc) {
		text = pack(pack(text, doc.String(fieldOwner)), doc.String(fieldName))
		text = pack(text, strconv.FormatBool(doc.Bool(fieldRandomize)))
		for _, direction := range directions {
			text = pack(text, string(packZones(zonesOf(doc, direction))))
		}
	}
	return &member{text: packed(text)}
}

func (m *member) profile() profile {
	rest := m.text
	return profile{
		rest.next(), rest.next(), rest.next(), rest.next(),
		rest.next() == "true",
		[2]packedZones{packedZones(rest.next()), packedZones(rest.next())},
	}
}

func (m *member) id() string {
	text := m.text
	return text.next()
}

// compare orders what two documents of one cluster say by their revisions, as the store does.
func (m *member) compare(other *member) int {
	generation, hash := m.profile().revision()
	otherGeneration, otherHash := other.profile().revision()
	return cmp.Or(cmp.Compare(generation, otherGeneration), strings.Compare(hash, otherHash))
}

func (p profile) revision() (generation int, hash string) {
	number, hash, _ := strings.Cut(p.rev, "-")
	generation, _ = strconv.Atoi(number)
	return generation, hash
}

// each tells of all addresses, with their directions and zones.
func (p profile) each(do func(direction int, zone uint32, addr netip.Addr)) {
	for direction, zones := range p.zones {
		for number, zone := range zones.all() {
			for addr := range zone.addresses.all() {
				do(direction, number, addr)
			}
		}
	}
}
