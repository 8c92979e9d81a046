package dedicatedip

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/ipaddr"
	"junctor/pkg/ipbatch"
	"junctor/pkg/pooldb"
	"junctor/pkg/store"
)

// CreateRequest asks for an address to be added to the pool. Zone and host have 1 to ipbatch.MaxName
// characters, notes at most ipbatch.MaxNotes.
type CreateRequest struct {
	Address, Zone, Host, Notes string
	By                         history.Actor
}

// Create adds an address to the pool. Its id is the address in canonical form (RFC 5952; an IPv4-mapped IPv6 address is
// its IPv4 address). An equal address in any spelling is a fault.Conflict (Crossbar: datastore_conflict).
func (p *Pool) Create(ctx context.Context, r CreateRequest) (IP, error) {
	addr, ok := ipaddr.Parse(r.Address)
	if !ok {
		return IP{}, notAnAddress("ip", r.Address)
	}
	if known, err := p.knows(ctx, addr); err != nil {
		return IP{}, err
	} else if known {
		return IP{}, fault.New(fault.Conflict, "")
	}
	r.Address = addr.String()
	return p.insert(ctx, r)
}

// knows reports whether the pool has an address in any spelling. Both the index and the view may be behind; two
// spellings of one address are found by the one that comes later.
func (p *Pool) knows(ctx context.Context, addr netip.Addr) (bool, error) {
	if x := p.Read().index; x != nil && x.Find(addr.String()) == nil {
		return false, nil
	}
	twins, err := pooldb.ByAddress(ctx, p.store, ipaddr.Key(addr))
	return len(twins) > 0, err
}

// Add is Create for callers who may put any text into the pool, as Kazoo's operators may. A text that is not an address
// becomes an entry that is in no listing of addresses and can't be assigned.
func (p *Pool) Add(ctx context.Context, r CreateRequest) error {
	if _, ok := ipaddr.Parse(r.Address); ok {
		_, err := p.Create(ctx, r)
		return err
	}
	if r.Address == "" || strings.HasPrefix(r.Address, "_") {
		return notAnAddress("ip", r.Address)
	}
	_, err := p.insert(ctx, r)
	return err
}

// insert stores the document of a new address.
func (p *Pool) insert(ctx context.Context, r CreateRequest) (IP, error) {
	if err := checkTexts(&r.Zone, &r.Host, &r.Notes).Err(); err != nil {
		return IP{}, err
	}
	doc := p.newDocument(r)
	if written := p.putNew(ctx, r.By, doc)[0]; written.Err != nil {
		return IP{}, written.Err
	}
	logChange(ctx, history.Event{Action: history.Created}, doc.ID())
	return IP{doc}, nil
}

// newDocument returns the document of an address that is added to the pool, as far as putNew does not complete it.
func (p *Pool) newDocument(r CreateRequest) document.Document {
	doc := document.Document{
		"_id": r.Address, fieldVersion: "1", fieldType: documentType, fieldStatus: available,
		fieldZone: r.Zone, fieldHost: r.Host, fieldCreated: document.Number(p.now()),
	}
	if r.Notes != "" {
		doc[fieldNotes] = r.Notes
	}
	return doc
}

// checkTexts returns what is wrong with the texts of an address. Those that are nil are not checked.
func checkTexts(zone, host, notes *string) fault.Fields {
	fields := fault.Fields{}
	for i, text := range []*string{zone, host, notes} {
		if text == nil {
			continue
		}
		switch n, bounds := utf8.RuneCountInString(*text), ipbatch.Texts[i]; {
		case n < bounds.Least:
			fields.Add(bounds.Name, "required", "Field is required but missing", map[string]any{"value": bounds.Name})
		case n > bounds.Most:
			fields.Add(bounds.Name, "maxLength", fmt.Sprintf("String must not be more than %d characters", bounds.Most),
				map[string]any{"target": bounds.Most})
		}
	}
	return fields
}

// putNew writes new documents with the record of their creation, and returns the outcome of each. If there was an address
// before, the record goes on from its tombstone. A time of modification that a document has stays.
//
// A document that exists is a fault.Conflict, even if it is deleted before the write: the record would not go on from the
// tombstone. (The write can't be made to depend on the tombstone: CouchDB refuses its revision.)
func (p *Pool) putNew(ctx context.Context, by history.Actor, docs ...document.Document) []store.Written {
	ids := make([]string, len(docs))
	for i, doc := range docs {
		ids[i] = doc.ID()
	}
	written := make([]store.Written, len(docs))
	gone, there, err := p.store.GetDeleted(ctx, Database, ids)
	var missing []document.Document
	var indexes []int // of missing, in docs
	for i, doc := range docs {
		switch {
		case err != nil:
			written[i].Err = err
		case there[doc.ID()]:
			written[i].Err = fault.New(fault.Conflict, "")
		default:
			modified, given := doc[fieldModified]
			history.Record(doc, gone[doc.ID()], by, p.now())
			if given {
				doc[fieldModified] = modified
			}
			missing, indexes = append(missing, doc), append(indexes, i)
		}
	}
	for n, w := range p.put(ctx, missing...) {
		written[indexes[n]] = w
	}
	return written
}

func notAnAddress(path string, value any) error {
	return fault.Finding(path, "not_one_schema_valid", "failed to validate", map[string]any{"value": value})
}
