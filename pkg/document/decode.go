package document

import (
	"bytes"
	"encoding/json"
	"errors"
)

// ErrNotObject is returned for well-formed JSON that is not an object where a document is expected.
var ErrNotObject = errors.New("the JSON value is not an object")

// ErrTooManyValues is returned if there are more values than the caller allows.
var ErrTooManyValues = errors.New("too many values")

// Member is a name and its value in an object.
type Member struct {
	Key   string
	Value any
}

// Decode reads one JSON object. It takes RFC 8259 and no more, and is stricter than encoding/json in this: text
// has to be UTF-8 without lone surrogates, nesting has a bound, and a number has to be one a double can hold
// (all of which Kazoo's own decoder refuses or fails on). If a name is repeated the first value counts,
// since that is the one that Kazoo's look-ups find.
func Decode(data []byte) (Document, error) { return newReader(data, 0).document() }

// DecodeStored reads a document of a store by the rules of Decode, but as deep as it is nested: a CouchDB has no bound.
func DecodeStored(data []byte) (Document, error) {
	r := newReader(data, 0)
	r.maxDepth = maxStored
	return r.document()
}

func (r *reader) document() (Document, error) {
	value := r.value()
	if err := r.end(); err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, ErrNotObject
	}
	return object, nil
}

// DecodeValue reads one JSON value of any kind, by the rules of Decode.
func DecodeValue(data []byte) (any, error) {
	r := newReader(data, 0)
	value := r.value()
	if err := r.end(); err != nil {
		return nil, err
	}
	return value, nil
}

// DecodeMembers reads one JSON object by the rules of Decode and returns its members in the order written, including
// repeated names: for callers with rules of their own about names, as Crossbar has for its envelope. It stops with
// ErrTooManyValues after maxValues values, nested ones included; 0 is no limit.
func DecodeMembers(data []byte, maxValues int) ([]Member, error) {
	r := newReader(data, maxValues)
	if token := r.token(); token != json.Delim('{') {
		r.rest(token) // no JSON at all, or no object
		if err := r.end(); err != nil {
			return nil, err
		}
		return nil, ErrNotObject
	}
	members := r.members()
	if err := r.end(); err != nil {
		return nil, err
	}
	return members, nil
}

// UnmarshalJSON makes encoding/json, and whatever reads through it, decode documents by the rules of Decode. As
// is the custom there, null changes nothing.
func (d *Document) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	decoded, err := Decode(data)
	if err != nil {
		return err
	}
	*d = decoded
	return nil
}

// reader builds values from the tokens that encoding/json finds in data, up to where data stops being text. After the
// first error, which end returns, it finds no more.
type reader struct {
	data     []byte
	text     *SyntaxError
	tokens   *json.Decoder
	depth    int
	maxDepth int
	values   int // that were read
	limit    int // of values; 0 is none
	err      error
}

func newReader(data []byte, maxValues int) *reader {
	text := textEnd(data)
	tokens := json.NewDecoder(bytes.NewReader(data[:text.Offset]))
	tokens.UseNumber()
	return &reader{data: data, text: text, tokens: tokens, maxDepth: maxDepth, limit: maxValues}
}

func (r *reader) value() any {
	token := r.token()
	if r.values++; r.limit > 0 && r.values > r.limit && r.err == nil {
		r.err = ErrTooManyValues
	}
	return r.rest(token)
}

// rest reads what belongs to a token.
func (r *reader) rest(token json.Token) any {
	switch token {
	case json.Delim('{'):
		return firstOfEach(r.members())
	case json.Delim('['):
		return r.list()
	default:
		return token
	}
}

// members reads an object from behind its opening bracket.
func (r *reader) members() []Member {
	members := []Member{}
	for r.err == nil && r.tokens.More() {
		key, _ := r.token().(string) // Token takes nothing else for a name
		members = append(members, Member{key, r.value()})
	}
	r.token()
	return members
}

// list reads a list from behind its opening bracket.
func (r *reader) list() []any {
	list := []any{}
	for r.err == nil && r.tokens.More() {
		list = append(list, r.value())
	}
	r.token()
	return list
}

func firstOfEach(members []Member) map[string]any {
	object := make(map[string]any, len(members))
	for _, m := range members {
		if _, repeated := object[m.Key]; !repeated {
			object[m.Key] = m.Value
		}
	}
	return object
}
