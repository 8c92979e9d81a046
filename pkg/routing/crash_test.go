package routing

import (
	"context"
	"fmt"
	"strings"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/ipaddr"
	"junctor/pkg/testutil"
)

var deathCases = []testCase{{"writer dies", writerDies}}

// deaths are the writes that a writer may die in, on clusters A, with .1 and .2, and C, which has none.
var deaths = map[string]func(*subject, context.Context, *Registry) error{
	"create": func(s *subject, ctx context.Context, r *Registry) error {
		_, err := r.Create(ctx, clusterB, body(s, "in:a:10.0.0.3", "in:a:10.0.0.4"), author)
		return err
	},
	"patch": func(s *subject, ctx context.Context, r *Registry) error {
		_, err := r.Patch(ctx, clusterA, document.Document{"ips": ipsOf(s, "in:a:10.0.0.3")}, author, nil)
		return err
	},
	"replace": func(s *subject, ctx context.Context, r *Registry) error {
		_, err := r.Replace(ctx, clusterA, body(s, "in:a:10.0.0.2", "in:a:10.0.0.3"), author, nil)
		return err
	},
	"delete": func(s *subject, ctx context.Context, r *Registry) error {
		_, err := r.Delete(ctx, clusterA, author, nil)
		return err
	},
	"take over": func(s *subject, ctx context.Context, r *Registry) error {
		_, err := r.Create(ctx, clusterB, body(s, "in:a:10.0.0.5"), author)
		return err
	},
}

// writerDies: a process that ends before or after any of its writes leaves nothing that others cannot live with.
func writerDies(s *subject) {
	for name, write := range deaths {
		for nth := 1; ; nth++ {
			died := false
			for _, made := range []bool{false, true} {
				died = s.dies(name, nth, made, write)
			}
			if !died {
				if nth < 3 {
					s.Errorf("%s makes %d writes only", name, nth-1)
				}
				break
			}
		}
	}
}

// dies lets a process end with its nth write, before or after it was made, and reports whether it got so far.
func (s *subject) dies(name string, nth int, made bool, write func(*subject, context.Context, *Registry) error) bool {
	s.Helper()
	s.have(clusterA, "in:a:10.0.0.1", "in:a:10.0.0.2")
	s.have(clusterC)
	_, err := s.s.Put(s.Context(), ClaimsDatabase, document.Document{"_id": "inbound:10.0.0.5", fieldCluster: clusterC})
	s.ok(err)
	writes, dead := 0, false
	err = write(s, s.Context(), s.registry(steps{s.s, func(call, db string, do func() error) error {
		if strings.HasPrefix(call, "put") {
			writes++
		}
		if dead || writes == nth {
			if !dead && made {
				_ = do()
			}
			dead = true
			return errUnplugged
		}
		return do()
	}}, Options{}))
	if err != nil {
		testutil.RequireFault(s, err, fault.DatastoreUnreachable)
	}
	s.holds(6, nil)
	s.survives()
	s.clock.Add(int64(DefaultGrace / time.Second))
	s.holds(6, nil)
	s.recovers(fmt.Sprintf("%s, %d, %v", name, nth, made))
	return dead
}

// survives: no other cluster takes what one has, and clusters can be written, whatever a dead writer left.
func (s *subject) survives() {
	s.Helper()
	for id, d := range s.documents() {
		for slot := range slotsOf(d) {
			_, err := s.Create(s.Context(), "greedy", body(s, "in:x:"+slot.addr.String()), author)
			testutil.RequireFault(s, err, fault.Invalid)
		}
		s.ok(outcome(s.Patch(s.Context(), id, document.Document{"name": "still"}, author, nil)))
	}
}

// recovers: after the grace time everything that no cluster has can be had.
func (s *subject) recovers(when string) {
	s.Helper()
	s.survives()
	held := map[addressSlot]bool{}
	for _, d := range s.documents() {
		for slot := range slotsOf(d) {
			held[slot] = true
		}
	}
	var free []string
	for i := range 6 {
		addr, _ := ipaddr.Parse(fmt.Sprintf("10.0.0.%d", i))
		if !held[addressSlot{Inbound, addr}] {
			free = append(free, "in:x:"+addr.String())
		}
	}
	if _, err := s.Create(s.Context(), "heir", body(s, free...), author); err != nil {
		s.Errorf("%s: %v cannot be had: %v", when, free, dataOf(err))
	}
	s.holds(0, nil)
	for id := range s.documents() {
		s.ok(outcome(s.Delete(s.Context(), id, author, nil)))
	}
	s.holds(0, map[string][]string{})
}
