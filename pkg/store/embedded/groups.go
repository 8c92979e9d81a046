package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/go-kivik/kivik/v4/driver"
	bolt "go.etcd.io/bbolt"

	"junctor/pkg/boltfile"
)

// openedView is a view inside a transaction.
type openedView struct {
	rows    *bolt.Bucket
	reducer *reducer // nil for none
	reached uint64   // the update sequence up to which rows are there
}

// groups has one row for each distinct key. It goes from key to key without touching the rows between. Their values are
// reduced when the value of the row is read.
type groups struct {
	rows  *rows
	scan  *scan
	view  *openedView
	group []byte // the encoded key of the current row
	key   json.RawMessage
}

func (g *groups) advance() (bool, error) {
	more := false
	if g.group == nil {
		more = g.scan.next()
	} else {
		more = g.scan.nextGroup(g.group)
	}
	if !more {
		return false, nil
	}
	r, err := readRow(g.scan.k, g.scan.v)
	g.group, g.key = bytes.Clone(r.group), bytes.Clone(r.key)
	return true, err
}

func (g *groups) row(row *driver.Row) error {
	row.Key = g.key
	row.Value = &lazyValue{groups: g, group: g.group, within: g.scan.spans[0]}
	return nil
}

// reduce returns the reduced value of one group.
func (g *groups) reduce(group []byte, within span) (json.RawMessage, error) {
	s := newScan(g.view.rows, []span{within.narrow(group)}, false)
	acc := accumulator{ctx: g.rows.ctx, reducer: g.view.reducer}
	for s.next() {
		r, err := readRow(s.k, s.v)
		if err != nil {
			return nil, err
		}
		if err := acc.add(r); err != nil {
			return nil, err
		}
	}
	g.scan.touched += s.touched
	return acc.result()
}

// narrow returns the part of a span whose keys start with the prefix.
func (sp span) narrow(prefix []byte) span {
	upper := successor(prefix)
	if sp.lower == nil || bytes.Compare(sp.lower, prefix) < 0 {
		sp.lower = prefix
	}
	if sp.upper == nil || upper != nil && bytes.Compare(sp.upper, upper) > 0 {
		sp.upper = upper
	}
	return sp
}

// lazyValue is the value of a group, reduced on the first Read.
type lazyValue struct {
	groups *groups
	group  []byte
	within span
	result *bytes.Reader
}

func (v *lazyValue) Read(p []byte) (int, error) {
	if v.result == nil {
		if err := v.reduce(); err != nil {
			return 0, err
		}
	}
	return v.result.Read(p)
}

func (v *lazyValue) reduce() error {
	rows := v.groups.rows
	rows.mu.Lock()
	defer rows.mu.Unlock()
	if rows.tx == nil {
		return errors.New("the value of a row was read after its result set ended")
	}
	return boltfile.Guard(rows.client.path, func() error {
		result, err := v.groups.reduce(v.group, v.within)
		v.result = bytes.NewReader(result)
		return err
	})
}

// accumulator reduces rows a portion at a time, so that a large group need not be in memory.
type accumulator struct {
	ctx          context.Context
	reducer      *reducer
	keys, values []json.RawMessage
	partial      []json.RawMessage
}

const portion = 1000

func (a *accumulator) add(r storedRow) error {
	key := append(append([]byte("["), r.key...), ',')
	a.keys = append(a.keys, append(append(key, quote(r.id)...), ']'))
	a.values = append(a.values, bytes.Clone(r.value))
	if len(a.values) < portion {
		return nil
	}
	return a.flush()
}

func (a *accumulator) flush() error {
	if err := a.ctx.Err(); err != nil {
		return err
	}
	part, err := a.reducer.call(a.ctx, a.keys, a.values, false)
	a.partial = append(a.partial, part)
	a.keys, a.values = nil, nil
	return err
}

func (a *accumulator) result() (json.RawMessage, error) {
	if len(a.values) > 0 {
		if err := a.flush(); err != nil {
			return nil, err
		}
	}
	if len(a.partial) == 1 {
		return a.partial[0], nil
	}
	return a.reducer.call(a.ctx, nil, a.partial, true)
}
