package dedicatedip

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/testutil"
)

var coolingCases = []testCase{
	{"cooling", coolingHolds},
	{"cooling allocation", coolingAllocation},
	{"cooling pages", coolingPages},
	{"cooling of a restart and of two processes", coolingElsewhere},
	{"cooling after Kazoo", coolingAfterKazoo},
	{"cooling after Kazoo alone", coolingAfterKazooAlone},
	{"cooling not after a request that failed", coolingNotAfterUndo},
	{"cooling at once", coolingAtOnce},
	{"cooling is read once", coolingReadOnce},
}

// configured is a process of its own whose settings are those of the store. It follows if the subject's pool does.
func (s *subject) configured(settings string) *Pool {
	s.Helper()
	s.ok(s.s.CreateDatabase(s.Context(), "system_config"))
	doc, err := document.Decode([]byte(`{"_id":"ips","default":` + settings + `}`))
	s.ok(err)
	if now := s.stored("system_config", "ips"); now != nil {
		doc["_rev"] = now.Rev()
	}
	s.ok(outcome(s.s.Put(s.Context(), "system_config", doc)))
	p := s.poolWith(s.s, Options{Settings: account.NewConfig(s.s)})
	if s.memory.Load() != nil {
		s.following(p)
	}
	return p
}

// available lists what a pool offers.
func (s *subject) available(p *Pool) string {
	s.Helper()
	page, err := p.Read().Available(s.Context(), Filter{})
	s.ok(err)
	return strings.Join(addressesOf(page.Items), " ")
}

// offers waits until a pool lists these addresses: another process may have written them.
func (s *subject) offers(p *Pool, want string) {
	s.Helper()
	testutil.Eventually(s, "offering "+want, func() bool { return s.available(p) == want })
}

const coolingA = "ips%2E0 cooling: another account had the ip until recently: 10.0.0.1"

func coolingHolds(s *subject) {
	p := s.configured(`{"cooling_s":60}`)
	s.free("10.0.0.1", "10.0.0.2")
	s.offers(p, "10.0.0.1 10.0.0.2")
	s.ok(s.assign(p, accountA, "10.0.0.1"))
	s.clock.Add(30)
	ip, err := single(p.Release(s.Context(), toRelease(accountA, "10.0.0.1")))
	s.ok(err)
	if status := ip.Address().Status; status != "available" {
		s.Errorf("status %s", status)
	}
	refused := func() {
		s.Helper()
		_, err := p.Assign(s.Context(), toAssign(accountB, "::ffff:10.0.0.1", "10.0.0.2"))
		s.saying(err, strings.ReplaceAll(coolingA, "10.0.0.1", "::ffff:10.0.0.1"))
		if until := findings(err)["ips%2E0"]["cooling"].(map[string]any)["until"]; until != int64(63867219200+90) {
			s.Errorf("until %v", until)
		}
		s.offers(p, "10.0.0.2")
		s.holds("10.0.0.1", "10.0.0.2")
	}
	refused()
	s.clock.Add(59)
	refused()

	// The account that had it may take it back at once, and it cools anew after that.
	s.ok(s.assign(p, accountA, "10.0.0.1"))
	s.ok(s.release(p, accountA, "10.0.0.1"))
	s.clock.Add(59)
	s.saying(s.assign(p, accountB, "10.0.0.1"), coolingA)
	r := toAssign(accountB, "10.0.0.1")
	r.IgnoreCooling = true
	s.ok(outcome(p.Assign(s.Context(), r)))
	s.ok(s.release(p, accountB, "10.0.0.1"))
	s.clock.Add(60)
	s.offers(p, "10.0.0.1 10.0.0.2")
	s.ok(s.assign(p, accountC, "10.0.0.1"))
	s.holds("10.0.0.1="+accountC, "10.0.0.2")

	// A move is no release, and edits of what is available do not end the cooling.
	s.ok(outcome(p.Edit(s.Context(), toMove("10.0.0.1", accountB))))
	s.ok(s.release(p, accountB, "10.0.0.1"))
	for i := range 6 {
		notes := fmt.Sprint("note ", i)
		s.ok(outcome(p.Edit(s.Context(), EditRequest{Address: "10.0.0.1", Notes: &notes})))
	}
	s.saying(s.assign(p, accountA, "10.0.0.1"), coolingA)
	s.ok(s.assign(p, accountB, "10.0.0.1"))
}

