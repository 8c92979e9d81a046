package main

import (
	"fmt"
	"path/filepath"
	"time"

	"junctor/pkg/store"
)

// world is a store with a number of addresses in it, and the server of it.
type world struct {
	dsn     string
	folder  string // for what belongs to it
	size    int    // addresses of the pool; 0 is no pool
	routing int    // addresses of routing clusters; 0 is none

	admin   string // a token of the master account
	tenants []tenant
	server  *server
	starts  []time.Duration // until the first answer
	ready   int64           // anonymous memory then
}

// tenant is an account that has some addresses: the one of number i those from 25 i on.
type tenant struct{ id, token string }

// name is how the table calls it.
func (w *world) name() string {
	kind := "embedded"
	if store.IsCouchDB(w.dsn) {
		kind = "CouchDB"
	}
	return english.Sprintf("%s, %d", kind, w.addresses())
}

// addresses is how large it is.
func (w *world) addresses() int { return max(w.size, w.routing) }

// kind is what it is there for.
func (w *world) kind() string {
	switch {
	case w.size == 0:
		return "routing"
	case w.routing == 0:
		return "pool"
	}
	return "pool and routing"
}

// tenant is the account that a client works for.
func (w *world) tenant(client int) (tenant, int) {
	n := client % len(w.tenants)
	return w.tenants[n], n
}

// accounts are the tenants' ids.
func (w *world) accounts() (ids []string) {
	for _, t := range w.tenants {
		ids = append(ids, t.id)
	}
	return ids
}

// ips is the URL of a tenant's addresses.
func (w *world) ips(t tenant) string { return w.server.url + "/v2/accounts/" + t.id + "/ips" }

// tenantsIn is how many accounts have addresses in a pool of that size: they leave most of a small one to be had.
func tenantsIn(size int) int { return min(size/(4*heldEach), mostAccounts) }

// firstFree is the number of the first address that nobody has.
func firstFree(tenants int) int { return tenants * heldEach }

// embeddedWorld is one in a folder of its own.
func (b *bench) embeddedWorld(size, routing int) *world {
	folder := filepath.Join(b.folder, fmt.Sprintf("pool-%d-routing-%d", size, routing))
	return &world{dsn: filepath.Join(folder, "store"), folder: folder, size: size, routing: routing}
}

// file is where an embedded store keeps everything.
func (w *world) file() string { return filepath.Join(w.dsn, "junctor.db") }
