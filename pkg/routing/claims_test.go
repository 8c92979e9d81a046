package routing

import (
	"context"
	"fmt"
	"strings"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/testutil"
)

var claimCases = []testCase{
	{"claimed by another", claimedByAnother},
	{"released", released},
	{"refused leaves nothing", refusedLeavesNothing},
	{"claims left", claimsLeft},
	{"claims lost", claimsLost},
	{"client gone", clientGone},
	{"refused beside another", refusedBesideAnother},
}

const belongs = `{"unique":{"message":"The address belongs to another cluster","value":"%s"}}`

func claimedByAnother(s *subject) {
	s.have(clusterA, "in:east:10.0.0.1", "in:west:2001:db8::1", "out:east:10.0.0.2")
	_, err := s.Create(s.Context(), clusterB, body(s, "in:a.b:10.0.0.3", "in:a.b:::ffff:10.0.0.1", "out:c:10.0.0.1",
		"in:d:2001:DB8::1"), author)
	s.saying(err, `{"ips.inbound.a%2Eb.1":`+fmt.Sprintf(belongs, "::ffff:10.0.0.1")+`,
		"ips.inbound.d.0":`+fmt.Sprintf(belongs, "2001:DB8::1")+`}`)
	s.have(clusterB, "in:east:10.0.0.2")
	_, err = s.Patch(s.Context(), clusterB, document.Document{"ips": ipsOf(s, "out:x:10.0.0.2")}, author, nil)
	s.saying(err, `{"ips.outbound.x.0":`+fmt.Sprintf(belongs, "10.0.0.2")+`}`)
	s.holds(0, map[string][]string{clusterA: {"inbound:10.0.0.1", "inbound:2001:db8::1", "outbound:10.0.0.2"},
		clusterB: {"inbound:10.0.0.2"}})
}

// released: what a cluster no longer has is anybody's at once.
func released(s *subject) {
	s.have(clusterA, "in:a:10.0.0.1", "in:a:10.0.0.2", "in:a:10.0.0.3")
	_, err := s.Patch(s.Context(), clusterA, doc(s, `{"ips":{"inbound":{"a":["10.0.0.2","10.0.0.3"]}}}`), author, nil)
	s.ok(err)
	s.have(clusterB, "in:a:10.0.0.1")
	s.ok(outcome(s.Replace(s.Context(), clusterA, body(s, "in:b:10.0.0.3"), author, nil)))
	s.ok(outcome(s.Replace(s.Context(), clusterB, body(s, "in:a:10.0.0.2"), author, nil)))
	s.holds(0, map[string][]string{clusterA: {"inbound:10.0.0.3"}, clusterB: {"inbound:10.0.0.2"}})
	s.ok(outcome(s.Delete(s.Context(), clusterA, author, nil)))
	s.have(clusterC, "in:a:10.0.0.3", "in:a:10.0.0.1")
	s.holds(0, map[string][]string{clusterC: {"inbound:10.0.0.1", "inbound:10.0.0.3"}, clusterB: {"inbound:10.0.0.2"}})
}

func refusedLeavesNothing(s *subject) {
	s.have(clusterA, "in:a:10.0.0.1")
	for range 2 {
		_, err := s.Create(s.Context(), clusterB, body(s, "in:a:10.0.0.1", "in:a:10.0.0.9"), author)
		testutil.RequireFault(s, err, fault.Invalid)
	}
	s.have(clusterC, "in:a:10.0.0.9")
	s.holds(0, map[string][]string{clusterA: {"inbound:10.0.0.1"}, clusterC: {"inbound:10.0.0.9"}})
}

