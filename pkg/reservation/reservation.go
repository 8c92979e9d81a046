// Package reservation draws addresses at random, so that no two requests of this process are about to assign the same.
//
// It reads no store, and does not know whether an address is still available.
package reservation

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sync"

	"junctor/pkg/poolindex"
)

// Set is the addresses that requests of this process are about to assign. The zero value is ready to use. It is safe for
// concurrent use.
type Set struct {
	mu  sync.Mutex
	ids map[string]bool
}

// Free ends reservations.
func (s *Set) Free(spots []poolindex.Spot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, spot := range spots {
		delete(s.ids, spot.ID)
	}
}

// Len returns how many addresses are reserved.
func (s *Set) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.ids)
}

// Draw reserves up to n addresses of lots and returns them; the caller frees them. A zone's chance is by how many
// addresses it has. If taken is not nil, it is how many were taken by zone, and the zone is one with the fewest. No other
// request draws meanwhile: of two that want all there is, one gets it. Draw changes lots and taken.
func (s *Set) Draw(lots []poolindex.Lot, n int, taken map[string]int) (drawn []poolindex.Spot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ids == nil {
		s.ids = map[string]bool{}
	}
	for len(drawn) < n && len(lots) > 0 {
		at := chooseLot(lots, taken)
		id, ok := s.drawOne(lots[at])
		if !ok { // others are about to assign what is left
			lots = slices.Delete(lots, at, at+1)
			continue
		}
		drawn = append(drawn, poolindex.Spot{Zone: lots[at].Zone, ID: id})
		if taken != nil {
			taken[lots[at].Zone]++
		}
	}
	return drawn
}

// chooseLot returns the index of a lot: the one of which least was taken or, if taken is nil, one drawn by its length.
func chooseLot(lots []poolindex.Lot, taken map[string]int) int {
	if taken != nil {
		order := rand.Perm(len(lots))
		return slices.MinFunc(order, func(x, y int) int {
			return cmp.Compare(taken[lots[x].Zone], taken[lots[y].Zone])
		})
	}
	total := 0
	for _, l := range lots {
		total += l.Length
	}
	n := rand.IntN(total)
	for i, l := range lots {
		if n -= l.Length; n < 0 {
			return i
		}
	}
	return len(lots) - 1
}

// leaps is how often an address is drawn anew instead of the next one. Many that can't be drawn, as those that cool, may
// be next to each other.
const leaps = 16

// drawOne reserves an address of a zone: the first that can be drawn of a few random ones and, from the last one of those
// on, of all.
func (s *Set) drawOne(l poolindex.Lot) (id string, ok bool) {
	at := rand.IntN(l.Length)
	for i := range l.Length + leaps {
		if id := l.ID(at); id != "" && !s.ids[id] {
			s.ids[id] = true
			return id, true
		}
		if at = (at + 1) % l.Length; i < leaps {
			at = rand.IntN(l.Length)
		}
	}
	return "", false
}
