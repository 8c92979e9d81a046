package dedicatedip

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/ipaddr"
	"junctor/pkg/ipbatch"
	"junctor/pkg/store"
)

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

// Remove is Delete for the same callers: it also deletes entries that are not addresses.
func (p *Pool) Remove(ctx context.Context, r DeleteRequest) error {
	text := r.Address
	if _, ok := ipaddr.Parse(text); ok {
		_, err := p.Delete(ctx, r)
		return err
	}
	if text == "" || strings.HasPrefix(text, "_") {
		return fault.Unknown(text, nil)
	}
	found, err := p.fetch(ctx, []string{text})
	if err != nil {
		return err
	}
	ip, ok := found[text]
	if !ok {
		return fault.Unknown(text, nil)
	}
	return p.remove(ctx, ip, r.By)
}

// insert stores the document of a new address.
func (p *Pool) insert(ctx context.Context, r CreateRequest) (IP, error) {
	doc, err := p.newDocument(r)
	if err != nil {
		return IP{}, err
	}
	there, err := p.recordNew(ctx, r.By, doc)
	if err != nil {
		return IP{}, err
	}
	written := p.putNew(ctx, []document.Document{doc}, there)[0]
	if written.Err != nil {
		return IP{}, written.Err
	}
	logChange(ctx, history.Event{Action: history.Created}, doc.ID())
	return IP{doc}, nil
}

// newDocument returns the document of an address that is added to the pool.
func (p *Pool) newDocument(r CreateRequest) (document.Document, error) {
	if err := checkTexts(&r.Zone, &r.Host, &r.Notes).Err(); err != nil {
		return nil, err
	}
	now := document.Number(p.now())
	doc := document.Document{
		"_id": r.Address, fieldVersion: "1", fieldType: documentType, fieldStatus: available,
		fieldZone: r.Zone, fieldHost: r.Host, fieldCreated: now, fieldModified: now,
	}
	if r.Notes != "" {
		doc[fieldNotes] = r.Notes
	}
	return doc, nil
}

// checkTexts returns what is wrong with the texts of an address. Those that are nil are not checked.
func checkTexts(zone, host, notes *string) fault.Fields {
	fields := fault.Fields{}
	check := func(field string, text *string, least, most int) {
		if text == nil {
			return
		}
		switch n := utf8.RuneCountInString(*text); {
		case n < least:
			fields.Add(field, "required", "Field is required but missing", map[string]any{"value": field})
		case n > most:
			fields.Add(field, "maxLength", fmt.Sprintf("String must not be more than %d characters", most),
				map[string]any{"target": most})
		}
	}
	check("zone", zone, 1, ipbatch.MaxName)
	check("host", host, 1, ipbatch.MaxName)
	check("notes", notes, 0, ipbatch.MaxNotes)
	return fields
}

// recordNew adds the record of a creation to new documents. If there was an address before, the record goes on from its
// tombstone. there has the ids of documents that exist already.
func (p *Pool) recordNew(
	ctx context.Context, by history.Actor, docs ...document.Document,
) (there map[string]bool, err error) {
	ids := make([]string, len(docs))
	for i, doc := range docs {
		ids[i] = doc.ID()
	}
	gone, there, err := p.store.GetDeleted(ctx, Database, ids)
	if err != nil {
		return nil, err
	}
	for _, doc := range docs {
		history.Record(doc, gone[doc.ID()], by, p.now())
	}
	return there, nil
}

// putNew writes documents that recordNew has completed, and returns the outcome of each. Those that existed then are a
// fault.Conflict, even if they are deleted by now: their record would not go on from the tombstone. (The write can't be made
// to depend on the tombstone: CouchDB refuses its revision.)
func (p *Pool) putNew(ctx context.Context, docs []document.Document, there map[string]bool) []store.Written {
	written := make([]store.Written, len(docs))
	var missing []document.Document
	var indexes []int // of missing, in docs
	for i, doc := range docs {
		if there[doc.ID()] {
			written[i].Err = fault.New(fault.Conflict, "")
			continue
		}
		missing, indexes = append(missing, doc), append(indexes, i)
	}
	for n, w := range p.put(ctx, missing...) {
		written[indexes[n]] = w
	}
	return written
}