// claimsLeft: a claim whose cluster does not have the address stands for the grace time, and not for its cluster.
func claimsLeft(s *subject) {
	s.have(clusterA, "in:a:10.0.0.1")
	made := kazoo.Gregorian(time.Unix(s.clock.Load(), 0))
	for id, cluster := range map[string]string{"inbound:10.0.0.2": clusterA, "inbound:10.0.0.3": clusterC,
		"inbound:10.0.0.4": clusterA} {
		_, err := s.s.Put(s.Context(), ClaimsDatabase, document.Document{
			"_id": id, fieldCluster: cluster, kazoo.FieldModified: document.Number(made)})
		s.ok(err)
	}
	_, err := s.Create(s.Context(), clusterB, body(s, "in:a:10.0.0.2", "in:a:10.0.0.3"), author)
	s.saying(err, `{"ips.inbound.a.0":`+fmt.Sprintf(belongs, "10.0.0.2")+`,
		"ips.inbound.a.1":`+fmt.Sprintf(belongs, "10.0.0.3")+`}`)
	s.ok(outcome(s.Replace(s.Context(), clusterA, body(s, "in:a:10.0.0.1", "in:a:10.0.0.4"), author, nil)))
	s.clock.Add(int64(DefaultGrace / time.Second))
	s.have(clusterB, "in:a:10.0.0.2", "in:a:10.0.0.3")
	wanted := document.Document{"ips": ipsOf(s, "in:b:10.0.0.1", "in:b:10.0.0.4")}
	testutil.RequireFault(s, outcome(s.Patch(s.Context(), clusterB, wanted, author, nil)), fault.Invalid)
	s.have(clusterC, "out:a:10.0.0.2") // which was made to look deleted
	s.holds(0, map[string][]string{clusterA: {"inbound:10.0.0.1", "inbound:10.0.0.4"},
		clusterB: {"inbound:10.0.0.2", "inbound:10.0.0.3"}, clusterC: {"outbound:10.0.0.2"}})
}

// claimsLost: a cluster that stands without its claims is respected all the same, and gets them by its next write.
func claimsLost(s *subject) {
	s.have(clusterA, "in:a:10.0.0.1", "out:a:10.0.0.1")
	for _, id := range []string{"inbound:10.0.0.1", "outbound:10.0.0.1"} {
		s.ok(s.s.Delete(s.Context(), ClaimsDatabase, id, s.stored(ClaimsDatabase, id).Rev()))
	}
	_, err := s.Create(s.Context(), clusterB, body(s, "in:a:10.0.0.1"), author)
	s.saying(err, `{"ips.inbound.a.0":`+fmt.Sprintf(belongs, "10.0.0.1")+`}`)
	s.ok(outcome(s.Patch(s.Context(), clusterA, document.Document{}, author, nil)))
	s.holds(0, map[string][]string{clusterA: {"inbound:10.0.0.1", "outbound:10.0.0.1"}})
}

// clientGone: a client that hangs up between the writes does not cut them in half.
func clientGone(s *subject) {
	ctx, cancel := context.WithCancel(s.Context())
	r := s.registry(steps{s.s, func(call, db string, do func() error) error {
		if strings.HasPrefix(call, "put") {
			cancel()
		}
		return do()
	}}, Options{})
	s.ok(outcome(r.Create(ctx, clusterA, body(s, "in:a:10.0.0.1"), author)))
	s.holds(0, map[string][]string{clusterA: {"inbound:10.0.0.1"}})
}

// refusedBesideAnother: a writer that is refused takes no claim away that another of its cluster is relying on.
func refusedBesideAnother(s *subject) {
	s.have(clusterA)
	before := func(call, db string, act func()) *Registry {
		return s.registry(steps{s.s, func(c, d string, do func() error) error {
			if c == call && d == db && act != nil {
				now := act
				act = nil
				now()
			}
			return do()
		}}, Options{})
	}
	refused := func() {
		r := before("put many", ClaimsDatabase, func() { s.have(clusterB, "in:a:10.0.0.2") })
		wanted := document.Document{"ips": ipsOf(s, "in:a:10.0.0.1", "in:a:10.0.0.2")}
		_, err := r.Patch(s.Context(), clusterA, wanted, author, nil)
		s.saying(err, `{"ips.inbound.a.1":`+fmt.Sprintf(belongs, "10.0.0.2")+`}`)
		_, err = s.Create(s.Context(), clusterC, body(s, "in:a:10.0.0.1"), author)
		testutil.RequireFault(s, err, fault.Invalid)
	}
	slow := before("put", Database, refused)
	s.ok(outcome(slow.Patch(s.Context(), clusterA, document.Document{"ips": ipsOf(s, "in:a:10.0.0.1")}, author, nil)))
	s.holds(0, map[string][]string{clusterA: {"inbound:10.0.0.1"}, clusterB: {"inbound:10.0.0.2"}})
}
