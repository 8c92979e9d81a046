package routing

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/ipaddr"
)

// field is where a document has an address, and how the client spelled it.
type field struct{ path, text string }

// validate returns a document as it is to be stored: values cast, addresses in canonical form (RFC 5952),
// randomize_routing given.
func (r *Registry) validate(doc document.Document) (draft, error) {
	// First, since the schema's findings repeat the name of a zone for each of its addresses.
	if err := checkZones(doc); err != nil {
		return draft{}, err
	}
	doc, err := r.schemas.Cast(schemaID, doc)
	if err != nil {
		return draft{}, err
	}
	if _, ok := doc[fieldRandomize]; !ok {
		doc[fieldRandomize] = false
	}
	slots, err := canonicalize(doc)
	return draft{doc, slots}, err
}

// maxZone bounds the characters of a zone's name.
const maxZone = 64

func checkZones(doc document.Document) error {
	fields := fault.Fields{}
	for _, direction := range directions {
		for _, zone := range zonesOf(doc, direction) {
			if !isZone(zone.name) {
				fields.Add(zonePath(direction, zone.name), "pattern",
					fmt.Sprintf("The name of a zone has 1 to %d printable characters and no /", maxZone),
					map[string]any{"value": zone.name})
			}
		}
	}
	return fields.Err()
}

func isZone(name string) bool {
	return name != "" && utf8.RuneCountInString(name) <= maxZone &&
		strings.IndexFunc(name, func(c rune) bool { return c == '/' || !unicode.IsPrint(c) }) < 0
}

// canonicalize makes the addresses of a valid document canonical and refuses those that it has twice in one direction.
func canonicalize(doc document.Document) (map[addressSlot]field, error) {
	slots, fields := map[addressSlot]field{}, fault.Fields{}
	for _, direction := range directions {
		for _, zone := range zonesOf(doc, direction) {
			for i, value := range zone.addresses {
				text, _ := value.(string)
				addr, ok := ipaddr.Parse(text)
				if !ok { // the schema has passed it
					return nil, fmt.Errorf("%q is not an IP address", text)
				}
				here := field{fmt.Sprintf("%s.%d", zonePath(direction, zone.name), i), text}
				if first, twice := slots[addressSlot{direction, addr}]; twice {
					here.unique(fields, "The address is also at "+first.path)
					continue
				}
				slots[addressSlot{direction, addr}] = here
				zone.addresses[i] = addr.String()
			}
		}
	}
	return slots, fields.Err()
}

// unique records that an address at a place is somewhere else already.
func (p field) unique(fields fault.Fields, message string) {
	fields.Add(p.path, "unique", message, map[string]any{"value": p.text})
}

// zonePath is a zone's path in Crossbar's spelling: dots between names, %2E for a dot in one.
func zonePath(direction, zone string) string {
	return fieldIPs + "." + direction + "." + strings.ReplaceAll(zone, ".", "%2E")
}
