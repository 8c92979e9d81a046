package embedded

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"

	bolt "go.etcd.io/bbolt"
)

// index is the index of the views of one design document. Its name is a hash of the design document's id and its
// views, so other views have another index, and a design document that changes elsewhere keeps its index.
type index struct {
	name    string
	source  []byte
	program *program
	reached uint64 // the index has what was written up to this update sequence
}

// designSource is the part of a design document that an index depends on.
type designSource struct {
	ID       string `json:"_id"`
	Language any    `json:"language,omitempty"`
	Views    any    `json:"views,omitempty"`
}

// newIndex compiles the views of a design document. One without views has an index without a name.
func (c *client) newIndex(id string, body []byte) (index, error) {
	var design map[string]any
	if err := json.Unmarshal(body, &design); err != nil {
		return index{}, badRequest("invalid design document: %v", err)
	}
	for _, member := range []string{"validate_doc_update", "options"} {
		if design[member] != nil {
			return index{}, notSupported(member + " in a design document")
		}
	}
	source, err := json.Marshal(designSource{ID: id, Language: design["language"], Views: design["views"]})
	if err != nil {
		return index{}, err
	}
	p, err := compile(source, scriptLimit, c.log)
	if err != nil || len(p.views) == 0 {
		return index{}, err
	}
	sum := sha256.Sum256(source)
	return index{name: hex.EncodeToString(sum[:16]), source: source, program: p}, nil
}

// program returns the compiled views of an index. They are cached until the store is closed: there are few, as the
// same design document in many databases is the same index.
func (c *client) program(name string, source []byte) (*program, error) {
	if p, ok := c.programs.Load(name); ok {
		return p.(*program), nil
	}
	p, err := compile(source, scriptLimit, c.log)
	if err != nil {
		return nil, err
	}
	kept, _ := c.programs.LoadOrStore(name, p)
	return kept.(*program), nil
}

// readIndex reads an index inside a transaction.
func (c *client) readIndex(in contents, name string) (index, error) {
	x := in.index(name)
	p, err := c.program(name, x.Get(sourceKey))
	return index{name: name, program: p, reached: x.Sequence()}, err
}

// indexOf returns the index of a design document, or none.
func (c *client) indexOf(ddocID string) func(contents) ([]index, error) {
	return func(in contents) ([]index, error) {
		name := in.part(designsBucket).Get([]byte(ddocID))
		if len(name) == 0 {
			return nil, nil
		}
		ix, err := c.readIndex(in, string(name))
		return []index{ix}, err
	}
}

// indexes returns the indexes of all design documents.
func (c *client) indexes(in contents) (list []index, err error) {
	return list, in.part(designsBucket).ForEach(func(_, name []byte) error {
		if len(name) == 0 {
			return nil
		}
		ix, err := c.readIndex(in, string(name))
		list = append(list, ix)
		return err
	})
}

// row is one row of a view as it is stored.
type row struct {
	view       string
	key, value []byte
}

// rows runs the views on a document. A tombstone and a design document have no rows.
func (ix index) rows(ctx context.Context, id string, r *record) ([]row, error) {
	if r.deleted || isDesign(id) {
		return nil, nil
	}
	views, err := ix.program.mapDoc(ctx, id, r.document(id))
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, view := range ix.program.views { // in one order, so that the list of them stays the same
		for n, e := range views[view] {
			r, err := newRow(view, id, uint32(n), e)
			if err != nil {
				return nil, err
			}
			if len(r.key) > bolt.MaxKeySize {
				ix.program.log.Warn().Str("view", view).Str("doc", id).Int("bytes", len(r.key)).
					Msg("view row left out: its key is too long")
				continue
			}
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// newRow encodes a row. Its key sorts as CouchDB sorts rows: by view key, then by document id; the number
// distinguishes the rows of one document under one key. The value has the length of the encoded view key, and the view
// key and the value as JSON.
func newRow(view, id string, n uint32, e emitted) (row, error) {
	decoded, err := decodeKey(e.Key)
	if err != nil {
		return row{}, err
	}
	key := appendKey(nil, decoded)
	value := binary.AppendUvarint(nil, uint64(len(key)))
	value = append(appendBytes(value, e.Key), e.Value...)
	return row{view: view, key: binary.BigEndian.AppendUint32(append(appendID(key, id), idEnd), n), value: value}, nil
}

// decodeKey is decodeJSON for compact JSON, faster for strings and numbers and for arrays of them, which are the keys
// that most views have.
func decodeKey(raw []byte) (any, error) {
	if raw[0] != '[' {
		return decodeElement(raw)
	}
	array := []any{}
	for element := range elements(raw) {
		decoded, err := decodeElement(element)
		if err != nil {
			return nil, err
		}
		array = append(array, decoded)
	}
	return array, nil
}

func decodeElement(raw []byte) (any, error) {
	if s, ok := plainString(raw); ok {
		return s, nil
	}
	if c := raw[0]; c == '-' || '0' <= c && c <= '9' {
		return json.Number(raw), nil
	}
	return decodeJSON(raw)
}

// idEnd follows the document id in a row's key; ids have no NUL. idAfter sorts behind every row of the id.
const (
	idEnd   = 0x00
	idAfter = 0x01
)

func appendID(key []byte, id string) []byte { return append(key, id...) }

// storedRow is a row read back.
type storedRow struct {
	group      []byte // the encoded view key
	id         string
	key, value json.RawMessage
}

func readRow(k, v []byte) (storedRow, error) {
	n, size := binary.Uvarint(v)
	const tail = 5 // idEnd and the number
	if size <= 0 || n > uint64(len(k)) || len(k)-int(n) < tail {
		return storedRow{}, errCorrupt
	}
	key, value, ok := cutBytes(v[size:])
	if !ok {
		return storedRow{}, errCorrupt
	}
	return storedRow{group: k[:n], id: string(k[n : len(k)-tail]), key: key, value: value}, nil
}
