package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/go-kivik/kivik/v4/driver"
	bolt "go.etcd.io/bbolt"

	"junctor/pkg/boltfile"
	"junctor/pkg/document"
)

// openedView is a view inside a transaction.
type openedView struct {
	rows    *bolt.Bucket
	reducer *reducer // nil for none
	reached uint64   // the update sequence up to which rows are there
}

// groups returns one row for each distinct key. It goes from key to key without touching the rows between. Their values
// are reduced when the value of the row is read.
func (r *rows) groups(v *openedView) source {
	var group []byte // the encoded key of the row before
	return func(row *driver.Row) (bool, error) {
		if !r.scan.nextGroup(group) {
			return false, nil
		}
		stored, err := readRow(r.scan.k, r.scan.v)
		group = bytes.Clone(stored.group)
		row.Key = bytes.Clone(stored.key)
		row.Value = &lazyValue{rows: r, view: v, within: r.scan.spans[0].narrow(group)}
		return true, err
	}
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
	rows   *rows
	view   *openedView
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
	v.rows.mu.Lock()
	defer v.rows.mu.Unlock()
	if v.rows.tx == nil {
		return errors.New("the value of a row was read after its result set ended")
	}
	return boltfile.Guard(v.rows.client.path, func() error {
		s := newScan(v.view.rows, []span{v.within}, false)
		defer func() { v.rows.scan.touched += s.touched }()
		acc := accumulator{ctx: v.rows.ctx, reducer: v.view.reducer}
		for s.next() {
			r, err := readRow(s.k, s.v)
			if err == nil {
				err = acc.add(r)
			}
			if err != nil {
				return err
			}
		}
		result, err := acc.result()
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
	a.keys = append(a.keys, append(document.AppendString(key, r.id), ']'))
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
