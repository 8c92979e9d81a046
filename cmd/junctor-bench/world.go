package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"junctor/pkg/store"
)

// world is a store with addresses in it, in a pool or in routing clusters, and the server of it.
type world struct {
	dsn      string
	folder   string // for what belongs to it
	pool     int    // addresses
	clusters int    // routing clusters

	admin   string // a token of the master account
	tenants []tenant
	server  *server
	beside  []*server
	starts  []time.Duration // until the first response
	warm    int64           // anonymous memory of the server before it is measured, in bytes
}

// tenant is an account that has addresses. That of number i has those from i*heldEach on.
type tenant struct{ id, token string }

// ips returns the path of a tenant's addresses.
func (t tenant) ips() string { return "/v2/accounts/" + t.id + "/ips" }

// newWorld returns a world in a CouchDB or, if that is empty, in an embedded store.
func (b *bench) newWorld(couch string, pool, clusters int) *world {
	folder := filepath.Join(b.folder, "world")
	return &world{dsn: cmp.Or(couch, filepath.Join(folder, "store")), folder: folder, pool: pool, clusters: clusters}
}

func (w *world) isCouchDB() bool { return store.IsCouchDB(w.dsn) }

// close stops the servers and removes the folder.
func (w *world) close() error {
	w.server.stop()
	for _, s := range w.beside {
		s.stop()
	}
	return os.RemoveAll(w.folder)
}

// name is what the world is called in what is printed.
func (w *world) name() string {
	where := "Embedded"
	if w.isCouchDB() {
		where = "CouchDB"
	}
	if w.pool == 0 {
		return english.Sprintf("%s, routing clusters with %d addresses", where, w.clusters*addressesEach)
	}
	return english.Sprintf("%s, pool of %d addresses", where, w.pool)
}

// file is where an embedded store has everything.
func (w *world) file() string { return filepath.Join(w.dsn, "junctor.db") }

// tenant returns the account that a client works for.
func (w *world) tenant(client int) tenant { return w.tenants[client%len(w.tenants)] }

// free returns the number of an address that nobody has, another one for each client.
func (w *world) free(client int) int { return len(w.tenants)*heldEach + client }

// read is a GET that is measured.
type read struct {
	what    string
	route   string // as gorilla/mux writes it
	targets []target
}

// pageSize is how long the page of a listing is.
const pageSize = 50

// mostLookups is how many clusters are looked up.
const mostLookups = 10_000

// reads returns what can be read from a world.
func (w *world) reads() []read {
	if w.pool == 0 {
		lookup := read{what: "GET routing lookup", route: "/v2/routing/lookup"}
		for i := range min(w.clusters, mostLookups) {
			ip := address(addressesEach * (i * w.clusters / min(w.clusters, mostLookups)))
			lookup.targets = append(lookup.targets, target{lookup.route + "?direction=inbound&ip=" + ip, w.admin})
		}
		return []read{lookup}
	}
	const ips = "/v2/accounts/{account}/ips"
	reads := []read{
		{what: "GET one IP", route: ips + "/{ip}"},
		{what: fmt.Sprintf("GET assigned, %d rows", heldEach), route: ips + "/assigned"},
		{what: "GET zones", route: ips + "/zones"},
		{what: fmt.Sprintf("GET available, a page of %d", pageSize), route: ips},
	}
	for i, t := range w.tenants {
		for n := range heldEach {
			reads[0].targets = append(reads[0].targets, target{t.ips() + "/" + address(i*heldEach+n), t.token})
		}
		for n, rest := range []string{"/assigned", "/zones", fmt.Sprintf("?page_size=%d", pageSize)} {
			reads[n+1].targets = append(reads[n+1].targets, target{t.ips() + rest, t.token})
		}
	}
	return reads
}
