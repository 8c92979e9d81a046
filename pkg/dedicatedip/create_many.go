package dedicatedip

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"unicode/utf8"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/ipaddr"
)

// Bounds of CreateMany.
const (
	MaxCreated = 20_000 // addresses in one request, those that are there already included
	MaxNotes   = 4_096  // characters of an address's notes
)

// Entry is addresses to add to the pool, with a zone, a host and notes in common. Exactly one of IP, CIDR and Range is
// given; zone and host must not be empty.
type Entry struct {
	IP    string // an address in any spelling
	CIDR  string // a network, as in "192.0.2.0/24"
	Range string // the first and the last address, as in "192.0.2.10-192.0.2.20"
	All   bool   // with the network and the broadcast address of an IPv4 network
	Zone  string
	Host  string
	Notes string // at most MaxNotes characters; empty is none
}

// CreateManyRequest is addresses to add to the pool.
type CreateManyRequest struct {
	Entries []Entry
	DryRun  bool // returns what would become of the entries, and writes nothing
	By      history.Actor
}

// Creation is what became of the entries of a CreateManyRequest.
type Creation struct {
	Created   []string // ids, in the order of the entries
	Unchanged []string // ids of those that the pool had with the same zone and host
	// Refused has by the index of an entry what could not be added: "invalid" (the entry itself is wrong), "too_many" (the
	// request has more than MaxCreated addresses with it) or "exists" (with another zone or host). An entry that exists in
	// part is created but for that part; "addresses" names it.
	Refused fault.Fields
}

// The codes of Creation.Refused.
const (
	refusedInvalid = "invalid"
	refusedTooMany = "too_many"
	refusedExists  = "exists"
)

// CreateMany adds addresses to the pool in bulk. Entries are independent: one that is refused does not stop the others,
// and an address that several entries name is created once. If the store fails, the error says so, and what Creation
// names by then was done; the request may be repeated, which creates what is missing.
func (p *Pool) CreateMany(ctx context.Context, r CreateManyRequest) (done Creation, err error) {
	c := &creation{Pool: p, CreateManyRequest: r, done: Creation{Refused: fault.Fields{}}, existing: map[int][]string{}}
	c.expand()
	err = c.eachPart(ctx, c.wanted, c.create)
	if err == nil {
		err = c.eachPart(ctx, c.again, c.compare)
	}
	c.reportExisting()
	if !r.DryRun {
		logChange(ctx, history.Event{Action: history.Created}, c.done.Created...)
	}
	return c.done, err
}

// createdAtOnce is how many documents are written in one call of the store.
const createdAtOnce = 500

// creation is a CreateManyRequest on its way.
type creation struct {
	*Pool
	CreateManyRequest
	wanted   []wantedIP
	again    []wantedIP       // that an entry with another zone or host names before
	existing map[int][]string // by entry: ids of addresses that are there with another zone or host
	done     Creation
}

// wantedIP is an address to create, and the entry that names it.
type wantedIP struct {
	addr  netip.Addr
	entry int
}

// expand finds the addresses of all entries, each once, and refuses entries that are wrong by themselves.
func (c *creation) expand() {
	left := MaxCreated
	named := map[netip.Addr]int{} // the entry that names an address first
	for i, e := range c.Entries {
		block, err := e.block()
		if err != nil {
			c.refuse(i, refusedInvalid, err.Error())
			continue
		}
		size := block.Size(left + 1)
		if size > left {
			c.refuse(i, refusedTooMany, fmt.Sprintf("a request must not have more than %d addresses", MaxCreated))
			continue
		}
		left -= size
		for addr := range block.Addresses() {
			first, known := named[addr]
			switch {
			case !known:
				named[addr] = i
				c.wanted = append(c.wanted, wantedIP{addr, i})
			case c.Entries[first].Zone != e.Zone || c.Entries[first].Host != e.Host:
				c.again = append(c.again, wantedIP{addr, i})
			}
		}
	}
}

func (c *creation) refuse(entry int, code, message string) {
	e := c.Entries[entry]
	c.done.Refused.Add(strconv.Itoa(entry), code, message, map[string]any{"value": e.text()})
}

// text returns what an entry names addresses by.
func (e Entry) text() string { return cmp.Or(e.IP, e.CIDR, e.Range) }

