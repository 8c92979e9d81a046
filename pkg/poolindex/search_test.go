package poolindex

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/ipaddr"
	"junctor/pkg/kazoo"
)

func TestSearch(t *testing.T) {
	t.Parallel()
	r, x := rand.New(rand.NewPCG(1, 2)), New()
	for range 700 {
		x.Apply(randomDocument(r))
	}
	for range 500 {
		s := randomSearch(r)
		want, least := x.matching(s)
		var got []string
		for from, more := (Position{}), true; more; {
			found, err := x.Search(t.Context(), s, from, 1+r.IntN(20))
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, idsOf(found.Entries)...); found.Visited > 3*least { // by its address, host and holder
				t.Errorf("%+v visited %d for a page, and the smallest filter matches %d", s, found.Visited, least)
			}
			if more = found.More; more {
				last := found.Entries[len(found.Entries)-1]
				from = Position{last.addr, last.ID()}
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%+v:\ngot  %v\nwant %v", s, got, want)
		}
	}
}

// matching returns what a search should find, and how many entries the smallest of its filters matches.
func (x *Index) matching(s Search) (ids []string, least int) {
	var found []*Entry
	filters := []Search{{}, {Zone: s.Zone}, {Host: s.Host}, {Status: s.Status}, {Holder: s.Holder}, {Within: s.Within}, {Begins: s.Begins}}
	if s.Cooling != nil && *s.Cooling {
		filters = append(filters, Search{Cooling: s.Cooling, Since: s.Since})
	}
	counts := make([]int, len(filters))
	for _, e := range x.byID {
		if s.Matches(e) {
			found = append(found, e)
		}
		for i, filter := range filters {
			if filter.Matches(e) {
				counts[i]++
			}
		}
	}
	slices.SortFunc(found, compareAddresses)
	return idsOf(found), slices.Min(counts)
}

func randomDocument(r *rand.Rand) document.Document {
	n := strconv.Itoa(r.IntN(200))
	doc := document.Document{
		"_id":      []string{"10.0.0." + n, "10.0.1." + n, "::ffff:10.0.0." + n, "2001:db8::" + n, "2001:DB8:0::" + n, "text" + n}[r.IntN(6)],
		"_rev":     "1-",
		"pvt_type": kazoo.TypeDedicatedIP, "pvt_zone": "zone" + strconv.Itoa(r.IntN(4)), "pvt_host": "Proxy" + strconv.Itoa(r.IntN(12)),
		"pvt_status": []string{kazoo.Available, kazoo.Assigned, kazoo.Assigned, "retired"}[r.IntN(4)],
	}
	if doc["pvt_status"] != kazoo.Available || r.IntN(3) == 0 {
		doc["pvt_assigned_to"] = "account" + strconv.Itoa(r.IntN(20))
	}
	if r.IntN(3) == 0 { // as Kazoo leaves it after a release
		doc["pvt_created"], doc["pvt_modified"] = document.Number(1), document.Number(int64(2+r.IntN(20)))
	}
	return doc
}

func randomSearch(r *rand.Rand) (s Search) {
	maybe := func(of ...string) string {
		if r.IntN(2) == 0 {
			return ""
		}
		return of[r.IntN(len(of))]
	}
	s.Zone = maybe("zone1", "zone2", "nowhere")
	s.Host = maybe("Proxy1", "Proxy11", "proxy1")
	s.Status = maybe(kazoo.Available, kazoo.Assigned, "retired", "none")
	s.Holder = maybe("account1", "account2", "account30")
	if text := maybe("10.0.0.64/26", "10.0.0.0/16", "2001:db8::/120", "0.0.0.0/0", "::/0", "192.0.2.0/24"); text != "" {
		within := blockOf(text)
		s.Within = &within
	}
	if text := maybe("10.0.0.1", "10.", "2001:db8::1", "proxy1", "proxy", "1", "none"); text != "" {
		s.Begins = &Begins{Addresses: ipaddr.Beginning(text), Host: strings.ToLower(text)}
		if r.IntN(2) == 0 {
			s.Begins.Holders = map[string]bool{"account3": true, "account4": true, "account40": true}
		}
	}
	if r.IntN(3) == 0 {
		cooling := r.IntN(3) > 0
		s.Cooling, s.Since = &cooling, []int64{0, 10, 18, math.MaxInt64}[r.IntN(4)]
	}
	return s
}

