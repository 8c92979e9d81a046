package dedicatedip

import (
	"context"
	"strings"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/ipaddr"
)

// Add is Create for those who may put any text into the pool, as Kazoo's operators may: what is no address becomes
// an entry that no listing of addresses shows and nobody is assigned.
func (p *Pool) Add(ctx context.Context, r CreateRequest) error {
	if _, ok := ipaddr.Parse(r.Address); ok {
		_, err := p.Create(ctx, r)
		return err
	}
	if r.Address == "" || strings.HasPrefix(r.Address, "_") {
		return notAnAddress("ip", r.Address)
	}
	doc, err := p.newDocument(r)
	if err == nil {
		err = p.insert(ctx, doc)
	}
	if err == nil {
		logChange(ctx, actionCreated, "", r.Address)
	}
	return err
}

// Remove is Delete for those who may: it also takes out what is no address.
func (p *Pool) Remove(ctx context.Context, text string) error {
	if _, ok := ipaddr.Parse(text); ok {
		_, err := p.Delete(ctx, text, nil)
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
	return p.remove(ctx, ip)
}

// insert stores a new document, and notes its revision in it.
func (p *Pool) insert(ctx context.Context, doc document.Document) error {
	rev, err := p.store.Put(ctx, Database, doc)
	if err == nil {
		doc["_rev"] = rev
		p.wrote(doc)
	}
	return err
}

// newDocument returns the document of an address that is added to the pool.
func (p *Pool) newDocument(r CreateRequest) (document.Document, error) {
	for field, name := range map[string]string{"zone": r.Zone, "host": r.Host} {
		if name == "" {
			return nil, fault.Finding(field, "required", "Field is required but missing", map[string]any{"value": field})
		}
	}
	now := p.time()
	doc := document.Document{
		"_id": r.Address, fieldVersion: "1", fieldType: documentType, fieldStatus: available,
		fieldZone: r.Zone, fieldHost: r.Host, fieldCreated: now, fieldModified: now,
	}
	if r.Notes != "" {
		doc[fieldNotes] = r.Notes
	}
	return doc, nil
}
