package history

import (
	"context"
	"slices"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/startkey"
	"junctor/pkg/store"
)

// Filter selects events: of an address, of an account, or all. The zero value selects all.
type Filter struct {
	IP       string // as the pool spells it
	Account  string // which held the address before or since; ignored if IP is given
	From, To int64  // Gregorian seconds, both included; 0 means no limit
	PageSize int    // 0 means no limit
	StartKey string // Page.Next of the page before; anything else is fault.Invalid
}

// Page is a part of a listing, the newest event first.
type Page struct {
	Events []Event
	Next   string // opaque; empty if the listing ends here
}

// flushTime bounds how long a listing waits for the changes of this process to be moved.
const flushTime = 2 * time.Second

// List returns events, the newest first. It has all changes of this process, and those of others that were observed.
func (l *Log) List(ctx context.Context, f Filter) (Page, error) {
	l.tryFlush(ctx)
	view, q, err := f.query()
	if err != nil {
		return Page{}, err
	}
	var page Page
	err = l.store.View(ctx, Database, design, view, q, func(row store.Row) error {
		if f.PageSize > 0 && len(page.Events) == f.PageSize {
			var key []any
			err := row.Key(&key)
			page.Next = startkey.Encode(append(key, row.ID()))
			return err
		}
		doc, err := row.Doc()
		if err == nil {
			page.Events = append(page.Events, decodeDocument(doc))
		}
		return err
	})
	return page, err
}

// tryFlush moves the changes of this process, unless that takes long.
func (l *Log) tryFlush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, flushTime)
	defer cancel()
	_ = l.Flush(ctx) // Run reports it
}

// At returns the last event of an address at a time, in Gregorian seconds. ok is false if there is none.
func (l *Log) At(ctx context.Context, ip string, at int64) (e Event, ok bool, err error) {
	page, err := l.List(ctx, Filter{IP: ip, To: max(at, 1), PageSize: 1}) // 0 would be no limit
	if err != nil || len(page.Events) == 0 {
		return Event{}, false, err
	}
	return page.Events[0], true, nil
}

// newestOf returns the newest event of an address that the database has, the zero Event if it has none.
func (l *Log) newestOf(ctx context.Context, ip string) (e Event, err error) {
	_, q, err := Filter{IP: ip, PageSize: 1}.query()
	if err != nil {
		return Event{}, err
	}
	q.Limit = 1
	err = l.store.View(ctx, Database, design, byAddress, q, func(row store.Row) error {
		doc, err := row.Doc()
		e = decodeDocument(doc)
		return err
	})
	return e, err
}

func decodeDocument(doc document.Document) Event {
	e := decode(doc.String(keyIP), map[string]any(doc))
	e.ID = doc.ID()
	return e
}

// query returns the view to read, and which rows. The keys of a view begin with scope, then the time.
func (f Filter) query() (view string, q store.Query, err error) {
	view = byTime
	var scope []any
	switch {
	case f.IP != "":
		view, scope = byAddress, []any{f.IP}
	case f.Account != "":
		view, scope = byAccount, []any{f.Account}
	}
	q = store.Query{Descending: true, IncludeDocs: true, EndKey: append(slices.Clone(scope), f.From)}
	if f.To > 0 {
		q.StartKey = append(slices.Clone(scope), f.To, map[string]any{})
	} else {
		q.StartKey = append(slices.Clone(scope), map[string]any{})
	}
	if f.StartKey != "" {
		if q.StartKey, q.StartKeyDocID, err = f.decodeKey(scope); err != nil {
			return "", q, err
		}
	}
	if f.PageSize > 0 {
		q.Limit = f.PageSize + 1
	}
	return view, q, nil
}

// decodeKey returns the start key, which has to be the key of a row that the filter finds and the id of its document.
func (f Filter) decodeKey(scope []any) (key []any, id string, err error) {
	if err := startkey.Decode(f.StartKey, &key); err != nil {
		return nil, "", err
	}
	if !f.finds(key, scope) {
		return nil, "", startkey.Invalid(f.StartKey)
	}
	last := len(key) - 1
	id, _ = key[last].(string)
	return key[:last], id, nil
}

// finds reports whether a key can be that of a row: scope, time, the address unless it is the scope, number, revision
// (null for a change that was not seen, as earlier builds stored it) and id.
func (f Filter) finds(key, scope []any) bool {
	numbers := len(scope) + 1
	if f.IP == "" {
		numbers++
	}
	if len(key) != numbers+3 || !slices.Equal(key[:len(scope)], scope) {
		return false
	}
	at, ok := key[len(scope)].(float64)
	if !ok || at < float64(f.From) || f.To > 0 && at > float64(f.To) {
		return false
	}
	if _, isText := key[numbers-1].(string); f.IP == "" && !isText {
		return false
	}
	_, hasID := key[numbers+2].(string)
	return hasID && isNumber(key[numbers]) && (key[numbers+1] == nil || isNumber(key[numbers+1]))
}

func isNumber(value any) bool {
	_, ok := value.(float64)
	return ok
}