// coolingAllocation: an allocation takes none that cools, not even its account's own, and says how many there are.
func coolingAllocation(s *subject) {
	p := s.configured(`{"cooling_s":60}`)
	all := []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"}
	s.free(all...)
	s.offers(p, strings.Join(all, " "))
	s.ok(s.assign(p, accountA, all[:2]...))
	s.ok(outcome(p.ReleaseAll(s.Context(), ReleaseAllRequest{Account: accountA})))
	for _, accountID := range []string{accountA, accountB} {
		_, err := p.Allocate(s.Context(), AllocateRequest{Account: accountID, Quantity: 3, Spread: accountID == accountB})
		testutil.RequireFault(s, err, fault.Conflict)
		if data := err.(*fault.Error).Data.(map[string]any); data["available"] != 2 {
			s.Errorf("refused with %v", data)
		}
	}
	ips, err := p.Allocate(s.Context(), AllocateRequest{Account: accountB, Quantity: 2, Zone: "z1"})
	s.ok(err)
	if idsText(ips) != "10.0.0.3 10.0.0.4" {
		s.Errorf("allocated %s", idsText(ips))
	}
	ips, err = p.Allocate(s.Context(), AllocateRequest{Account: accountB, Quantity: 1, IgnoreCooling: true})
	s.ok(err)
	s.clock.Add(60)
	rest, err := p.Allocate(s.Context(), AllocateRequest{Account: accountC, Quantity: 1})
	s.ok(err)
	if got := idsText(ips) + " " + idsText(rest); got != "10.0.0.1 10.0.0.2" && got != "10.0.0.2 10.0.0.1" {
		s.Errorf("allocated %s", got)
	}
}

// coolingPages: what cools takes no place of a page.
func coolingPages(s *subject) {
	p := s.configured(`{"cooling_s":60}`)
	var all, want []string
	for i := range 30 {
		all = append(all, fmt.Sprintf("10.0.0.%d", 10+i))
		if i%3 == 0 {
			want = append(want, all[i])
		}
	}
	s.free(all...)
	s.offers(p, strings.Join(all, " "))
	for i, id := range all {
		if i%3 > 0 {
			s.ok(s.assign(p, accountA, id))
		}
	}
	s.ok(outcome(p.ReleaseAll(s.Context(), ReleaseAllRequest{Account: accountA})))
	for _, size := range []int{1, 3, 10, 11} {
		s.pages(p, Filter{PageSize: size}, want)
	}
}

// coolingElsewhere: another process, and one that starts later, know of a release by this one. Settings change while
// they run.
func coolingElsewhere(s *subject) {
	p := s.configured(`{"cooling_s":60}`)
	other := s.configured(`{"cooling_s":60}`)
	s.free("10.0.0.1")
	s.ok(s.assign(p, accountA, "10.0.0.1"))
	s.ok(s.release(p, accountA, "10.0.0.1"))
	for _, q := range []*Pool{other, p, s.configured(`{"cooling_s":60}`)} {
		s.offers(q, "")
		s.saying(s.assign(q, accountB, "10.0.0.1"), coolingA)
	}
	longer := s.configured(`{"cooling_s":"0"}`)
	for _, q := range []*Pool{other, p, longer} {
		s.offers(q, "10.0.0.1")
	}
	s.ok(s.assign(other, accountB, "10.0.0.1"))
}

// coolingAfterKazoo: releases that Crossbar wrote count, with the holder as far as it is known.
func coolingAfterKazoo(s *subject) {
	p := s.configured(`{"cooling_s":60}`)
	s.free("10.0.0.1", "10.0.0.3")
	s.ok(s.assign(s.Pool, accountA, "10.0.0.1"))
	s.clock.Add(10)
	doc := s.stored(Database, "10.0.0.1") // as kz_ip:release/1 leaves it
	delete(doc, "pvt_assigned_to")
	doc["pvt_status"], doc["pvt_modified"] = "available", document.Number(s.now())
	rev, err := s.s.Put(s.Context(), Database, doc)
	s.ok(err)
	testutil.Eventually(s, "heard of", func() bool {
		m := p.memory.Load()
		return m == nil || m.index.Revision("10.0.0.1") == rev
	})
	s.saying(s.assign(p, accountB, "10.0.0.1"), coolingA)
	s.ok(s.assign(p, accountA, "10.0.0.1"))

	// Nothing but Kazoo has written this one. Its time of modification says that it was released.
	s.put(`{"_id":"10.0.0.2","pvt_vsn":"1","pvt_type":"dedicated_ip","pvt_status":"available","pvt_zone":"z1","pvt_host":"h1",
		"pvt_created":63800000000,"pvt_modified":` + document.Number(s.now()).String() + `}`)
	s.offers(p, "10.0.0.3")
	s.saying(s.assign(p, accountB, "10.0.0.2"), strings.ReplaceAll(coolingA, "10.0.0.1", "10.0.0.2"))
	s.clock.Add(60)
	s.ok(s.assign(p, accountB, "10.0.0.2"))
}

