package embedded

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/go-kivik/kivik/v4/driver"
)

// params reads the options of one call. The first bad value sticks; unsupported reports it, or else names an
// option that nobody asked for: an option silently ignored would be a wrong answer.
type params struct {
	given map[string]any
	err   error
}

func readParams(options driver.Options) *params {
	p := &params{given: map[string]any{}}
	options.Apply(p.given)
	return p
}

// take removes the first of the spellings that was given.
func (p *params) take(spellings ...string) (any, bool) {
	for _, name := range spellings {
		if v, ok := p.given[name]; ok {
			delete(p.given, name)
			return v, true
		}
	}
	return nil, false
}

func (p *params) fail(name string, v any) {
	if p.err == nil {
		p.err = badRequest("Invalid value for %s: %v", name, v)
	}
}

// flag reads a boolean, given as one or as its text.
func (p *params) flag(dst *bool, name string) bool {
	v, ok := p.take(name)
	if !ok {
		return false
	}
	b, err := strconv.ParseBool(fmt.Sprint(v))
	if err != nil {
		p.fail(name, v)
	}
	*dst = b
	return true
}

// count reads a number that cannot be negative, given as any integer type or as its text.
func (p *params) count(dst *int64, name string) bool {
	v, ok := p.take(name)
	if !ok {
		return false
	}
	n, err := strconv.ParseInt(fmt.Sprint(v), 10, 64)
	if err != nil || n < 0 {
		p.fail(name, v)
	}
	*dst = n
	return true
}

func (p *params) text(dst *string, spellings ...string) bool {
	v, ok := p.take(spellings...)
	if !ok {
		return false
	}
	s, isText := v.(string)
	if !isText {
		p.fail(spellings[0], v)
	}
	*dst = s
	return true
}

// json reads a value that CouchDB takes as JSON. As in kivik's couch driver, only json.RawMessage is already that.
func (p *params) json(dst *json.RawMessage, spellings ...string) bool {
	v, ok := p.take(spellings...)
	if !ok {
		return false
	}
	raw, err := encodeJSON(v)
	if err != nil || !json.Valid(raw) {
		p.fail(spellings[0], v)
		return false
	}
	*dst = raw
	return true
}

// only accepts an option whose sole supported value is the given one.
func (p *params) only(name string, supported bool) {
	value := supported
	if p.flag(&value, name) && value != supported && p.err == nil {
		p.err = notSupported(fmt.Sprintf("option %s=%t", name, value))
	}
}

// ignore drops options that change nothing here: an index is always current, a document has one leaf.
func (p *params) ignore(names ...string) {
	for _, name := range names {
		delete(p.given, name)
	}
}

func (p *params) unsupported() error {
	if p.err != nil {
		return p.err
	}
	var first string
	for name := range p.given {
		if first == "" || name < first {
			first = name
		}
	}
	if first == "" {
		return nil
	}
	return notSupported("option " + first)
}

// encodeJSON is json.Marshal without the escapes meant for HTML, and without touching what is JSON already.
func encodeJSON(v any) (json.RawMessage, error) {
	switch t := v.(type) {
	case json.RawMessage:
		return t, nil
	case *json.RawMessage:
		return *t, nil
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}

// decodeJSON keeps numbers as they are spelled.
func decodeJSON(raw []byte) (any, error) {
	var v any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	err := dec.Decode(&v)
	return v, err
}
