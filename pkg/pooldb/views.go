// Package pooldb is the database of the pool of dedicated IPs: its creation, its design documents, and the keys of their
// views.
//
// It knows no rules. What changes the documents is package dedicatedip.
package pooldb

import (
	"context"
	"net/url"
	"strings"

	"junctor/pkg/kazoo"
	"junctor/pkg/poolindex"
	"junctor/pkg/store"
)

// Database is the name of the pool's database.
const Database = kazoo.DedicatedIPs

// The design documents of the pool: Kazoo's own, and the one with the views that only we need.
const (
	KazooDesign = "dedicated_ips"
	OurDesign   = "junctor"
)

// NameKind is a kind of names in our view "names". The view's keys are a kind and a percent-encoded name, since
// CouchDB's collation holds some names equal.
type NameKind string

// The kinds of names.
const (
	Zones NameKind = "zone "
	Hosts NameKind = "host "
)

// Names reads the names of a kind, each once, by collation.
func Names(ctx context.Context, s store.Viewer, kind NameKind) ([]string, error) {
	var names []string
	q := store.Query{StartKey: string(kind), EndKey: string(kind) + "\ufff0", Group: true}
	err := s.View(ctx, Database, OurDesign, "names", q, func(row store.Row) error {
		var key string
		err := row.Key(&key)
		if name, bad := url.PathUnescape(strings.TrimPrefix(key, string(kind))); err == nil && bad == nil {
			names = append(names, name)
		}
		return err
	})
	return poolindex.SortNames(names), err
}

// HasZone reports whether the pool has any address of a zone.
func HasZone(ctx context.Context, s store.Viewer, zone string) (known bool, err error) {
	q := store.Query{Key: string(Zones) + poolindex.EncodeName(zone), Group: true}
	err = s.View(ctx, Database, OurDesign, "names", q, func(store.Row) error {
		known = true
		return nil
	})
	return known, err
}

// ByAddress returns, by expanded address (ipaddr.Key), the id under which the pool has it, in any spelling. If Kazoo left
// several spellings of one address, it is the first id in order.
func ByAddress(ctx context.Context, s store.Viewer, expanded ...any) (map[string]string, error) {
	ids := map[string]string{}
	q := store.Query{Keys: expanded}
	err := s.View(ctx, Database, OurDesign, "by_address", q, func(row store.Row) error {
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
