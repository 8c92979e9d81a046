package embedded

import (
	"encoding/json"

	"github.com/go-kivik/kivik/v4/driver"
)

// query is what a caller of _all_docs or of a view wants.
type query struct {
	start, end   bound
	keys         []json.RawMessage // in the caller's order; nil where not given
	descending   bool
	exclusiveEnd bool
	includeDocs  bool
	updateSeq    bool
	skip, limit  int64
	reduce       *bool
	groupLevel   int64
	group        bool // by the whole key
}

// bound is one end of a key range.
type bound struct {
	key   json.RawMessage // nil: open
	docID string
	byID  bool // docID was given
}

const noLimit = int64(1<<63 - 1)

func readQuery(options driver.Options) (*query, error) {
	q := &query{limit: noLimit}
	p := readParams(options)
	q.readRange(p)
	inclusive := true
	p.flag(&inclusive, "inclusive_end")
	q.exclusiveEnd = !inclusive
	p.flag(&q.descending, "descending")
	p.flag(&q.includeDocs, "include_docs")
	p.flag(&q.updateSeq, "update_seq")
	p.count(&q.skip, "skip")
	p.count(&q.limit, "limit")
	q.readGrouping(p)
	p.only("attachments", false)
	p.only("sorted", true)
	var conflicts bool
	p.flag(&conflicts, "conflicts")               // there never are any
	p.ignore("update", "stale", "stable", "lazy") // an index is always current
	return q, p.unsupported()
}

func (q *query) readRange(p *params) {
	p.json(&q.start.key, "startkey", "start_key")
	p.json(&q.end.key, "endkey", "end_key")
	q.start.byID = p.text(&q.start.docID, "startkey_docid", "start_key_doc_id")
	q.end.byID = p.text(&q.end.docID, "endkey_docid", "end_key_doc_id")
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

func (q *query) readGrouping(p *params) {
	var reduce bool
	if p.flag(&reduce, "reduce") {
		q.reduce = &reduce
	}
	p.flag(&q.group, "group")
	if p.count(&q.groupLevel, "group_level") && q.groupLevel > 0 {
		q.group = false
	}
}

// reduces tells whether a view is to be reduced, and refuses what makes no sense, in CouchDB's words.
func (q *query) reduces(hasReduce bool) (bool, error) {
	grouping := q.group || q.groupLevel > 0
	reduce := hasReduce
	if q.reduce != nil {
		reduce = *q.reduce
	}
	switch {
	case reduce && !hasReduce:
		return false, badRequest("Reduce is invalid for map-only views.")
	case grouping && !hasReduce:
		return false, badRequest("Invalid use of grouping on a map view.")
	case grouping && !reduce:
		return false, badRequest("Invalid use of grouping when reduce is false.")
	case reduce && q.includeDocs:
		return false, badRequest("`include_docs` is invalid for reduce")
	case reduce && q.keys != nil && !q.group:
		return false, badRequest("Multi-key fetches for reduce views must use `group=true`")
	}
	return reduce, nil
}

// span is a range of a bucket's keys: from lower on, up to but not including upper; nil is open.
type span struct {
	lower, upper []byte
}

// viewSpans says where the rows of the query are.
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
	first, last, afterFirst, afterLast := q.ends()
	lower, err := first.position(afterFirst)
	if err != nil {
		return nil, err
	}
	upper, err := last.position(afterLast)
	return []span{{lower, upper}}, err
}

// ends gives the bounds in the order of the rows, and which side of the rows they name each is on.
func (q *query) ends() (first, last bound, afterFirst, afterLast bool) {
	if q.descending {
		return q.end, q.start, q.exclusiveEnd, true
	}
	return q.start, q.end, false, !q.exclusiveEnd
}

// checkRange refuses a range that is the wrong way round, in CouchDB's words.
func (q *query) checkRange() error {
	first, last, _, _ := q.ends()
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

// position is the place before or behind the rows that a bound names: those of its key, or of one document's
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

// successor is the first key behind all those that start with prefix; nil where there is none.
func successor(prefix []byte) []byte {
	next := append([]byte(nil), prefix...)
	for i := len(next) - 1; i >= 0; i-- {
		if next[i]++; next[i] != 0 {
			return next[:i+1]
		}
	}
	return nil
}

// idSpan says where the documents of an _all_docs query are. Ids sort by their bytes. A key that is no string
// comes before every id.
func (q *query) idSpan() span {
	first, last, afterFirst, afterLast := q.ends()
	return span{first.idPosition(afterFirst), last.idPosition(afterLast)}
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
