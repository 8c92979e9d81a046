package dedicatedip

import (
	"context"
	"maps"
	"net/netip"
	"slices"

	"junctor/pkg/document"
	"junctor/pkg/ipaddr"
	"junctor/pkg/store"
)

// lookup finds addresses by any spelling and answers them by the text they were asked for. What is no address,
// or not in the pool, is not in the answer. The text as given is tried first, since Kazoo stores what it was
// sent, then the canonical form, then our view of all stored spellings.
func (p *Pool) lookup(ctx context.Context, texts []string) (map[string]IP, error) {
	addrs := make(map[string]netip.Addr, len(texts)) // by text
	ids := make([]string, 0, len(texts))
	for _, text := range texts {
		addr, ok := ipaddr.Parse(text)
		if _, known := addrs[text]; !ok || known {
			continue
		}
		addrs[text] = addr
		ids = append(ids, text)
		if canonical := addr.String(); canonical != text {
			ids = append(ids, canonical)
		}
	}
	stored, err := p.fetch(ctx, ids)
	if err != nil {
		return nil, err
	}
	ips := make(map[string]IP, len(addrs))
	odd := map[string]string{} // by text: the expanded address of those stored under neither
	for text, addr := range addrs {
		ip, ok := stored[text]
		if !ok {
			ip, ok = stored[addr.String()]
		}
		if ok {
			ips[text] = ip
		} else {
			odd[text] = ipaddr.Key(addr)
		}
	}
	return ips, p.lookupOdd(ctx, odd, ips)
}

// lookupOdd adds those addresses that are stored in a spelling neither asked for nor canonical.
func (p *Pool) lookupOdd(ctx context.Context, odd map[string]string, ips map[string]IP) error {
	if len(odd) == 0 {
		return nil
	}
	keys := make([]any, 0, len(odd))
	for _, key := range odd {
		keys = append(keys, key)
	}
	spelled, err := p.spelledOtherwise(ctx, keys...)
	if err != nil || len(spelled) == 0 {
		return err
	}
	ids := make([]string, 0, len(spelled))
	for _, id := range spelled {
		ids = append(ids, id)
	}
	stored, err := p.fetch(ctx, ids)
	if err != nil {
		return err
	}
	for text, key := range odd {
		if ip, ok := stored[spelled[key]]; ok {
			ips[text] = ip
		}
	}
	return nil
}

// spelledOtherwise answers, by expanded address, the id under which the pool has it, in any spelling. Where Kazoo
// left several spellings of one address, the first id in order is meant.
func (p *Pool) spelledOtherwise(ctx context.Context, expanded ...any) (map[string]string, error) {
	ids := map[string]string{}
	q := store.Query{Keys: expanded}
	err := p.store.View(ctx, Database, ourDesign, "by_address", q, func(row store.Row) error {
		var key string
		if err := row.Key(&key); err != nil {
			return err
		}
		if _, known := ids[key]; !known {
			ids[key] = row.ID()
		}
		return nil
	})
	return ids, err
}

// recall is lookup for those who go on to write, and whom the revision will tell whether they knew the last state:
// documents are read only where memory does not have them as the index says they are.
func (p *Pool) recall(ctx context.Context, texts []string) (map[string]IP, error) {
	m := p.fresh()
	if m == nil {
		return p.lookup(ctx, texts)
	}
	ips, ids := map[string]IP{}, map[string]string{} // by text
	for _, text := range texts {
		e := m.index.find(text)
		if e == nil {
			continue
		}
		if doc, ok := m.documents.Get(e.id); ok && doc.Rev() == e.rev {
			ips[text] = IP{doc}
		} else {
			ids[text] = e.id
		}
	}
	if len(ids) == 0 {
		return ips, nil
	}
	stored, err := p.fetch(ctx, slices.Collect(maps.Values(ids)))
	for text, id := range ids {
		if ip, ok := stored[id]; ok {
			ips[text] = ip
		}
	}
	return ips, err
}

// fetch reads dedicated IPs by id. Other documents of the database are nobody's business (Crossbar shows them).
func (p *Pool) fetch(ctx context.Context, ids []string) (map[string]IP, error) {
	docs, err := p.store.GetMany(ctx, Database, ids)
	if err != nil {
		return nil, err
	}
	ips := make(map[string]IP, len(docs))
	for id, doc := range docs {
		if isDedicatedIP(doc) {
			p.settle(ctx, doc)
			p.saw(doc)
			ips[id] = IP{doc}
		}
	}
	return ips, nil
}

func isDedicatedIP(doc document.Document) bool {
	return doc.String(fieldType) == documentType && !doc.Bool("pvt_deleted")
}
