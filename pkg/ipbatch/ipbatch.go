// Package ipbatch expands the entries of a bulk creation (addresses, networks and ranges with a zone and a host) into
// single addresses.
//
// It does not know which addresses the pool has.
package ipbatch

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"unicode/utf8"

	"junctor/pkg/fault"
	"junctor/pkg/ipaddr"
)

// How many characters the texts of an address can have. The document of an address has them several times, since it
// also carries its last changes, and must stay small enough for the next one.
const (
	MaxName  = 1_024 // of a zone or host
	MaxNotes = 4_096
)

// Texts are the texts of an address, in the order zone, host and notes, and how many characters they have.
var Texts = [3]struct {
	Name        string
	Least, Most int
}{{"zone", 1, MaxName}, {"host", 1, MaxName}, {"notes", 0, MaxNotes}}

// Entry is addresses to add to the pool, with a zone, a host and notes in common. Exactly one of IP, CIDR and Range is
// given; zone and host have 1 to MaxName characters.
type Entry struct {
	IP    string `json:"ip"`    // an address in any spelling
	CIDR  string `json:"cidr"`  // a network, as in "192.0.2.0/24"
	Range string `json:"range"` // the first and the last address, as in "192.0.2.10-192.0.2.20"
	All   bool   `json:"all"`   // with the network and the broadcast address of an IPv4 network
	Zone  string `json:"zone"`
	Host  string `json:"host"`
	Notes string `json:"notes"` // at most MaxNotes characters; may be empty
}

// Text returns the IP, CIDR or Range, whichever is given.
func (e Entry) Text() string { return cmp.Or(e.IP, e.CIDR, e.Range) }

// Block returns the addresses of an entry. Its error says what is wrong with the IP, CIDR or Range.
func (e Entry) Block() (b ipaddr.Block, err error) {
	name := "cidr"
	switch {
	case e.CIDR != "":
		b, err = ipaddr.ParseCIDR(e.CIDR, e.All)
	case e.Range != "":
		name = "range"
		b, err = ipaddr.ParseRange(e.Range)
	default:
		addr, ok := ipaddr.Parse(e.IP)
		if !ok {
			return b, errors.New("ip must be an IPv4 or IPv6 address")
		}
		return ipaddr.Block{First: addr, Last: addr}, nil
	}
	if err != nil {
		err = fmt.Errorf("%s %w", name, err)
	}
	return b, err
}

// Size returns how many addresses entries have in all, most at most. Entries that are wrong have none.
func Size(entries []Entry, most int) (n int) {
	for _, e := range entries {
		if block, err := e.Block(); err == nil {
			n = min(n+block.Size(most), most)
		}
	}
	return n
}

// check returns what is wrong with the fields of an entry. It does not parse addresses.
func (e Entry) check() error {
	given := 0
	for _, text := range []string{e.IP, e.CIDR, e.Range} {
		if text != "" {
			given++
		}
	}
	if given != 1 {
		return errors.New("exactly one of ip, cidr and range must be given")
	}
	for i, text := range []string{e.Zone, e.Host, e.Notes} {
		switch n, bounds := utf8.RuneCountInString(text), Texts[i]; {
		case n < bounds.Least:
			return fmt.Errorf("%s must be given, for the entry or for all", bounds.Name)
		case n > bounds.Most:
			return fmt.Errorf("%s must not have more than %d characters", bounds.Name, bounds.Most)
		}
	}
	return nil
}

// Address is an address, and the index of the entry that names it.
type Address struct {
	Addr  netip.Addr
	Entry int
}

// Expansion is what entries name.
type Expansion struct {
	// Addresses has each address with the first entry that names it, and with those that name it again with another
	// zone or host.
	Addresses []Address
	// Refused has by the index of an entry what is wrong with it: "invalid" or "too_many".
	Refused fault.Fields
}

// Expand returns the addresses of entries. An entry that has more addresses than are left of most is refused; smaller
// ones after it are not.
func Expand(entries []Entry, most int) Expansion {
	x := Expansion{Refused: fault.Fields{}}
	refuse := func(entry int, code, message string) {
		x.Refused.Add(strconv.Itoa(entry), code, message, map[string]any{"value": entries[entry].Text()})
	}
	left := most
	named := map[netip.Addr]int{} // the entry that names an address first
	for i, e := range entries {
		err := e.check()
		var block ipaddr.Block
		if err == nil {
			block, err = e.Block()
		}
		if err != nil {
			refuse(i, "invalid", err.Error())
			continue
		}
		size := block.Size(left + 1)
		if size > left {
			refuse(i, "too_many", fmt.Sprintf("a request must not have more than %d addresses", most))
			continue
		}
		left -= size
		for addr := range block.Addresses() {
			first, known := named[addr]
			if !known {
				named[addr] = i
			} else if entries[first].Zone == e.Zone && entries[first].Host == e.Host {
				continue
			}
			x.Addresses = append(x.Addresses, Address{addr, i})
		}
	}
	return x
}
