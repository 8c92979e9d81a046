package inventory

import (
	"context"
	"net/netip"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/ipaddr"
	"junctor/pkg/pooldb"
	"junctor/pkg/poolindex"
	"junctor/pkg/store"
)

// scannedRows is how many rows of the view are read for one page, in reads of rowsAtOnce.
const (
	scannedRows = 20_000
	rowsAtOnce  = 1000
)

// keyOrder is the order of addresses, in blocks that are in order in the view, too. Its keys have an IPv4 address as
// IPv4-mapped IPv6 address.
var keyOrder = []ipaddr.Block{
	{First: netip.AddrFrom4([4]byte{}), Last: netip.AddrFrom4([4]byte{255, 255, 255, 255})},
	{First: netip.IPv6Unspecified(), Last: netip.MustParseAddr("::fffe:ffff:ffff")},
	{First: netip.MustParseAddr("::1:0:0:0"), Last: netip.MustParseAddr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")},
}

// scan reads a page of a search from the view of addresses, and where the next one begins.
func (i *Inventory) scan(ctx context.Context, s poolindex.Search, from poolindex.Position, size int) (
	entries []*poolindex.Entry, next *poolindex.Position, err error,
) {
	left := scannedRows
	for _, block := range keyOrder {
		if s.Within != nil {
			block = block.Intersect(*s.Within)
		}
		if from.Addr.Compare(block.First) > 0 {
			block.First = from.Addr
		}
		for more := block.First.Compare(block.Last) <= 0; more; {
			var read []*poolindex.Entry
			if read, more, err = i.addresses(ctx, block, from); err != nil {
				return nil, nil, err
			}
			for _, e := range read {
				matches := s.Matches(e)
				if left == 0 || len(entries) == size && matches {
					return entries, &from, nil
				}
				left--
				from = poolindex.Position{Addr: e.Address(), ID: e.ID()}
				block.First = from.Addr
				if matches {
					entries = append(entries, e)
				}
			}
		}
	}
	return entries, nil, nil
}

// addresses reads some entries of a block that are behind a position, and reports whether there may be more of them.
func (i *Inventory) addresses(ctx context.Context, block ipaddr.Block, from poolindex.Position) (
	entries []*poolindex.Entry, more bool, err error,
) {
	q := store.Query{
		StartKey: ipaddr.Key(block.First), EndKey: ipaddr.Key(block.Last), Limit: rowsAtOnce, IncludeDocs: true,
	}
	if from.Addr == block.First {
		q.StartKeyDocID = from.ID
	}
	rows := 0
	err = i.store.View(ctx, dedicatedip.Database, pooldb.OurDesign, "by_address", q, func(row store.Row) error {
		rows++
		doc, err := row.Doc()
		if err != nil || doc == nil { // it was deleted meanwhile
			return err
		}
		e := poolindex.NewEntry(doc)
		if e.Address() != from.Addr || e.ID() > from.ID {
			entries = append(entries, e)
		}
		return nil
	})
	return entries, rows == q.Limit, err
}