// block returns the addresses of an entry, or what is wrong with it.
func (e Entry) block() (b ipaddr.Block, err error) {
	given := 0
	for _, text := range []string{e.IP, e.CIDR, e.Range} {
		if text != "" {
			given++
		}
	}
	switch {
	case given != 1:
		return b, errors.New("exactly one of ip, cidr and range must be given")
	case e.Zone == "":
		return b, errors.New("zone must be given, for the entry or for all")
	case e.Host == "":
		return b, errors.New("host must be given, for the entry or for all")
	case utf8.RuneCountInString(e.Notes) > MaxNotes:
		return b, fmt.Errorf("notes must not have more than %d characters", MaxNotes)
	case e.CIDR != "":
		b, err = ipaddr.ParseCIDR(e.CIDR, e.All)
	case e.Range != "":
		b, err = ipaddr.ParseRange(e.Range)
	default:
		addr, ok := ipaddr.Parse(e.IP)
		if !ok {
			return b, errors.New("ip must be an IPv4 or IPv6 address")
		}
		return ipaddr.Block{First: addr, Last: addr}, nil
	}
	if err != nil {
		name := "cidr"
		if e.Range != "" {
			name = "range"
		}
		err = fmt.Errorf("%s %w", name, err)
	}
	return b, err
}

// eachPart has a function do what is wanted, part by part.
func (c *creation) eachPart(ctx context.Context, wanted []wantedIP, do func(context.Context, []wantedIP) error) error {
	for part := range slices.Chunk(wanted, createdAtOnce) {
		if err := ctx.Err(); err != nil {
			return fault.Wrap(fault.DatastoreUnreachable, err)
		}
		if err := do(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// create creates addresses, as far as the pool does not have them.
func (c *creation) create(ctx context.Context, part []wantedIP) error {
	ctx, cancel := committed(ctx)
	defer cancel()
	found, err := c.known(ctx, part)
	if err != nil {
		return err
	}
	var missing []wantedIP
	var docs []document.Document
	for _, w := range part {
		if ip, ok := found[w.addr.String()]; ok {
			c.exists(w, ip)
			continue
		}
		e := c.Entries[w.entry]
		doc, err := c.newDocument(CreateRequest{Address: w.addr.String(), Zone: e.Zone, Host: e.Host, Notes: e.Notes})
		if err != nil {
			return err
		}
		missing, docs = append(missing, w), append(docs, doc)
	}
	if c.DryRun {
		for _, w := range missing {
			c.done.Created = append(c.done.Created, w.addr.String())
		}
		return nil
	}
	return c.insertEach(ctx, missing, docs)
}

// known returns those addresses that the pool has in any spelling, by canonical form. Memory is believed about addresses
// that it does not have: at worst a write loses, and the store is asked then.
func (c *creation) known(ctx context.Context, part []wantedIP) (map[string]IP, error) {
	index := c.Read().index
	var texts []string
	for _, w := range part {
		if text := w.addr.String(); index == nil || index.Find(text) != nil {
			texts = append(texts, text)
		}
	}
	return c.lookup(ctx, texts)
}

// exists records what became of an address that the pool has.
func (c *creation) exists(w wantedIP, ip IP) {
	if now := ip.Address(); now.Zone == c.Entries[w.entry].Zone && now.Host == c.Entries[w.entry].Host {
		c.done.Unchanged = append(c.done.Unchanged, ip.ID())
	} else {
		c.existing[w.entry] = append(c.existing[w.entry], ip.ID())
	}
}

// insertEach stores new documents. One that another writer stored first is read. It returns the first error of the
// store, after the outcomes of all documents are recorded.
func (c *creation) insertEach(ctx context.Context, wanted []wantedIP, docs []document.Document) error {
	if len(docs) == 0 {
		return nil
	}
	if err := c.recordNew(ctx, c.By, docs...); err != nil {
		return err
	}
	var failed error
	var late []wantedIP
	for i, written := range c.put(ctx, docs...) {
		switch {
		case written.Err == nil:
			docs[i]["_rev"] = written.Rev
			c.wrote(docs[i])
			c.done.Created = append(c.done.Created, docs[i].ID())
		case fault.Is(written.Err, fault.Conflict):
			late = append(late, wanted[i])
		case failed == nil:
			failed = written.Err
		}
	}
	if failed != nil {
		return failed
	}
	return c.compare(ctx, late)
}

// compare records what became of addresses that the pool has.
func (c *creation) compare(ctx context.Context, part []wantedIP) error {
	texts := make([]string, len(part))
	for i, w := range part {
		texts[i] = w.addr.String()
	}
	found, err := c.lookup(ctx, texts)
	if err != nil {
		return err
	}
	for i, w := range part {
		if ip, ok := found[texts[i]]; ok {
			c.exists(w, ip)
		} else { // a dry run, or deleted again, or the id is that of a document that is no address
			c.existing[w.entry] = append(c.existing[w.entry], texts[i])
		}
	}
	return nil
}

// reportExisting refuses the entries that name addresses which exist with another zone or host.
func (c *creation) reportExisting() {
	for i, ids := range c.existing {
		more := map[string]any{"value": c.Entries[i].text()}
		if c.Entries[i].IP == "" {
			more["addresses"] = ids
		}
		c.done.Refused.Add(strconv.Itoa(i), refusedExists, "the pool has it with another zone or host", more)
	}
}
