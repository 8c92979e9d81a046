package inventory_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/account"
	"junctor/pkg/accountlist"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/inventory"
	"junctor/pkg/kazoo"
	"junctor/pkg/pooldb"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// Accounts of the tests. The last has no name that is a string, and the one before is deleted.
const (
	acme  = "20d27928305e257782655b7896c79f14"
	zebra = "09c766718e5cfdbc70c929dccb4e00fc"
	alpha = "3a583234b29d88662d41c309f3dfa1e1"
	gone  = "6ba7649365da8502c102a8912c8705c1"
	odd   = "0766c6d3a0cf0a0f293e7c8cf0bdcab5"
)

// subject is an inventory that reads from memory, and one on the same documents that reads from the store.
type subject struct {
	*testing.T
	s                 storetest.Apart
	following, asking *inventory.Inventory
}

func onStores(t *testing.T, suite func(*subject)) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		suite(newSubject(t, storetest.Open(t, "memory:")))
	})
	t.Run("couchdb", func(t *testing.T) {
		t.Parallel()
		suite(newSubject(t, storetest.Open(t, storetest.FreshCouch(t))))
	})
}

func newSubject(t *testing.T, on *store.Store) *subject {
	t.Helper()
	s := &subject{T: t, s: storetest.Apart{Store: on, Prefix: "inventory/" + strings.ToLower(t.Name()) + "/"}}
	s.ok(pooldb.Install(t.Context(), s.s))
	s.ok(s.s.CreateDatabase(t.Context(), kazoo.Accounts))
	for id, fields := range map[string]document.Document{
		acme: {"name": "Acme Ltd", "realm": "acme.example"}, zebra: {"name": "zebra", "realm": "zebra.example"},
		alpha: {"name": "acme", "realm": "alpha.example"}, gone: {"name": "acme gone", kazoo.FieldDeleted: true}, odd: {"name": 7},
	} {
		fields["_id"], fields[kazoo.FieldType] = id, "account"
		_, err := s.s.Put(t.Context(), kazoo.Accounts, fields)
		s.ok(err)
	}
	_, err := s.s.Put(t.Context(), kazoo.Accounts, document.Document{"_id": "other", kazoo.FieldType: "user", "name": "acme"})
	s.ok(err)
	s.asking = s.inventory(0)
	return s
}

// follow makes the one inventory follow what was written so far. Nothing may be written afterwards.
func (s *subject) follow() {
	s.Helper()
	s.following = s.inventory(time.Hour)
}

func (s *subject) inventory(staleness time.Duration) *inventory.Inventory {
	s.Helper()
	pool := dedicatedip.New(s.s, dedicatedip.Options{Settings: account.NewConfig(s.s), Log: zerolog.Nop()})
	accounts := accountlist.New(s.s, account.NewDirectory(s.s), staleness, zerolog.Nop())
	s.Cleanup(func() { _ = pool.Close() })
	if staleness > 0 {
		var followers sync.WaitGroup
		followers.Go(func() { pool.Follow(s.Context(), staleness) })
		followers.Go(func() { accounts.Follow(s.Context()) })
		s.Cleanup(followers.Wait) // the context is canceled before
		testutil.Eventually(s, "pool and accounts are in memory", func() bool { return pool.FromMemory() && accounts.FromMemory() })
	}
	return inventory.New(pool, accounts, s.s)
}

func (s *subject) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// address writes an address. Of "holder/status/notes" what follows what is given may be left out.
func (s *subject) address(id, zone, host, rest string) {
	s.Helper()
	parts := append(strings.Split(rest, "/"), "", "", "")
	doc := document.Document{"_id": id, kazoo.FieldType: kazoo.TypeDedicatedIP, kazoo.FieldZone: zone, kazoo.FieldHost: host,
		kazoo.FieldStatus: kazoo.Available}
	if parts[0] != "" {
		doc[kazoo.FieldStatus], doc[kazoo.FieldAssignedTo] = kazoo.Assigned, parts[0]
	}
	if parts[1] != "" {
		doc[kazoo.FieldStatus] = parts[1]
	}
	if parts[2] != "" {
		doc[kazoo.FieldNotes] = parts[2]
	}
	_, err := s.s.Put(s.Context(), dedicatedip.Database, doc)
	s.ok(err)
}

// fill writes a pool in which every filter has something to leave out.
func (s *subject) fill() {
	s.Helper()
	for n := range 12 {
		s.address(fmt.Sprintf("10.0.0.%d", n), "east", "proxy1.east", "")
		s.address(fmt.Sprintf("10.0.1.%d", n), "west", "Proxy2.west", []string{acme, zebra, alpha}[n%3]+"//note "+fmt.Sprint(n))
	}
	s.address("::ffff:10.0.0.5", "west", "legacy", acme)
	s.address("2001:DB8:0::1", "east", "proxy1.east", zebra)
	s.address("2001:db8::2", "east", "acme.east", "")
	s.address("::1", "north", "proxy1.east", "")
	s.address("::2:0:0:0", "north", "proxy1.east", gone)
	s.address("10.9.0.1", "north", "h", acme+"/retired")
	s.address("10.9.0.2", "north", "h", acme+"/"+kazoo.Available)
	s.address("hello", "nowhere", "h", acme)
}

// walk reads all pages of a search, and returns the rows as text.
func (s *subject) walk(i *inventory.Inventory, r inventory.SearchRequest) (rows []string) {
	s.Helper()
	for {
		page, err := i.Search(s.Context(), r)
		s.ok(err)
		for _, row := range page.Rows {
			rows = append(rows, strings.TrimRight(fmt.Sprint(row.ID, " ", row.Zone, " ", row.AccountName, " ", row.Notes), " "))
		}
		if r.StartKey = page.Next; page.Next == "" {
			return rows
		}
	}
}

