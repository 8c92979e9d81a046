package main

import (
	"context"
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

// seed fills a world's store as a server and its clients would have, with the views in place from the beginning.
func (w *world) seed(ctx context.Context) (err error) {
	if err := os.MkdirAll(w.folder, 0o700); err != nil {
		return err
	}
	s, err := store.Open(w.dsn, store.Options{})
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := s.Close(); err == nil {
			err = closeErr
		}
	}()
	return w.fill(ctx, s)
}

func (w *world) fill(ctx context.Context, s *store.Store) error {
	provisioner := account.NewProvisioner(s, auth.NewKeyDocument, time.Now)
	master, err := found(ctx, s, provisioner)
	if err != nil {
		return err
	}
	issuer := auth.NewIssuer(s, time.Now)
	grant, err := issuer.APIKey(ctx, master.APIKey)
	if err != nil {
		return err
	}
	w.admin = grant.Token
	if err := w.fillPool(ctx, s, provisioner, issuer); err != nil {
		return err
	}
	return putAll(ctx, s, routing.Database, w.routing/addressesEach, routingCluster)
}

// found bootstraps a store and installs the design documents that are needed before there is a server.
func found(ctx context.Context, s *store.Store, f *account.Provisioner) (account.Bootstrapped, error) {
	master, err := f.Bootstrap(ctx)
	if err != nil {
		return master, err
	}
	if err := store.InstallFile(ctx, s, "accounts", couchdbviews.Files, "junctor_accounts.json"); err != nil {
		return master, err
	}
	if err := pooldb.Install(ctx, s); err != nil {
		return master, err
	}
	if err := routing.Install(ctx, s); err != nil {
		return master, err
	}
	_, err = s.Update(ctx, "system_config", "crossbar.auth", func(doc document.Document) error {
		doc["default"] = map[string]any{"token_auth_expiry_s": document.Number(tokensLast)}
		return nil
	})
	return master, err
}

// tokensLast is longer than any benchmark takes, in seconds.
const tokensLast = 86_400

// fillPool makes the accounts, and the addresses with their copies in the accounts' databases.
func (w *world) fillPool(ctx context.Context, s *store.Store, f *account.Provisioner, i *auth.Issuer) error {
	for n := range tenantsIn(w.size) {
		created, err := f.Create(ctx, account.NewAccount{Name: fmt.Sprintf("Account %d", n)})
		if err != nil {
			return err
		}
		grant, err := i.APIKey(ctx, created.APIKey)
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
		held := func(i int) document.Document { return assigned(n*heldEach+i, created.ID) }
		if err := putAll(ctx, s, db, heldEach, held); err != nil {
			return err
		}
		w.tenants = append(w.tenants, tenant{id: created.ID, token: grant.Token})
	}
	err := putAll(ctx, s, dedicatedip.Database, w.size, func(n int) document.Document {
		if n < firstFree(len(w.tenants)) {
			return assigned(n, w.tenants[n/heldEach].id)
		}
		return available(n)
	})
	if err != nil {
		return err
	}
	return index(ctx, s, dedicatedip.Database)
}

// index has the views of a pool made. A CouchDB gives up answering before it has those of a large one, and goes on
// making them: whatever is measured meanwhile is measured on a busy machine.
func index(ctx context.Context, s *store.Store, pool string) error {
	for design, view := range map[string]string{dedicatedip.Database: "zone_listing", "junctor": "available"} {
		for {
			err := s.View(ctx, pool, design, view, store.Query{Limit: 1}, func(store.Row) error { return nil })
			if err == nil {
				break
			}
			if ctx.Err() != nil || !fault.Is(err, fault.DatastoreFault) {
				return err
			}
			time.Sleep(time.Second)
		}
	}
	return nil
}

// bulk is how many documents are written in one go.
const bulk = 1000

// putAll writes new documents.
func putAll(ctx context.Context, s *store.Store, db string, count int, doc func(n int) document.Document) error {
	for from := 0; from < count; from += bulk {
		var docs []document.Document
		for n := from; n < min(from+bulk, count); n++ {
			docs = append(docs, doc(n))
		}
		if _, err := putMany(ctx, s, db, docs); err != nil {
			return err
		}
	}
	return nil
}

// putMany writes documents, all of which have to succeed, and answers their revisions.
func putMany(ctx context.Context, s *store.Store, db string, docs []document.Document) (revs []string, err error) {
	written, err := s.PutMany(ctx, db, docs)
	if err != nil {
		return nil, err
	}
	for _, w := range written {
		if w.Err != nil {
			return nil, w.Err
		}
		revs = append(revs, w.Rev)
	}
	return revs, nil
}
