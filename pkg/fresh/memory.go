package fresh

import (
	"encoding/json"
	"math"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"junctor/pkg/document"
)

// location is where a document is kept.
type location struct{ db, id string }

// reading is what one reading of a document found.
type reading struct {
	began   time.Time // zero is none yet
	doc     document.Document
	missing error // what the store said where there is no such document
}

// revision answers the revision that was read, "" where there is no document.
func (r *reading) revision() string { return r.doc.Rev() }

// slot holds the latest reading of a document. It is guarded by Documents.mu, busy apart.
type slot struct {
	reading
	at       location
	outdated time.Time // readings that began before are no good
	renewed  time.Time // when it was last asked to be read before its time
	weight   int
	evicted  bool // a slot that is out of memory is not told what is written

	busy chan struct{} // full while somebody reads
}

// memory holds slots, the latest used ones. What does not exist is apart, so that asking for that, of which there is
// any number, puts nothing else out.
type memory struct {
	known, absent *simplelru.LRU[location, *slot]
	bytes, limit  int // of what is known
}

// largestPart is the part of all memory that one document may take.
const largestPart = 16

// maxAbsent bounds how many documents there are known not to be.
const maxAbsent = 8192

func newMemory(limit int) *memory {
	m := &memory{limit: limit}
	m.known, _ = simplelru.NewLRU(math.MaxInt, func(_ location, s *slot) { // fails for sizes below 1 only
		m.bytes -= s.weight
		s.evicted = true
	})
	m.absent, _ = simplelru.NewLRU(maxAbsent, func(_ location, s *slot) { s.evicted = true })
	return m
}

// find answers the slot of a document, nil where there is none.
func (m *memory) find(at location) *slot {
	if s, ok := m.known.Get(at); ok {
		return s
	}
	s, _ := m.absent.Get(at)
	return s
}

// slot answers the slot of a document, which is new where there was none.
func (m *memory) slot(at location) *slot {
	s := m.find(at)
	if s == nil {
		s = &slot{at: at, busy: make(chan struct{}, 1)}
		m.absent.Add(at, s)
	}
	return s
}

// place puts a slot where it belongs after a reading, and the longest unused ones out that there is no room for. One
// that was put out while it was read stays there, and so does one that many others would have to go for.
func (m *memory) place(s *slot) {
	if s.evicted {
		return
	}
	m.known.Remove(s.at)
	m.absent.Remove(s.at)
	if s.missing != nil {
		s.evicted = false
		m.absent.Add(s.at, s)
		return
	}
	if s.weight = slotBytes + weigh(map[string]any(s.doc)); s.weight > m.limit/largestPart {
		return
	}
	s.evicted = false
	m.bytes += s.weight
	m.known.Add(s.at, s)
	for m.bytes > m.limit {
		m.known.RemoveOldest()
	}
}

// size answers about how many bytes everything takes.
func (m *memory) size() int { return m.bytes + slotBytes*m.absent.Len() }

// What parts take, about: a slot with its entry in a list and a map, an object, and a member or an element.
const (
	slotBytes   = 512
	objectBytes = 256
	valueBytes  = 64
)

// weigh answers about how many bytes a decoded value takes.
func weigh(value any) int {
	weight := valueBytes
	switch v := value.(type) {
	case string:
		weight += len(v)
	case json.Number:
		weight += len(v)
	case []any:
		for _, element := range v {
			weight += weigh(element)
		}
	case map[string]any:
		weight += objectBytes
		for key, member := range v {
			weight += len(key) + weigh(member)
		}
	}
	return weight
}
