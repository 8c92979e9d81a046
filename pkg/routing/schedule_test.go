package routing

import (
	"context"
	"fmt"
	"math/rand/v2"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/ipaddr"
)

// stepCases let writers of several processes take their steps in every order that matters. All claims may be
// taken over at once, so that each order is also one in which the grace time ended in between.
var stepCases = []testCase{
	{"orders: create against create", func(s *subject) { s.orders(0, []step{create("a"), create("b")}) }},
	{"orders: patch against refused patch", func(s *subject) {
		s.orders(1, []step{patch("a", "s"), patch("a", "s", "taken"), create("b")})
	}},
	{"orders: patch against patch", func(s *subject) {
		s.orders(1, []step{patch("a", "s"), patch("a", "s"), create("b")})
	}},
	{"orders: remove against add", func(s *subject) { s.orders(2, []step{patch("a"), patch("a", "s"), create("b")}) }},
	{"orders: delete against patch", func(s *subject) {
		s.orders(2, []step{remove("a"), patch("a", "s"), create("b")})
	}},
	{"orders: delete against create", func(s *subject) { s.orders(2, []step{remove("a"), create("a"), create("b")}) }},
}

// step is a writer: it does something to one of the clusters a and b, on which s and taken are addresses.
type step struct {
	cluster string
	adds    bool // s, where it succeeds
	do      func(s *subject, ctx context.Context, r *Registry, g game) error
}

// game is one run: clusters and addresses of its own.
type game struct{ number int }

func (g game) id(cluster string) string { return fmt.Sprintf("%s%d", cluster, g.number) }

func (g game) address(name string) string {
	return fmt.Sprintf("10.%d.%d.%d", len(name), g.number>>8, g.number&255)
}

func (g game) slots(names ...string) []string {
	var slots []string
	for _, name := range names {
		slots = append(slots, "in:z:"+g.address(name))
	}
	return slots
}

func create(cluster string) step {
	return step{cluster, true, func(s *subject, ctx context.Context, r *Registry, g game) error {
		_, err := r.Create(ctx, g.id(cluster), body(s, g.slots("s")...), author)
		return err
	}}
}

func patch(cluster string, names ...string) step {
	return step{cluster, len(names) == 1, func(s *subject, ctx context.Context, r *Registry, g game) error {
		_, err := r.Patch(ctx, g.id(cluster), document.Document{"ips": ipsOf(s, g.slots(names...)...)}, author, nil)
		return err
	}}
}

func remove(cluster string) step {
	return step{cluster, false, func(s *subject, ctx context.Context, r *Registry, g game) error {
		_, err := r.Delete(ctx, g.id(cluster), author, nil)
		return err
	}}
}

// orders plays games: first all in which a writer is interrupted at most twice, then some at random. Before it, the
// cluster a is not there (0), without addresses (1), or has s (2).
func (s *subject) orders(before int, writers []step) {
	number := 0
	play := func(choose func(waiting []int) int) {
		number++
		s.play(game{number}, before, writers, choose)
	}
	longest := 1
	for first := 0; first < longest; first++ {
		for second := first; second < longest; second++ {
			at, current := 0, 0
			play(func(waiting []int) int {
				if at == first || at == second {
					current++
				}
				at++
				longest = min(max(longest, at), 10)
				return waiting[current%len(waiting)]
			})
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 10 {
		play(func(waiting []int) int { return waiting[r.IntN(len(waiting))] })
	}
}

// play lets the writers take one step after the other, of the one that choose picks, until all are done.
func (s *subject) play(g game, before int, writers []step, choose func(waiting []int) int) {
	s.prepare(g, before)
	ask, done := make(chan int), make(chan int)
	turns, errs := make([]chan bool, len(writers)), make([]error, len(writers))
	for i, w := range writers {
		turns[i] = make(chan bool)
		r := s.registry(steps{s.s, func(_, _ string, do func() error) error {
			ask <- i
			<-turns[i]
			return do()
		}}, Options{Grace: -1})
		go func() {
			errs[i] = w.do(s, s.Context(), r, g)
			done <- i
		}()
	}
	waiting, running := map[int]bool{}, len(writers)
	for left := len(writers); left > 0; {
		for running > 0 {
			select {
			case i := <-ask:
				waiting[i] = true
			case <-done:
				left--
			}
			running--
		}
		if left > 0 {
			var all []int
			for i := range writers {
				if waiting[i] {
					all = append(all, i)
				}
			}
			i := choose(all)
			delete(waiting, i)
			running++
			turns[i] <- true
		}
	}
	s.check(g, writers, errs)
}

func (s *subject) prepare(g game, before int) {
	s.have(g.id("other"), g.slots("taken")...)
	switch before {
	case 1:
		s.have(g.id("a"))
	case 2:
		s.have(g.id("a"), g.slots("s")...)
	}
}

// check: one cluster at most has s, and the claim says so; a writer that succeeded has what it wanted, unless
// another writer of the same cluster came later; an error says why.
func (s *subject) check(g game, writers []step, errs []error) {
	addr, _ := ipaddr.Parse(g.address("s"))
	want := addressSlot{Inbound, addr}
	var holders []string
	for _, cluster := range []string{"a", "b", "other"} {
		if slotsOf(s.stored(Database, g.id(cluster)))[want] {
			holders = append(holders, g.id(cluster))
		}
	}
	if len(holders) > 1 {
		s.Fatalf("game %d: %v have %s, errors %v", g.number, holders, want, errs)
	}
	if claim := s.stored(ClaimsDatabase, want.String()); len(holders) == 1 && claim.String(fieldCluster) != holders[0] {
		s.Fatalf("game %d: %v has %s, the claim is %v, errors %v", g.number, holders, want, claim, errs)
	}
	rivals := map[string]int{}
	for _, w := range writers {
		rivals[w.cluster]++
	}
	for i, w := range writers {
		expected := errs[i] == nil || fault.Is(errs[i], fault.Invalid) || fault.Is(errs[i], fault.Conflict) ||
			fault.Is(errs[i], fault.BadIdentifier)
		has := len(holders) == 1 && holders[0] == g.id(w.cluster)
		if !expected || rivals[w.cluster] == 1 && w.adds && has != (errs[i] == nil) {
			s.Fatalf("game %d: writer %d got %v, holders %v, errors %v", g.number, i, errs[i], holders, errs)
		}
	}
}
