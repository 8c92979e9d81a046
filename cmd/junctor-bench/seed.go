package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	couchdbviews "junctor/couchdb-views"
	"junctor/pkg/account"
	"junctor/pkg/auth"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/pooldb"
	"junctor/pkg/routing"
	"junctor/pkg/store"
)

// The shape of a pool. It does not depend on the number of addresses, so that listings are equally long in all.
const (
	zones       = 5
	hosts       = 50
	heldEach    = 25  // addresses of an account that has some
	mostTenants = 100 // accounts that have some
)

// addressesEach is how many addresses a routing cluster has: two in each of three zones, in both directions.
const addressesEach = 12

// tokenTime is longer than any benchmark takes.
const tokenTime = 24 * time.Hour

// address returns the address of a number.
func address(n int) string { return fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255) }

// addressDocument returns the document of an address, as junctor writes it. holder is empty if it is available.
func addressDocument(n int, holder string) document.Document {
	const written = 63_900_000_000 // in Gregorian seconds
	zone := fmt.Sprintf("zone-%d", n%zones)
	doc := document.Document{
		"_id": address(n), "pvt_vsn": "1", "pvt_type": "dedicated_ip", "pvt_status": "available",
		"pvt_zone": zone, "pvt_host": fmt.Sprintf("proxy%d.%s.example.com", n%hosts, zone),
		"pvt_created": document.Number(written), "pvt_modified": document.Number(written),
	}
	if holder != "" {
		doc["pvt_status"], doc["pvt_assigned_to"] = "assigned", holder
	}
	return doc
}

// clusterDocument returns the document of a routing cluster.
func clusterDocument(n int) document.Document {
	ips := map[string]any{}
	for d, direction := range []string{"inbound", "outbound"} {
		byZone := map[string]any{}
		for z, zone := range []string{"central", "east", "west"} {
			first := addressesEach*n + 6*d + 2*z
			byZone[zone] = []any{address(first), address(first + 1)}
		}
		ips[direction] = byZone
	}
	return document.Document{
		"_id": fmt.Sprintf("%032x", n), "pvt_type": "customer_cluster", "owner": "owner",
		"name": fmt.Sprintf("cluster %d", n), "ips": ips, "randomize_routing": false,
	}
}

// seed fills the store of a world.
func (w *world) seed(ctx context.Context) (err error) {
	if err := os.MkdirAll(w.folder, 0o700); err != nil {
		return err
	}
	s, err := store.Open(w.dsn, store.Options{})
	if err != nil {
		return err
	}
	began := time.Now()
	defer func() {
		err = errors.Join(err, s.Close())
		fmt.Fprintf(os.Stderr, "%s: filled in %v\n", w.name(), time.Since(began).Round(time.Second))
	}()
	provisioner := account.NewProvisioner(s, auth.NewKeyDocument, time.Now)
	master, err := provisioner.Bootstrap(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(account.Install(ctx, s), pooldb.Install(ctx, s), routing.Install(ctx, s)); err != nil {
		return err
	}
	if w.admin, err = token(ctx, s, master.AccountID); err != nil {
		return err
	}
	for n := range min(w.pool/(4*heldEach), mostTenants) { // most of a small pool is left
		if err := w.addTenant(ctx, s, provisioner, n); err != nil {
			return err
		}
	}
	err = putAll(ctx, s, dedicatedip.Database, w.pool, func(n int) document.Document {
		if n < w.free(0) {
			return addressDocument(n, w.tenants[n/heldEach].id)
		}
		return addressDocument(n, "")
	})
	if err == nil {
		err = putAll(ctx, s, routing.Database, w.clusters, clusterDocument)
	}
	if err == nil && w.pool > 0 {
		err = settle(ctx, s, w.dsn, dedicatedip.Database)
	}
	return err
}

// token returns a token of an account.
func token(ctx context.Context, s *store.Store, id string) (string, error) {
	holder, err := account.Get(ctx, s, id)
	if err != nil {
		return "", err
	}
	token, _, err := auth.NewIssuer(s, time.Now).Account(ctx, holder, tokenTime)
	return token, err
}

// addTenant creates the account of a number, with the copies of its addresses.
func (w *world) addTenant(ctx context.Context, s *store.Store, p *account.Provisioner, n int) error {
	created, err := p.Create(ctx, account.NewAccount{Name: fmt.Sprintf("Account %d", n)})
	if err != nil {
		return err
	}
	db, err := account.Database(created.ID)
	if err != nil {
		return err
	}
	if err := store.InstallFile(ctx, s, db, couchdbviews.Files, "junctor_account.json"); err != nil {
		return err
	}
	err = putAll(ctx, s, db, heldEach, func(i int) document.Document {
		return addressDocument(n*heldEach+i, created.ID)
	})
	if err != nil {
		return err
	}
	text, err := token(ctx, s, created.ID)
	w.tenants = append(w.tenants, tenant{created.ID, text})
	return err
}

// putAll writes count new documents.
func putAll(ctx context.Context, s *store.Store, db string, count int, doc func(n int) document.Document) error {
	const bulk = 1000
	for from := 0; from < count; from += bulk {
		var docs []document.Document
		for n := from; n < min(from+bulk, count); n++ {
			docs = append(docs, doc(n))
		}
		written, err := s.PutMany(ctx, db, docs)
		if err != nil {
			return err
		}
		for _, w := range written {
			if w.Err != nil {
				return w.Err
			}
		}
	}
	return nil
}

// settle has a store build the views of a pool, and waits until a CouchDB does nothing of its own any more.
func settle(ctx context.Context, s *store.Store, dsn, pool string) error {
	for design, view := range map[string]string{dedicatedip.Database: "zone_listing", "junctor": "available"} {
		err := await(ctx, time.Second, func() (bool, error) {
			err := s.View(ctx, pool, design, view, store.Query{Limit: 1}, func(store.Row) error { return nil })
			if fault.Is(err, fault.DatastoreFault) || fault.Is(err, fault.DatastoreUnreachable) { // it took too long
				return false, nil
			}
			return true, err
		})
		if err != nil {
			return err
		}
	}
	if !store.IsCouchDB(dsn) {
		return nil
	}
	quiet := 0
	return await(ctx, 100*time.Millisecond, func() (bool, error) {
		busy, err := activeTasks(dsn)
		if quiet++; busy > 0 {
			quiet = 0
		}
		return quiet == 20, err
	})
}
