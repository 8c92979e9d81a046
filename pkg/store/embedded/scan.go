package embedded

import (
	"bytes"

	bolt "go.etcd.io/bbolt"
)

// scan walks the keys of some spans of a bucket, each in order or each backwards.
type scan struct {
	cursor  *bolt.Cursor
	spans   []span
	reverse bool
	inside  bool // the cursor stands in spans[0]
	k, v    []byte
	touched int // keys looked at: what a listing costs
}

func newScan(b *bolt.Bucket, spans []span, reverse bool) *scan {
	return &scan{cursor: b.Cursor(), spans: spans, reverse: reverse}
}

// next moves to the next key; false is the end.
func (s *scan) next() bool {
	if s.inside {
		s.step()
	}
	return s.settle()
}

// nextGroup moves past all keys that start with the prefix.
func (s *scan) nextGroup(prefix []byte) bool {
	if s.reverse {
		s.before(prefix)
	} else {
		s.from(successor(prefix))
	}
	return s.settle()
}

// settle accepts the key under the cursor if it is in the span, else goes on to the spans that follow.
func (s *scan) settle() bool {
	for len(s.spans) > 0 {
		if !s.inside {
			s.enter()
		}
		s.touched++
		if s.k != nil && s.spans[0].contains(s.k) {
			return true
		}
		s.spans, s.inside = s.spans[1:], false
	}
	return false
}

func (sp span) contains(k []byte) bool {
	return (sp.lower == nil || bytes.Compare(k, sp.lower) >= 0) && (sp.upper == nil || bytes.Compare(k, sp.upper) < 0)
}

func (s *scan) enter() {
	s.inside = true
	switch {
	case !s.reverse && s.spans[0].lower == nil:
		s.k, s.v = s.cursor.First()
	case !s.reverse:
		s.from(s.spans[0].lower)
	case s.spans[0].upper == nil:
		s.k, s.v = s.cursor.Last()
	default:
		s.before(s.spans[0].upper)
	}
}

func (s *scan) step() {
	if s.reverse {
		s.k, s.v = s.cursor.Prev()
	} else {
		s.k, s.v = s.cursor.Next()
	}
}

// from stands on the first key at or behind the given one.
func (s *scan) from(key []byte) {
	if key == nil {
		s.k, s.v = nil, nil
		return
	}
	s.k, s.v = s.cursor.Seek(key)
}

// before stands on the last key before the given one.
func (s *scan) before(key []byte) {
	if k, _ := s.cursor.Seek(key); k == nil {
		s.k, s.v = s.cursor.Last()
		return
	}
	s.k, s.v = s.cursor.Prev()
}