// TestSearchCosts: with one filter, the first page and the last one visit a few times the entries of a page, in a large
// pool as in a small one.
func TestSearchCosts(t *testing.T) {
	t.Parallel()
	const page = 100
	for _, size := range []int{2000, 10_000} {
		x := filled(size)
		for name, s := range oneFilter() {
			for what, from := range map[string]Position{"first": {}, "last": x.lastPage(t, s, page)} {
				found, err := x.Search(t.Context(), s, from, page)
				if err != nil || len(found.Entries) != page || found.More != (what == "first") {
					t.Fatalf("%s of %d, %s page: %d entries, more %t, error %v", name, size, what, len(found.Entries), found.More, err)
				}
				if found.Visited > 6*page { // of 50 hosts
					t.Errorf("%s of %d, %s page: visited %d", name, size, what, found.Visited)
				}
			}
		}
	}
}

// filled returns an index of addresses that are spread over 5 zones, 50 hosts and 20 accounts.
func filled(size int) *Index {
	x, r := New(), rand.New(rand.NewPCG(1, 2))
	for n := range size {
		doc := document.Document{"_id": fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255),
			"_rev": fmt.Sprintf("1-%016x%016x", r.Uint64(), r.Uint64()), "pvt_type": kazoo.TypeDedicatedIP,
			"pvt_zone": "zone" + strconv.Itoa(n%5), "pvt_host": "host" + strconv.Itoa(n%50), "pvt_status": kazoo.Available}
		if n%2 == 0 {
			doc["pvt_status"], doc["pvt_assigned_to"] = kazoo.Assigned, "account"+strconv.Itoa(n%5)
		}
		x.Apply(doc)
	}
	return x
}

// oneFilter returns searches with one filter each.
func oneFilter() map[string]Search {
	within := blockOf("10.0.0.0/8")
	return map[string]Search{
		"all": {}, "zone": {Zone: "zone1"}, "status": {Status: kazoo.Assigned}, "holder": {Holder: "account1"},
		"cidr": {Within: &within}, "address": {Begins: &Begins{Addresses: ipaddr.Beginning("10.0.")}},
		"host": {Begins: &Begins{Host: "host"}},
	}
}

// lastPage returns the position before the last page of a search.
func (x *Index) lastPage(t testing.TB, s Search, page int) Position {
	t.Helper()
	found, err := x.Search(t.Context(), s, Position{}, len(x.byID))
	if err != nil {
		t.Fatal(err)
	}
	before := found.Entries[len(found.Entries)-page-1]
	return Position{before.addr, before.ID()}
}

// TestSearchOfManySources: a page is found soon if most addresses are, and found at all if few are.
func TestSearchOfManySources(t *testing.T) {
	t.Parallel()
	const size, accounts = 5000, 1000
	x, dense, sparse := New(), map[string]bool{}, map[string]bool{}
	for n := range size {
		holder := "account" + strconv.Itoa(n%accounts)
		dense[holder] = true
		if n == size-1 {
			holder = "last"
		}
		x.Apply(document.Document{"_id": fmt.Sprintf("10.0.%d.%d", n>>8, n&255), "_rev": "1-", "pvt_type": kazoo.TypeDedicatedIP,
			"pvt_zone": "z", "pvt_host": "h", "pvt_status": kazoo.Assigned, "pvt_assigned_to": holder})
		x.Apply(document.Document{"_id": fmt.Sprintf("10.1.%d.%d", n>>8, n&255), "_rev": "1-", "pvt_type": kazoo.TypeDedicatedIP,
			"pvt_zone": "z", "pvt_host": "h", "pvt_status": kazoo.Assigned, "pvt_assigned_to": "sparse" + strconv.Itoa(n)})
		if n%20 == 19 {
			sparse["sparse"+strconv.Itoa(n)] = true
		}
	}
	for name, test := range map[string]struct {
		holders              map[string]bool
		want, found, visited int
	}{
		"dense":  {dense, 100, 100, 600},
		"all":    {dense, size, size - 1, 2*size + accounts},
		"sparse": {sparse, 1000, 250, 2*size + 250},
	} {
		found, err := x.Search(t.Context(), Search{Begins: &Begins{Holders: test.holders}}, Position{}, test.want)
		if err != nil || len(found.Entries) != test.found || found.Visited > test.visited {
			t.Errorf("%s: %d entries, visited %d, error %v", name, len(found.Entries), found.Visited, err)
		}
	}
}

func blockOf(network string) ipaddr.Block {
	block, err := ipaddr.ParseCIDR(network, true)
	if err != nil {
		panic(err)
	}
	return block
}
