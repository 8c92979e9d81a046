package dedicatedip

import (
	"context"
	"maps"
	"net/netip"
	"slices"

	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/ipaddr"
	"junctor/pkg/pooldb"
	"junctor/pkg/store"
)

// lookup finds addresses by any spelling and returns them by the given texts. It leaves out what is no
// address or not in the pool. It tries the text as given first, since Kazoo stores what it was sent, then the canonical
// form, then our view of all stored spellings.
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

// get reads the document of an address from the store.
func (p *Pool) get(ctx context.Context, address string) (IP, error) {
	found, err := p.lookup(ctx, []string{address})
	if err != nil {
		return IP{}, err
	}
	ip, ok := found[address]
	if !ok {
		return IP{}, fault.Unknown(address, nil)
	}
	return ip, nil
}

// getMatching is get for a writer that expects a revision.
func (p *Pool) getMatching(ctx context.Context, address string, match store.Match) (IP, error) {
	ip, err := p.get(ctx, address)
	if err == nil {
		err = match.Check(ip.Revision())
	}
	return ip, err
}

// lookupOdd adds those addresses that are stored in a spelling that is neither the given nor the canonical one.
func (p *Pool) lookupOdd(ctx context.Context, odd map[string]string, ips map[string]IP) error {
	if len(odd) == 0 {
		return nil
	}
	keys := make([]any, 0, len(odd))
	for _, key := range odd {
		keys = append(keys, key)
	}
	spelled, err := pooldb.ByAddress(ctx, p.store, keys...)
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

// find returns addresses in any spelling by the texts that name them. It leaves out what is not in the pool.
func (r Reader) find(ctx context.Context, texts []string) (map[string]Address, error) {
	found := make(map[string]Address, len(texts))
	if r.index == nil {
		ips, err := r.pool.lookup(ctx, texts)
		for text, ip := range ips {
			found[text] = ip.Address()
		}
		return found, err
	}
	for _, text := range texts {
		if e := r.index.Find(text); e != nil {
			found[text] = AddressOf(e)
		}
	}
	return found, nil
}

// recall is lookup for a write, which its revision protects from an index that is behind. If there is an index, documents
// are read only where the cache does not have them in the revision of the index.
func (r Reader) recall(ctx context.Context, texts []string) (map[string]IP, error) {
	if r.index == nil {
		return r.pool.lookup(ctx, texts)
	}
	ips, ids := map[string]IP{}, map[string]string{} // by text
	for _, text := range texts {
		e := r.index.Find(text)
		if e == nil {
			continue
		}
		if doc, _ := r.documents.Get(e.ID()); doc.Rev() == e.Revision() {
			ips[text] = IP{doc}
		} else {
			ids[text] = e.ID()
		}
	}
	if len(ids) == 0 {
		return ips, nil
	}
	stored, err := r.pool.fetch(ctx, slices.Collect(maps.Values(ids)))
	for text, id := range ids {
		if ip, ok := stored[id]; ok {
			ips[text] = ip
		}
	}
	return ips, err
}

// fetch reads dedicated IPs by id. It leaves out other documents of the database, which Crossbar shows.
func (p *Pool) fetch(ctx context.Context, ids []string) (map[string]IP, error) {
	docs, err := p.store.GetMany(ctx, Database, ids)
	if err != nil {
		return nil, err
	}
	ips := make(map[string]IP, len(docs))
	for id, doc := range docs {
		if history.StateOf(doc).Exists {
			delete(doc, "_conflicts") // the feed has them resolved, see resolve
			p.saw(doc)
			ips[id] = IP{doc}
		}
	}
	return ips, nil
}

// heldBy reads the addresses that an account holds, by address. The view may be a moment behind, so the documents
// decide.
func (p *Pool) heldBy(ctx context.Context, accountID string) ([]IP, error) {
	var ids []string
	err := p.store.View(ctx, Database, pooldb.KazooDesign, "assigned_to_listing", store.Query{Key: accountID},
		func(row store.Row) error {
			if _, ok := ipaddr.Parse(row.ID()); ok {
				ids = append(ids, row.ID())
			}
			return nil
		})
	if err != nil {
		return nil, err
	}
	found, err := p.fetch(ctx, ids)
	if err != nil {
		return nil, err
	}
	var held []IP
	for _, ip := range found {
		if ip.heldBy(accountID) {
			held = append(held, ip)
		}
	}
	slices.SortFunc(held, func(a, b IP) int { return ipaddr.Compare(a.ID(), b.ID()) })
	return held, nil
}
