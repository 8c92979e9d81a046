package embedded

import "encoding/json"

// query is what a caller of _all_docs or of a view asks for.
type query struct {
	start, end  bound
	keys        []json.RawMessage // in the caller's order; nil if not given
	descending  bool
	includeDocs bool
	skip, limit int64
	reduce      *bool
	group       bool // one row for each distinct key
}

// bound is one end of a key range.
type bound struct {
	key   json.RawMessage // nil: open
	docID string
	byID  bool // docID was given
}

const noLimit = int64(1<<63 - 1)

// readQuery reads the options that _all_docs and views have in common.
func readQuery(p *params) *query {
	q := &query{limit: noLimit}
	q.readRange(p)
	p.flag(&q.descending, "descending")
	p.flag(&q.includeDocs, "include_docs")
	p.count(&q.skip, "skip")
	p.count(&q.limit, "limit")
	var conflicts bool
	p.flag(&conflicts, "conflicts") // there never are any
	return q
}

func (q *query) readRange(p *params) {
	p.json(&q.start.key, "startkey")
	p.json(&q.end.key, "endkey")
	q.start.byID = p.text(&q.start.docID, "startkey_docid")
	var raw json.RawMessage
	ranged := q.start.key != nil || q.end.key != nil
	if p.json(&raw, "key") {
		q.start.key, q.end.key = raw, raw
		ranged = true
	}
	if !p.json(&raw, "keys") {
		return
	}
	if err := json.Unmarshal(raw, &q.keys); err != nil || q.keys == nil {
		p.fail("keys", string(raw))
	}
	if ranged && p.err == nil {
		p.err = badRequest("`keys` is incompatible with `key`, `start_key` and `end_key`")
	}
}

func (q *query) readReduce(p *params) {
	var reduce bool
	if p.flag(&reduce, "reduce") {
		q.reduce = &reduce
	}
	p.flag(&q.group, "group")
}

// reduces reports whether a view with that reduce function, nil for none, is to be reduced. It refuses what makes no
// sense, in CouchDB's words, and what is not supported: anything but one row for each distinct key.
func (q *query) reduces(r reducer) (bool, error) {
	reduce := r != nil
	if q.reduce != nil {
		reduce = *q.reduce
	}
	switch {
	case reduce && r == nil:
		return false, badRequest("Reduce is invalid for map-only views.")
	case q.group && r == nil:
		return false, badRequest("Invalid use of grouping on a map view.")
	case q.group && !reduce:
		return false, badRequest("Invalid use of grouping when reduce is false.")
	case !reduce:
		return false, nil
	case q.includeDocs:
		return false, badRequest("`include_docs` is invalid for reduce")
	case !q.group:
		return false, notSupported("a reduce without group=true")
	}
	if unsupported, ok := r.(unsupportedReducer); ok {
		return false, unsupported.err()
	}
	return true, nil
}

// span is a range of a bucket's keys: from lower on, up to but not including upper; nil is open.
type span struct {
	lower, upper []byte
}

// viewSpans returns the spans of the rows that the query selects.
func (q *query) viewSpans() ([]span, error) {
	if q.keys != nil {
		spans := make([]span, len(q.keys))
		for i, key := range q.keys {
			b := bound{key: key}
			lower, err := b.position(false)
			if err != nil {
				return nil, err
			}
			upper, _ := b.position(true)
			spans[i] = span{lower, upper}
		}
		return spans, nil
	}
	if err := q.checkRange(); err != nil {
		return nil, err
	}
	first, last := q.ends()
	lower, err := first.position(false)
	if err != nil {
		return nil, err
	}
	upper, err := last.position(true)
	return []span{{lower, upper}}, err
}

// ends returns the bounds in the order of the rows.
func (q *query) ends() (first, last bound) {
	if q.descending {
		return q.end, q.start
	}
	return q.start, q.end
}

// checkRange refuses a range whose ends are swapped, in CouchDB's words.
func (q *query) checkRange() error {
	first, last := q.ends()
	if first.key == nil || last.key == nil {
		return nil
	}
	lower, err := bound{key: first.key}.position(false)
	if err != nil {
		return err
	}
	upper, err := bound{key: last.key}.position(false)
	if err == nil && string(lower) > string(upper) {
		return badRequest("No rows can match your key range, reverse your start_key and end_key " +
			"or set descending=true")
	}
	return err
}

// position returns the position before or after the rows that a bound names: those of its key, or those of one document
// under that very key.
func (b bound) position(after bool) ([]byte, error) {
	if b.key == nil {
		return nil, nil
	}
	key, err := decodeJSON(b.key)
	if err != nil {
		return nil, badRequest("invalid key: %s", b.key)
	}
	switch {
	case b.byID && after:
		return append(appendID(appendKey(nil, key), b.docID), idAfter), nil
	case b.byID:
		return appendID(appendKey(nil, key), b.docID), nil
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

// idSpan returns the span of the documents that an _all_docs query selects. Ids sort by their bytes. A key that is not
// a string sorts before every id.
func (q *query) idSpan() span {
	first, last := q.ends()
	return span{first.idPosition(false), last.idPosition(true)}
}

func (b bound) idPosition(after bool) []byte {
	if b.key == nil {
		return nil
	}
	var id string
	if json.Unmarshal(b.key, &id) != nil || string(b.key) == "null" {
		return []byte{}
	}
	if after {
		return append([]byte(id), 0)
	}
	return []byte(id)
}
