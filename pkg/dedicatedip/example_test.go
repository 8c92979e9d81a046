package dedicatedip_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"junctor/pkg/account"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/fault"
	"junctor/pkg/pooldb"
	"junctor/pkg/store"
)

const (
	alice = "20d27928305e257782655b7896c79f14" // account ids
	bob   = "09c766718e5cfdbc70c929dccb4e00fc"
)

// must ends an example that fails.
func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// openExample returns a pool with two free addresses, in an embedded store in a temporary folder.
func openExample(ctx context.Context) (p *dedicatedip.Pool, s *store.Store, remove func()) {
	folder, err := os.MkdirTemp("", "junctor-example")
	must(err)
	s, err = store.Open(filepath.Join(folder, "data"), store.Options{})
	must(err)
	must(pooldb.Install(ctx, s)) // the databases and views of the pool
	p = dedicatedip.New(s, dedicatedip.Options{})
	for _, id := range []string{alice, bob} {
		db, err := account.Database(id)
		must(err)
		must(s.CreateDatabase(ctx, db))
	}
	for _, address := range []string{"192.0.2.10", "2001:db8::10"} {
		_, err := p.Create(ctx, dedicatedip.CreateRequest{Address: address, Zone: "east", Host: "proxy1"})
		must(err)
	}
	return p, s, func() { must(errors.Join(p.Close(), s.Close(), os.RemoveAll(folder))) }
}

// An address is created, assigned to an account, and released. While it is assigned, the account's database has a
// copy, by which Kazoo bills.
func Example() {
	ctx := context.Background()
	pool, s, remove := openExample(ctx)
	defer remove()

	// Any spelling of an address will do.
	assigned, err := pool.Assign(ctx, dedicatedip.AssignRequest{Account: alice, Addresses: []string{"2001:DB8:0::10"}})
	must(err)
	ip := assigned[0].Address()
	fmt.Println(ip.ID, ip.Status, ip.AssignedTo == alice)

	db, err := account.Database(alice)
	must(err)
	copied, err := s.Get(ctx, db, ip.ID)
	fmt.Println("copy:", copied.ID(), err)

	released, err := pool.Release(ctx, dedicatedip.ReleaseRequest{Account: alice, Addresses: []string{ip.ID}})
	must(err)
	fmt.Println(released[0].ID(), released[0].Address().Status)
	// Output:
	// 2001:db8::10 assigned true
	// copy: 2001:db8::10 <nil>
	// 2001:db8::10 available
}

// An address has one holder. A request for several addresses gets all of them or none, and the error says which of
// them was refused, and why.
func ExamplePool_Assign_refused() {
	ctx := context.Background()
	pool, _, remove := openExample(ctx)
	defer remove()
	_, err := pool.Assign(ctx, dedicatedip.AssignRequest{Account: alice, Addresses: []string{"192.0.2.10"}})
	must(err)

	_, err = pool.Assign(ctx, dedicatedip.AssignRequest{
		Account: bob, Addresses: []string{"2001:db8::10", "192.0.2.10", "192.0.2.11"},
	})
	var refused *fault.Error
	fmt.Println("invalid:", errors.As(err, &refused) && refused.Kind == fault.Invalid)
	for _, path := range []string{"ips%2E1", "ips%2E2"} {
		for code := range refused.Data.(fault.Fields)[path] {
			fmt.Println(path, code)
		}
	}

	free, err := pool.Read().Available(ctx, dedicatedip.Filter{})
	for _, item := range free.Items {
		fmt.Println("still available:", item.IP)
	}
	fmt.Println(err)
	// Output:
	// invalid: true
	// ips%2E1 forbidden
	// ips%2E2 not_found
	// still available: 2001:db8::10
	// <nil>
}

// A client that passes the revision that it has seen changes nothing that it has not seen.
func ExamplePool_Assign_conflict() {
	ctx := context.Background()
	pool, _, remove := openExample(ctx)
	defer remove()
	seen, err := pool.Read().Get(ctx, "192.0.2.10")
	must(err)

	notes := "reserved for the trade fair"
	_, err = pool.Edit(ctx, dedicatedip.EditRequest{Address: "192.0.2.10", Notes: &notes})
	must(err)

	_, err = pool.Assign(ctx, dedicatedip.AssignRequest{
		Account:   bob,
		Addresses: []string{"192.0.2.10"},
		IfMatch:   func(revision string) bool { return revision == seen.Revision },
	})
	fmt.Println("changed meanwhile:", fault.Is(err, fault.PreconditionFailed))
	// Output: changed meanwhile: true
}
