package dedicatedip

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"junctor/pkg/cooling"
	"junctor/pkg/fault"
	"junctor/pkg/pooldb"
	"junctor/pkg/poolindex"
	"junctor/pkg/startkey"
	"junctor/pkg/store"
)

// Filter selects available addresses. The zero value selects all of them.
type Filter struct {
	Zone     string // of this zone only; empty means any
	Quantity int    // at most so many in all; 0 means no limit
	PageSize int    // at most so many in this page; 0 means no limit
	StartKey string // Page.Next of the page before; anything else is fault.Invalid
	// Reading is called with the number of rows read so far, if they are read from the store. An error ends the reading.
	Reading func(rows int) error
}

// readingRows is how many rows are read between two calls of Filter.Reading.
const readingRows = 1000

// Page is a part of a listing.
type Page struct {
	Items []Item
	Next  string // opaque; empty if the listing ends here
}

// maxRows is a limit that no pool reaches, and that can be added to.
const maxRows = 1 << 30

// position is where a page begins, as clients return it.
type position struct {
	poolindex.Spot
	Left int // how many addresses of the Quantity remain; 0 means no limit
}

// position returns where to begin. A start key that this listing can't have returned is fault.Invalid.
func (f Filter) position() (at position, err error) {
	err = startkey.Decode(f.StartKey, &at)
	if err == nil && (at.ID == "" || f.Zone != "" && f.Zone != at.Zone || at.Left < 0 || at.Left > maxRows) {
		err = startkey.Invalid(f.StartKey)
	}
	return at, err
}

// Available lists addresses that can be assigned to any account, so not those that cool, by zone in collation order and
// then by document id (Crossbar returns one at most: kz_ips:available/1 asks for one). It leaves out rows that are not
// addresses.
//
// It reads our view and not Kazoo's available_listing: the key of that is the zone alone, so no page can begin within one.
func (r Reader) Available(ctx context.Context, f Filter) (Page, error) {
	f.Quantity, f.PageSize = min(f.Quantity, maxRows), min(f.PageSize, maxRows)
	var from *poolindex.Spot
	left := f.Quantity
	if f.StartKey != "" {
		at, err := f.position()
		if err != nil {
			return Page{}, err
		}
		from, left = &at.Spot, at.Left
	}
	want := f.PageSize
	if want == 0 || left > 0 && left < want {
		want = left
	}
	c, err := r.pool.Cooling(ctx)
	if err != nil {
		return Page{}, err
	}
	var items []Item
	var next *poolindex.Spot
	if r.index != nil {
		var entries []*poolindex.Entry
		entries, next = r.index.Available(f.Zone, from, want, c.Since())
		items = itemsOf(entries)
	} else {
		items, next, err = r.pool.readAvailable(ctx, f, pooldb.Available(f.Zone, from), want, c)
	}
	if err != nil || next == nil || f.PageSize == 0 || left == len(items) {
		return Page{Items: items}, err
	}
	return Page{Items: items, Next: startkey.Encode(position{*next, max(left-len(items), 0)})}, nil
}

// coolingRows is how many rows are read at once from the store when some of them may be cooling.
const coolingRows = 500

// readAvailable reads want items that do not cool, and where the one after them is. A want of 0 means no limit.
func (p *Pool) readAvailable(
	ctx context.Context, f Filter, q store.Query, want int, c cooling.Rule,
) (items []Item, next *poolindex.Spot, err error) {
	items = []Item{}
	var before json.RawMessage    // the key that the page before ended with
	q.IncludeDocs = c.Seconds > 0 // the record of changes is in the document
	for {
		if want > 0 {
			q.Limit = want - len(items) + 1
			if q.IncludeDocs {
				q.Limit = max(q.Limit, coolingRows)
			}
		}
		rows := 0
		var last json.RawMessage
		err := p.store.View(ctx, Database, pooldb.OurDesign, "available", q, func(row store.Row) error {
			rows++
			item, ok, err := assignableItem(row, c)
			full := want > 0 && len(items) == want
			switch {
			case err != nil:
				return err
			case ok && full && next == nil:
				next = &poolindex.Spot{Zone: item.Zone, ID: item.IP}
			case ok && !full:
				items = append(items, item)
			}
			if err == nil && rows%readingRows == 0 && f.Reading != nil {
				err = f.Reading(len(items))
			}
			if err == nil && rows == q.Limit {
				err = row.Key(&last)
			}
			return err
		})
		if err != nil || next != nil || q.Limit == 0 || rows < q.Limit {
			return items, next, err
		}
		// Rows that are not addresses, or that cool, took some of the limit. Each row has a key of its own.
		if bytes.Equal(last, before) {
			return nil, nil, fault.Wrap(fault.DatastoreFault, fmt.Errorf("%w: view %s/available of database %s",
				store.ErrNoProgress, pooldb.OurDesign, Database))
		}
		before = last
		q.StartKey, q.Skip = last, 1
	}
}

// assignableItem reads a row of the view. ok is false if it is not an address, or cools.
func assignableItem(row store.Row, c cooling.Rule) (item Item, ok bool, err error) {
	if item, ok = itemOf(row); !ok || c.Seconds <= 0 {
		return item, ok, nil
	}
	doc, err := row.Doc()
	return item, err == nil && (IP{doc}).coolingUntil(c) == 0, err
}
