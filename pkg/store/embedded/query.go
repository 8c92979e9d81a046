package embedded

import (
	"bytes"
	"encoding/json"
	"math"
)

// query is the options of _all_docs, and of a view.
type query struct {
	conflictsOption
	Key        json.RawMessage
	Keys       []json.RawMessage // in the caller's order; nil if not given
	StartKey   json.RawMessage
	StartDocID *string `json:"startkey_docid"`
	EndKey     json.RawMessage
	Descending bool
	Docs       bool `json:"include_docs"`
	Skip       int64
	Limit      int64
}

// viewQuery is the options of a view.
type viewQuery struct {
	query
	Reduce *bool
	Group  bool // one row for each distinct key
}

const noLimit = math.MaxInt64

// reduces reports whether a view with that reduce function, nil for none, is to be reduced. It refuses what makes no
// sense, in CouchDB's words, and what is not supported: anything but one row for each distinct key.
func (q *viewQuery) reduces(r *reducer) (bool, error) {
	reduce := r != nil
	if q.Reduce != nil {
		reduce = *q.Reduce
	}
	switch {
	case reduce && r == nil:
		return false, badRequest("Reduce is invalid for map-only views.")
	case q.Group && !reduce:
		return false, badRequest("Invalid use of grouping when reduce is false.")
	case !reduce:
		return false, nil
	case q.Docs:
		return false, badRequest("`include_docs` is invalid for reduce")
	case !q.Group:
		return false, notSupported("a reduce without group=true")
	case r.call == nil:
		return false, notSupported("the reduce function " + r.name)
	}
	return true, nil
}

// span is a range of a bucket's keys: from lower on, up to but not including upper; nil is open.
type span struct {
	lower, upper []byte
}

// bound is one end of a key range: a key, or one document under that very key.
type bound struct {
	key   json.RawMessage // nil: open
	docID *string
}

// bounds returns the ends of the key range, in the order of the rows.
func (q *query) bounds() (first, last bound) {
	first, last = bound{q.StartKey, q.StartDocID}, bound{key: q.EndKey}
	if q.Key != nil {
		first.key, last.key = q.Key, q.Key
	}
	if q.Descending {
		first, last = last, first
	}
	return first, last
}

// viewSpans returns the spans of the rows that the query selects.
func (q *query) viewSpans() (spans []span, err error) {
	if q.Keys == nil {
		first, last := q.bounds()
		s, err := viewSpan(first, last)
		if err == nil && s.lower != nil && s.upper != nil && bytes.Compare(s.lower, s.upper) >= 0 {
			err = badRequest("No rows can match your key range, reverse your start_key and end_key or set descending=true")
		}
		return []span{s}, err
	}
	spans = make([]span, len(q.Keys))
	for i, key := range q.Keys {
		if spans[i], err = viewSpan(bound{key: key}, bound{key: key}); err != nil {
			return nil, err
		}
	}
	return spans, nil
}

func viewSpan(first, last bound) (s span, err error) {
	if s.lower, err = first.position(false); err == nil {
		s.upper, err = last.position(true)
	}
	return s, err
}

// position returns the position before or after the rows that a bound names.
func (b bound) position(after bool) ([]byte, error) {
	if b.key == nil {
		return nil, nil
	}
	key, err := decodeJSON(b.key)
	switch {
	case err != nil:
		return nil, badRequest("invalid key: %s", b.key)
	case b.docID != nil && after:
		return append(appendID(appendKey(nil, key), *b.docID), idAfter), nil
	case b.docID != nil:
		return appendID(appendKey(nil, key), *b.docID), nil
	case after:
		return successor(appendKeyRange(nil, key)), nil
	}
	return appendKeyRange(nil, key), nil
}

// successor returns the first key after all those that start with prefix; nil if there is none.
func successor(prefix []byte) []byte {
	next := append([]byte(nil), prefix...)
	for i := len(next) - 1; i >= 0; i-- {
		if next[i]++; next[i] != 0 {
			return next[:i+1]
		}
	}
	return nil
}

// idSpan returns the span of the documents that an _all_docs query selects. Ids sort by their bytes.
func (q *query) idSpan() (s span, err error) {
	first, last := q.bounds()
	if s.lower, err = first.id(); err != nil {
		return s, err
	}
	if s.upper, err = last.id(); s.upper != nil {
		s.upper = append(s.upper, 0)
	}
	return s, err
}

func (b bound) id() ([]byte, error) {
	if b.key == nil {
		return nil, nil
	}
	var id string
	if json.Unmarshal(b.key, &id) != nil {
		return nil, badRequest("Invalid document id: %s", b.key)
	}
	return []byte(id), nil
}
