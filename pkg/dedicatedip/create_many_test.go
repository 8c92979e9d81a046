package dedicatedip

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"junctor/pkg/fault"
	"junctor/pkg/ipbatch"
	"junctor/pkg/testutil"
)

var createManyCases = []testCase{
	{"create many", createMany},
	{"create many refuses", createManyRefuses},
	{"create many finds what is there", createManyFinds},
	{"create many in several writes", createManyChunks},
	{"create many overtaken", createManyOvertaken},
	{"create many breaks off", createManyBreaksOff},
	{"create many at once", createManyAtOnce},
}

// blocks returns a request for entries in zone z1 on host h1: addresses, networks and ranges.
func blocks(texts ...string) (r CreateManyRequest) {
	for _, text := range texts {
		e := ipbatch.Entry{Zone: "z1", Host: "h1"}
		switch {
		case strings.Contains(text, "/"):
			e.CIDR = text
		case strings.Contains(text, "-"):
			e.Range = text
		default:
			e.IP = text
		}
		r.Entries = append(r.Entries, e)
	}
	return r
}

// creates checks what became of the entries of a request.
func (s *subject) creates(p *Pool, r CreateManyRequest, created, unchanged, refused string) {
	s.Helper()
	done, err := p.CreateMany(s.Context(), r)
	s.ok(err)
	if got := strings.Join(done.Created, " "); got != created {
		s.Errorf("created %s\nwant    %s", got, created)
	}
	if got := strings.Join(done.Unchanged, " "); got != unchanged {
		s.Errorf("unchanged %s\nwant      %s", got, unchanged)
	}
	if got := jsonText(s, done.Refused); got != refused {
		s.Errorf("refused %s\nwant    %s", got, refused)
	}
}

func createMany(s *subject) {
	r := blocks("::ffff:10.0.0.9", "10.0.1.0/30", "2001:DB8::1-2001:db8::2", "10.0.0.9", "10.0.2.0/31")
	r.Entries[1].All, r.Entries[2].Notes = true, "rack 7"
	s.creates(s.Pool, r, "10.0.0.9 10.0.1.0 10.0.1.1 10.0.1.2 10.0.1.3 2001:db8::1 2001:db8::2 10.0.2.0 10.0.2.1", "", `{}`)
	s.same(s.stored(Database, "10.0.1.3"), `{"_id":"10.0.1.3","pvt_vsn":"1","pvt_type":"dedicated_ip",
		"pvt_status":"available","pvt_zone":"z1","pvt_host":"h1","pvt_created":63867219200,"pvt_modified":63867219200}`)
	if doc := s.stored(Database, "2001:db8::1"); doc["notes"] != "rack 7" {
		s.Errorf("stored is %v", doc)
	}
	if _, err := s.Read().Get(s.Context(), "10.0.1.2"); err != nil {
		s.Errorf("read after the write: %v", err)
	}
	ips, err := s.Assign(s.Context(), toAssign(accountA, "10.0.1.3", "2001:db8::1"))
	s.ok(err)
	s.holds("10.0.1.0", "10.0.1.3="+accountA, "2001:db8::1="+accountA)
	if s.creates(s.Pool, blocks("10.0.1.0-10.0.1.3"), "", "10.0.1.0 10.0.1.1 10.0.1.2 10.0.1.3", `{}`); len(ips) != 2 {
		s.Errorf("assigned %v", ips)
	}
}

