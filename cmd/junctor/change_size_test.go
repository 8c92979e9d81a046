package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	bolt "go.etcd.io/bbolt"

	"junctor/pkg/store/embedded"
	"junctor/pkg/store/storetest"
)

// TestSoakChangeSize prints what changes of addresses cost in bytes: by how much each part of the store grows with one.
// docs/figures.md has the result.
func TestSoakChangeSize(t *testing.T) {
	if os.Getenv("JUNCTOR_SOAK") == "" {
		t.Skip("make soak")
	}
	t.Run("embedded", func(t *testing.T) {
		home := t.TempDir()
		printChangeSize(t, &place{dsn: home, stateDir: t.TempDir()}, func() map[string]int64 { return boltSizes(t, embedded.File(home)) })
	})
	t.Run("CouchDB", func(t *testing.T) {
		if os.Getenv("JUNCTOR_TEST_COUCHDB") == "" {
			t.Skip("PouchDB does not say how large a database is")
		}
		dsn := storetest.FreshCouch(t)
		printChangeSize(t, &place{dsn: dsn, stateDir: t.TempDir()}, func() map[string]int64 { return couchSizes(t, dsn) })
	})
}

// printChangeSize assigns and releases addresses, until their documents have a full record of changes, and then again.
// sizes returns the sizes of a store's parts while no server runs.
func printChangeSize(t *testing.T, p *place, sizes func() map[string]int64) {
	const addresses, clients = 512, 16
	master := bootstrapped(t, p.args("")...)
	holder := newAccount(t, "A", p.args("")...)
	ok(t, p.args(fmt.Sprintf("ips add 10.0.0.0-10.0.%d.255 --zone us-east --host proxy1.us-east.example.com", addresses/256-1))...)
	assignAndRelease := func(rounds int) {
		s := start(t, p.args("")...)
		defer s.stop()
		token := s.login(master.APIKey)
		var all sync.WaitGroup
		for client := range clients {
			all.Go(func() {
				for n := range rounds * addresses / clients {
					i := client + n%(addresses/clients)*clients
					path := fmt.Sprintf("/v2/accounts/%s/ips/10.0.%d.%d", holder.ID, i/256, i%256)
					for _, method := range []string{"POST", "DELETE"} {
						if status, envelope := s.request(method, path, token, ""); status != http.StatusOK {
							t.Errorf("%s %s: %d %v", method, path, status, envelope)
							return
						}
					}
				}
			})
		}
		all.Wait()
	}
	assignAndRelease(2)
	before := sizes()
	const rounds = 8
	assignAndRelease(rounds)
	after := sizes()
	const changes = 2 * rounds * addresses
	t.Logf("of %d addresses, each changed 4 and then %d times:", addresses, 2*rounds)
	for _, part := range slices.Sorted(maps.Keys(after)) {
		if after[part] < 10*addresses {
			continue
		}
		t.Logf("%-45s %9d bytes, %6.1f for an address, %7.1f more with a change", part, after[part],
			float64(after[part])/addresses, float64(after[part]-before[part])/changes)
	}
}

// boltSizes returns how many bytes of keys and values the parts of an embedded store have, and the size of its file.
func boltSizes(t *testing.T, file string) map[string]int64 {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	db, err := bolt.Open(file, 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	sizes := map[string]int64{"file": info.Size()}
	var walk func(part string, in *bolt.Bucket) error
	walk = func(part string, in *bolt.Bucket) error {
		return in.ForEach(func(key, value []byte) error {
			if value == nil {
				return walk(part, in.Bucket(key))
			}
			sizes[part] += int64(len(key) + len(value))
			return nil
		})
	}
	err = db.View(func(tx *bolt.Tx) error {
		databases := tx.Bucket([]byte("databases"))
		return databases.ForEachBucket(func(name []byte) error {
			database, _, _ := strings.Cut(string(name), "/") // those of accounts together
			return databases.Bucket(name).ForEachBucket(func(part []byte) error {
				return walk(database+" "+string(part), databases.Bucket(name).Bucket(part))
			})
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return sizes
}

// couchSizes returns the sizes of a CouchDB's databases and of their views: of the documents as JSON (external), of what
// a compaction leaves (active), and of the files.
func couchSizes(t *testing.T, dsn string) map[string]int64 {
	t.Helper()
	get := func(path string, into any) {
		resp, err := http.Get(dsn + "/" + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
			t.Fatal(path, err)
		}
	}
	sizes := map[string]int64{}
	for db, designs := range map[string][]string{
		"dedicated_ips": {"dedicated_ips", "junctor"}, "ip_history": {"ip_history"},
	} {
		var info struct{ Sizes map[string]int64 }
		get(db, &info)
		for kind, size := range info.Sizes {
			sizes[db+" documents "+kind] = size
		}
		for _, design := range designs {
			var info struct {
				ViewIndex struct{ Sizes map[string]int64 } `json:"view_index"`
			}
			get(db+"/_design/"+design+"/_info", &info)
			for kind, size := range info.ViewIndex.Sizes {
				sizes[db+" views "+kind] += size
			}
		}
	}
	return sizes
}