// coolingAfterKazooAlone: of an address that only Kazoo has written, the history has the last holder if a process followed.
func coolingAfterKazooAlone(s *subject) {
	s.configured(`{"cooling_s":60}`)
	s.ok(history.Install(s.Context(), s.s))
	now := func() time.Time { return time.Unix(s.clock.Load(), 0) }
	log := history.New(s.s, now, zerolog.Nop())
	p := s.poolWith(s.s, Options{Settings: account.NewConfig(s.s), History: log})
	s.following(p)
	doc := document.Document{"_id": "10.0.0.1", "pvt_type": "dedicated_ip", "pvt_zone": "z1", "pvt_host": "h1",
		"pvt_created": document.Number(s.now())}
	for _, holder := range []string{"", accountA, ""} {
		doc["pvt_status"], doc["pvt_modified"] = "available", document.Number(s.now())
		if delete(doc, "pvt_assigned_to"); holder != "" {
			doc["pvt_status"], doc["pvt_assigned_to"] = "assigned", holder
		}
		rev, err := s.s.Put(s.Context(), Database, doc)
		s.ok(err)
		doc["_rev"] = rev
		testutil.Eventually(s, "heard of", func() bool { return p.memory.Load().index.Revision("10.0.0.1") == rev })
		s.clock.Add(1)
	}
	s.ok(log.Flush(s.Context())) // a request does not wait for it as long
	s.saying(s.assign(p, accountB, "10.0.0.1"), coolingA)
	s.ok(s.assign(p, accountA, "10.0.0.1"))
}

// coolingNotAfterUndo: what a request had assigned before it failed is not given back by anybody.
func coolingNotAfterUndo(s *subject) {
	s.configured(`{"cooling_s":60}`)
	s.free("10.0.0.1", "10.0.0.2")
	store := s.s.With(when("put", Database, 1, preceded(func() {
		s.ok(outcome(s.Delete(s.Context(), DeleteRequest{Address: "10.0.0.2"})))
	})))
	p := s.poolWith(store, Options{Settings: account.NewConfig(s.s)})
	testutil.RequireFault(s, s.assign(p, accountA, "10.0.0.1", "10.0.0.2"), fault.Conflict)
	if events := history.Changes(s.stored(Database, "10.0.0.1")); len(events) < 2 || events[0].Action != history.Released {
		s.Errorf("nothing was undone: %v", events)
	}
	s.ok(s.assign(p, accountB, "10.0.0.1"))
}

// coolingAtOnce: whatever races, an address that an account gave back goes to no other one.
func coolingAtOnce(s *subject) {
	pools := []*Pool{s.configured(`{"cooling_s":60}`), s.configured(`{"cooling_s":60}`)}
	s.free("10.0.0.1")
	s.ok(s.assign(pools[0], accountA, "10.0.0.1"))
	var given, taken atomic.Int64
	s.atOnce(12, func(i int, _ *Pool) {
		p := pools[i/3%2]
		for range 5 {
			switch i % 3 {
			case 0:
				if s.release(p, accountA, "10.0.0.1") == nil {
					given.Add(1)
				}
				if s.assign(p, accountA, "10.0.0.1") == nil {
					taken.Add(1)
				}
			case 1:
				if s.assign(p, accountB, "10.0.0.1") == nil {
					s.Error("another account got it")
				}
			case 2:
				if ips, err := p.Allocate(context.Background(), AllocateRequest{Account: accountC, Quantity: 1}); err == nil {
					s.Errorf("another account was allocated %s", idsText(ips))
				}
			}
		}
	})
	if given.Load() == 0 || taken.Load() == 0 {
		s.Errorf("%d were given back, %d taken back: this tested nothing", given.Load(), taken.Load())
	}
}

// countedSettings are settings whose reads are counted.
type countedSettings struct {
	Settings
	reads *atomic.Int64
}

func (c countedSettings) Cooling(ctx context.Context) (seconds int64, err error) {
	c.reads.Add(1)
	return c.Settings.Cooling(ctx)
}

// coolingReadOnce: an assignment reads the settings once if another account gave addresses back, and not at all otherwise.
func coolingReadOnce(s *subject) {
	s.configured(`{"cooling_s":60}`)
	settings := countedSettings{account.NewConfig(s.s), new(atomic.Int64)}
	p := s.poolWith(s.s, Options{Settings: settings})
	s.free("10.0.0.1", "10.0.0.2", "10.0.0.3")
	for i, accountID := range []string{accountA, accountA, accountB} {
		settings.reads.Store(0)
		s.ok(s.assign(p, accountID, "10.0.0.1", "10.0.0.2", "10.0.0.3"))
		if reads, want := settings.reads.Load(), int64(i/2); reads != want {
			s.Errorf("assignment %d: %d reads of the settings, want %d", i, reads, want)
		}
		s.ok(outcome(p.ReleaseAll(s.Context(), ReleaseAllRequest{Account: accountID})))
		s.clock.Add(60)
	}
}
