package dedicatedip

import (
	"context"
	"strings"

	"junctor/pkg/document"
	"junctor/pkg/ipaddr"
)

// Add is Create for those who may put any text into the pool, as Kazoo's operators may: what is no address becomes
// an entry that no listing of addresses shows and nobody is assigned.
func (p *Pool) Add(ctx context.Context, text, zone, host string) error {
	if _, ok := ipaddr.Parse(text); ok {
		_, err := p.Create(ctx, map[string]any{"ip": text, "zone": zone, "host": host})
		return err
	}
	if text == "" || strings.HasPrefix(text, "_") {
		return notAnAddress("ip", text)
	}
	if zone == "" || host == "" {
		return notAnAddress("zone", zone)
	}
	err := p.insert(ctx, p.newDocument(text, zone, host))
	if err == nil {
		logChange(ctx, actionCreated, "", text)
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
		return unknown(text)
	}
	found, err := p.fetch(ctx, []string{text})
	if err != nil {
		return err
	}
	ip, ok := found[text]
	if !ok {
		return unknown(text)
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

// newDocument is the document of what comes into the pool.
func (p *Pool) newDocument(id string, zone, host any) document.Document {
	now := p.time()
	return document.Document{
		"_id": id, fieldVersion: "1", fieldType: documentType, fieldStatus: available,
		fieldZone: zone, fieldHost: host, fieldCreated: now, fieldModified: now,
	}
}