func createManyRefuses(s *subject) {
	r := blocks("10.0.0.1", "hello", "10.0.0.5/24", "10.0.0.9-10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "", "10.0.0.1", "10.0.0.6")
	r.Entries[4].Zone = ""
	r.Entries[5].Host = ""
	r.Entries[6].CIDR = "10.0.0.0/30"
	r.Entries[8].Zone = "z2"
	r.Entries[9].Notes = strings.Repeat("é", ipbatch.MaxNotes+1)
	s.creates(s.Pool, r, "10.0.0.1", "", `{`+strings.Join([]string{
		`"1":{"invalid":{"message":"ip must be an IPv4 or IPv6 address","value":"hello"}}`,
		`"2":{"invalid":{"message":"cidr has host bits set: the network is 10.0.0.0/24","value":"10.0.0.5/24"}}`,
		`"3":{"invalid":{"message":"range must begin with the lower address","value":"10.0.0.9-10.0.0.1"}}`,
		`"4":{"invalid":{"message":"zone must be given, for the entry or for all","value":"10.0.0.2"}}`,
		`"5":{"invalid":{"message":"host must be given, for the entry or for all","value":"10.0.0.3"}}`,
		`"6":{"invalid":{"message":"exactly one of ip, cidr and range must be given","value":"10.0.0.4"}}`,
		`"7":{"invalid":{"message":"exactly one of ip, cidr and range must be given","value":""}}`,
		`"8":{"exists":{"message":"the pool has it with another zone or host","value":"10.0.0.1"}}`,
		`"9":{"invalid":{"message":"notes must not have more than 4096 characters","value":"10.0.0.6"}}`,
	}, ",")+`}`)
	s.holds("10.0.0.1")
}

// createManyFinds: what is there counts in any spelling, whoever holds it, and is left as it is.
func createManyFinds(s *subject) {
	s.free("10.0.0.1", "::ffff:10.0.0.2", "2001:0DB8::A")
	s.give(accountA, "10.0.0.3")
	s.put(`{"_id":"10.0.0.4","pvt_type":"something"}`)
	r := blocks("10.0.0.0/29", "2001:db8::a")
	r.Entries[1].Host = "h2"
	s.creates(s.Pool, r, "10.0.0.5 10.0.0.6", "10.0.0.1 ::ffff:10.0.0.2 10.0.0.3",
		`{"0":{"exists":{"addresses":["10.0.0.4"],"message":"the pool has it with another zone or host","value":"10.0.0.0/29"}},`+
			`"1":{"exists":{"message":"the pool has it with another zone or host","value":"2001:db8::a"}}}`)
	s.holds("10.0.0.1", "::ffff:10.0.0.2", "2001:0DB8::A", "10.0.0.3="+accountA, "10.0.0.5", "10.0.0.6")
}

func createManyChunks(s *subject) {
	var writes atomic.Int64
	p := s.counted(&writes)
	done, err := p.CreateMany(s.Context(), blocks("10.0.0.1-10.0.4.76")) // 1100
	s.ok(err)
	if len(done.Created) != 1100 || done.Created[1099] != "10.0.4.76" || writes.Load() != 3 {
		s.Errorf("created %d in %d writes", len(done.Created), writes.Load())
	}
	testutil.Eventually(s, "counted", func() bool { return s.sizes()[[2]string{"z1", "available"}] == 1100 })
}

// createManyOvertaken: what another writer stores between the look-up and the write counts as if it had been there.
func createManyOvertaken(s *subject) {
	p := s.with(when("put", Database, 1, preceded(func() {
		s.free("10.0.0.1")
		s.ok(outcome(s.Create(s.Context(), CreateRequest{Address: "10.0.0.2", Zone: "z2", Host: "h1"})))
	})))
	s.creates(p, blocks("10.0.0.1", "10.0.0.2", "10.0.0.3"), "10.0.0.3", "10.0.0.1",
		`{"1":{"exists":{"message":"the pool has it with another zone or host","value":"10.0.0.2"}}}`)
}

// createManyBreaksOff: the request says what was done before the store failed, and repeating it does the rest.
func createManyBreaksOff(s *subject) {
	r := blocks("10.0.0.1-10.0.2.88") // 600
	done, err := s.with(when("put", Database, 2, notMade)).CreateMany(s.Context(), r)
	testutil.RequireFault(s, err, fault.DatastoreUnreachable)
	if len(done.Created) != CreatedAtOnce {
		s.Errorf("created %d", len(done.Created))
	}
	done, err = s.CreateMany(s.Context(), r)
	s.ok(err)
	if len(done.Created) != 100 || len(done.Unchanged) != CreatedAtOnce || len(done.Refused) > 0 {
		s.Errorf("created %d, unchanged %d, refused %v", len(done.Created), len(done.Unchanged), done.Refused)
	}
}

// createManyAtOnce: of requests for the same addresses each address is created by one, and all others find it.
func createManyAtOnce(s *subject) {
	var mu sync.Mutex
	creators := map[string]int{}
	s.atOnce(8, func(i int, p *Pool) {
		done, err := p.CreateMany(s.Context(), blocks("10.0.0.0/26", fmt.Sprintf("10.0.1.%d", i)))
		if err != nil || len(done.Created)+len(done.Unchanged) != 63 || len(done.Refused) > 0 {
			s.Errorf("%v: created %d, unchanged %d, refused %v", err, len(done.Created), len(done.Unchanged), done.Refused)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, id := range done.Created {
			creators[id]++
		}
	})
	for id, n := range creators {
		if n != 1 {
			s.Errorf("%d requests created %s", n, id)
		}
	}
	if len(creators) != 62+8 {
		s.Errorf("%d addresses were created", len(creators))
	}
}
