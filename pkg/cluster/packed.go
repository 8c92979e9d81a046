package cluster

import (
	"encoding/binary"
	"iter"
	"net/netip"

	"junctor/pkg/ipaddr"
)

// packed is a text of texts, one after the other, each behind its length. To the garbage collector it is one thing,
// whatever is in it. Taking a text out copies nothing, and as none ever changes, it may be handed on.
type packed string

// pack appends a text to a packed one.
func pack(to []byte, text string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(text))), text...)
}

// next takes the first text off. Where there are no more it answers an empty one.
func (p *packed) next() string {
	if *p == "" {
		return ""
	}
	length, size := uint64((*p)[0]), 1
	if length >= 0x80 { // more than one byte
		length, size = binary.Uvarint([]byte((*p)[:min(len(*p), binary.MaxVarintLen64)]))
	}
	text := (*p)[size:]
	*p = text[length:]
	return string(text[:length])
}

// packedZones are the zones of a cluster in one direction, each a name and its packed addresses.
type packedZones packed

// packZones leaves out what is no address, and zones without any.
func packZones(zones []zone) packedZones {
	var text []byte
	for _, zone := range zones {
		if addresses := packAddresses(zone.addresses); addresses != "" {
			text = pack(pack(text, zone.name), string(addresses))
		}
	}
	return packedZones(text)
}

// packedZone is one zone of a cluster in one direction.
type packedZone struct {
	name      string
	addresses packedAddresses
}

// all answers the zones by their numbers.
func (p packedZones) all() iter.Seq2[uint32, packedZone] {
	return func(yield func(uint32, packedZone) bool) {
		rest := packed(p)
		for number := uint32(0); rest != ""; number++ {
			if !yield(number, packedZone{rest.next(), packedAddresses(rest.next())}) {
				return
			}
		}
	}
}

// name answers the name of the zone that has a number.
func (p packedZones) name(number uint32) string {
	rest := packed(p)
	for range number {
		rest.next()
		rest.next()
	}
	return rest.next()
}

// packedAddresses are the addresses of a zone, each of 4 or 16 bytes, in the order of the document.
type packedAddresses packed

// shortestAddress is how many bytes a packed address takes at least.
const shortestAddress = 1 + 4

func packAddresses(values []any) packedAddresses {
	var text []byte
	for _, value := range values {
		spelling, _ := value.(string)
		if addr, ok := ipaddr.Parse(spelling); ok {
			text = pack(text, string(addr.AsSlice()))
		}
	}
	return packedAddresses(text)
}

func (p packedAddresses) all() iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for rest := packed(p); rest != ""; {
			addr, _ := netip.AddrFromSlice([]byte(rest.next()))
			if !yield(addr) {
				return
			}
		}
	}
}