func TestSearch(t *testing.T) {
	onStores(t, func(s *subject) {
		s.fill()
		s.follow()
		for _, test := range []struct {
			name string
			r    inventory.SearchRequest
			want string // ids
		}{
			{"host", inventory.SearchRequest{Host: "legacy"}, "::ffff:10.0.0.5"},
			{"another host", inventory.SearchRequest{Host: "proxy2.west"}, ""},
			{"zone", inventory.SearchRequest{Zone: "north"}, "10.9.0.1 10.9.0.2 ::1 ::2:0:0:0"},
			{"zone and status", inventory.SearchRequest{Zone: "north", Status: "assigned"}, "::2:0:0:0"},
			{"account", inventory.SearchRequest{AssignedTo: acme}, "::ffff:10.0.0.5 10.0.1.0 10.0.1.3 10.0.1.6 10.0.1.9"},
			{"network", inventory.SearchRequest{CIDR: "10.0.0.4/31"}, "10.0.0.4 10.0.0.5 ::ffff:10.0.0.5"},
			{"address as network", inventory.SearchRequest{CIDR: "2001:db8::1"}, "2001:DB8:0::1"},
			{"all of IPv6", inventory.SearchRequest{CIDR: "::/0"}, "::1 ::2:0:0:0 2001:DB8:0::1 2001:db8::2"},
			{"beginning of an address", inventory.SearchRequest{Search: "10.0.1.1"}, "10.0.1.1 10.0.1.10 10.0.1.11"},
			{"beginning of a host", inventory.SearchRequest{Search: "PROXY2", CIDR: "10.0.1.0/30"},
				"10.0.1.0 10.0.1.1 10.0.1.2 10.0.1.3"},
			{"beginning of a name", inventory.SearchRequest{Search: " acme l "},
				"::ffff:10.0.0.5 10.0.1.0 10.0.1.3 10.0.1.6 10.0.1.9"},
			{"beginning of a name or a host", inventory.SearchRequest{Search: "acme", CIDR: "::/0"}, "2001:db8::2"},
			{"all of it", inventory.SearchRequest{Zone: "west", Host: "Proxy2.west", Status: "assigned", AssignedTo: zebra,
				CIDR: "10.0.0.0/16", Search: "zeb"}, "10.0.1.1 10.0.1.4 10.0.1.7 10.0.1.10"},
			{"nothing", inventory.SearchRequest{Zone: "east", AssignedTo: acme}, ""},
		} {
			for _, size := range []int{0, 1, 2, 5} {
				test.r.PageSize = size
				memory, store := s.walk(s.following, test.r), s.walk(s.asking, test.r)
				var ids []string
				for _, row := range memory {
					ids = append(ids, strings.Fields(row)[0])
				}
				if got := strings.Join(ids, " "); got != test.want {
					t.Errorf("%s, pages of %d:\ngot  %s\nwant %s", test.name, size, got, test.want)
				}
				if !slices.Equal(memory, store) {
					t.Errorf("%s, pages of %d:\nmemory %q\nstore  %q", test.name, size, memory, store)
				}
			}
		}
		all := s.walk(s.following, inventory.SearchRequest{PageSize: 7})
		if !slices.Equal(all, s.walk(s.asking, inventory.SearchRequest{PageSize: 7})) || len(all) != 31 {
			t.Errorf("all: %d rows, %q", len(all), all)
		}
		if row := "10.0.1.3 west Acme Ltd note 3"; !slices.Contains(all, row) {
			t.Errorf("%q is not in %q", row, all)
		}
	})
}

func TestAccounts(t *testing.T) {
	onStores(t, func(s *subject) {
		s.fill()
		s.follow()
		for text, want := range map[string]string{
			"":     "=0 acme=4 Acme Ltd=5 zebra=5",
			"ACME": "acme=4 Acme Ltd=5",
			"eb":   "zebra=5", "none": "", "alpha.example": "acme=4", odd[:6]: "=0",
		} {
			for _, i := range []*inventory.Inventory{s.following, s.asking} {
				for _, size := range []int{0, 1, 3} {
					var got []string
					for r, more := (inventory.AccountsRequest{Search: text, PageSize: size}), true; more; more = r.StartKey != "" {
						page, err := i.Accounts(t.Context(), r)
						s.ok(err)
						for _, a := range page.Accounts {
							got = append(got, fmt.Sprint(a.Name, "=", a.Assigned))
						}
						r.StartKey = page.Next
					}
					if got := strings.Join(got, " "); got != want {
						t.Errorf("%q, pages of %d: %s, want %s", text, size, got, want)
					}
				}
			}
		}
	})
}

func TestSummary(t *testing.T) {
	onStores(t, func(s *subject) {
		s.fill()
		s.follow()
		memory, err := s.following.Summary(t.Context())
		s.ok(err)
		stored, err := s.asking.Summary(t.Context())
		s.ok(err)
		if !reflect.DeepEqual(memory, stored) {
			t.Errorf("memory %+v\nstore  %+v", memory, stored)
		}
		if want := (inventory.Counts{Available: 15, Assigned: 15}); memory.Total != want {
			t.Errorf("total %+v, want %+v", memory.Total, want)
		}
		if want := (inventory.Counts{Available: 12, Assigned: 1}); *memory.Zones["east"].Hosts["proxy1.east"] != want {
			t.Errorf("proxy1.east in east: %+v, want %+v", *memory.Zones["east"].Hosts["proxy1.east"], want)
		}
		if memory.Zones["nowhere"] != nil {
			t.Error("an entry that is no address is counted")
		}
	})
}
