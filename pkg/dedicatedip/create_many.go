package dedicatedip

import (
	"context"
	"slices"
	"strconv"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/ipbatch"
	"junctor/pkg/requesttime"
)

// MaxCreated is how many addresses one request of CreateMany can have, those that are there already included.
const MaxCreated = 20_000

// CreateManyRequest asks for addresses to be added to the pool.
type CreateManyRequest struct {
	Entries []ipbatch.Entry
	DryRun  bool // returns what would become of the entries, and writes nothing
	By      history.Actor
}

// Creation is the outcome of a CreateManyRequest.
type Creation struct {
	Created   []string // ids, in the order of the entries
	Unchanged []string // ids of those that the pool had with the same zone and host
	// Refused has by the index of an entry what could not be added: "invalid" (the entry itself is wrong), "too_many"
	// (the request has more than MaxCreated addresses with it) or "exists" (with another zone or host). Of an entry
	// that exists in part the rest is created; "addresses" names it.
	Refused fault.Fields
}

// CreateMany adds addresses to the pool in bulk. Entries are independent: one that is refused does not stop the others,
// and an address that several entries name is created once. If the store fails, the error says so, and what Creation
// names by then was done; the request may be repeated, which creates what is missing.
func (p *Pool) CreateMany(ctx context.Context, r CreateManyRequest) (done Creation, err error) {
	x := ipbatch.Expand(r.Entries, MaxCreated)
	c := &creation{
		Pool: p, CreateManyRequest: r, done: Creation{Refused: x.Refused}, existing: map[int][]string{},
		named: map[string]Address{},
	}
	for part := range slices.Chunk(x.Addresses, CreatedAtOnce) {
		if err = c.create(ctx, part); err != nil {
			break
		}
	}
	c.reportExisting()
	if !r.DryRun {
		logChange(ctx, history.Event{Action: history.Created}, c.done.Created...)
	}
	return c.done, err
}

// CreatedAtOnce is how many documents are written in one call of the store.
const CreatedAtOnce = 500

// creation is a CreateManyRequest in progress.
type creation struct {
	*Pool
	CreateManyRequest
	existing map[int][]string   // by entry: ids of addresses that are there with another zone or host
	named    map[string]Address // by text: addresses that an earlier entry adds
	done     Creation
}

// create creates addresses, as far as the pool does not have them.
func (c *creation) create(ctx context.Context, part []ipbatch.Address) error {
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.DatastoreUnreachable, err)
	}
	ctx, cancel := detached(requesttime.Begin(ctx)) // each part has the time of a request
	defer cancel()
	// As any request this one reads from memory, if that is current: an address that only the store has is a conflict.
	found, err := c.Read().find(ctx, textsOf(part))
	if err != nil {
		return err
	}
	var missing []ipbatch.Address
	var docs []document.Document
	for _, w := range part {
		text, e := w.Addr.String(), c.Entries[w.Entry]
		address, ok := found[text]
		if !ok {
			address, ok = c.named[text]
		}
		if ok {
			c.exists(w, address)
			continue
		}
		c.named[text] = Address{ID: text, Zone: e.Zone, Host: e.Host}
		doc := c.newDocument(CreateRequest{Address: text, Zone: e.Zone, Host: e.Host, Notes: e.Notes})
		missing, docs = append(missing, w), append(docs, doc)
	}
	if c.DryRun {
		for _, w := range missing {
			c.done.Created = append(c.done.Created, w.Addr.String())
		}
		return nil
	}
	return c.insertEach(ctx, missing, docs)
}

func textsOf(part []ipbatch.Address) []string {
	texts := make([]string, len(part))
	for i, w := range part {
		texts[i] = w.Addr.String()
	}
	return texts
}

// exists records what became of an address that the pool has.
func (c *creation) exists(w ipbatch.Address, now Address) {
	if now.Zone == c.Entries[w.Entry].Zone && now.Host == c.Entries[w.Entry].Host {
		c.done.Unchanged = append(c.done.Unchanged, now.ID)
	} else {
		c.existing[w.Entry] = append(c.existing[w.Entry], now.ID)
	}
}

// insertEach stores new documents. One that another writer stored first is read. It returns the first error of the
// store, after the outcomes of all documents are recorded.
func (c *creation) insertEach(ctx context.Context, wanted []ipbatch.Address, docs []document.Document) error {
	if len(docs) == 0 {
		return nil
	}
	var failed error
	var late []ipbatch.Address
	for i, written := range c.putNew(ctx, c.By, docs...) {
		switch {
		case written.Err == nil:
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

// compare records what became of addresses that another writer stored first.
func (c *creation) compare(ctx context.Context, part []ipbatch.Address) error {
	found, err := Reader{pool: c.Pool}.find(ctx, textsOf(part))
	if err != nil {
		return err
	}
	for _, w := range part {
		text := w.Addr.String()
		if address, ok := found[text]; ok {
			c.exists(w, address)
		} else { // deleted again, or the id is that of another document
			c.existing[w.Entry] = append(c.existing[w.Entry], text)
		}
	}
	return nil
}

// reportExisting refuses the entries that name addresses which exist with another zone or host.
func (c *creation) reportExisting() {
	for i, ids := range c.existing {
		more := map[string]any{"value": c.Entries[i].Text()}
		if c.Entries[i].IP == "" {
			more["addresses"] = ids
		}
		c.done.Refused.Add(strconv.Itoa(i), "exists", "the pool has it with another zone or host", more)
	}
}
