package embedded

import (
	"bytes"

	bolt "go.etcd.io/bbolt"
)

// scan iterates over the keys in spans of a bucket, each span in order or each in reverse order.
type scan struct {
	cursor  *bolt.Cursor
	spans   []span
	reverse bool
	inside  bool // the cursor has been moved into spans[0]
	k, v    []byte
	touched int // keys looked at, which is the cost of a listing
}

func newScan(b *bolt.Bucket, spans []span, reverse bool) *scan {
	return &scan{cursor: b.Cursor(), spans: spans, reverse: reverse}
}

// next moves to the next key. It returns false at the end.
func (s *scan) next() bool {
	if s.inside {
		s.step()
	}
	return s.seekSpan()
}

// nextGroup moves past all keys that start with the prefix; nil is none.
func (s *scan) nextGroup(prefix []byte) bool {
	switch {
	case prefix == nil:
	case s.reverse:
		s.before(prefix)
	default:
		s.from(successor(prefix))
	}
	return s.seekSpan()
}

// seekSpan reports whether the cursor is in a span. If it is past the end of one, it moves to the next.
func (s *scan) seekSpan() bool {
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

// from moves to the first key at or after the given one.
func (s *scan) from(key []byte) {
	if key == nil {
		s.k, s.v = nil, nil
		return
	}
	s.k, s.v = s.cursor.Seek(key)
}

// before moves to the last key before the given one.
func (s *scan) before(key []byte) {
	if k, _ := s.cursor.Seek(key); k == nil {
		s.k, s.v = s.cursor.Last()
		return
	}
	s.k, s.v = s.cursor.Prev()
}
