package embedded

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/go-kivik/kivik/v4/driver"
)

// params reads the options of one call. The first bad value sticks, and unsupported returns it. Options that are not
// read are refused: to ignore one would be a wrong response.
type params struct {
	given map[string]any
	err   error
}

func readParams(options driver.Options) *params {
	p := &params{given: map[string]any{}}
	options.Apply(p.given)
	return p
}

// take removes an option and returns its value.
func (p *params) take(name string) (any, bool) {
	v, ok := p.given[name]
	delete(p.given, name)
	return v, ok
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

func (p *params) text(dst *string, name string) bool {
	v, ok := p.take(name)
	if !ok {
		return false
	}
	s, isText := v.(string)
	if !isText {
		p.fail(name, v)
	}
	*dst = s
	return true
}

// json reads a value that CouchDB takes as JSON. As in kivik's couch driver, only json.RawMessage is already that.
func (p *params) json(dst *json.RawMessage, name string) bool {
	v, ok := p.take(name)
	if !ok {
		return false
	}
	raw, err := encodeJSON(v)
	if err != nil || !json.Valid(raw) {
		p.fail(name, v)
		return false
	}
	*dst = raw
	return true
}

// unsupported returns the first error, or a 501 for an option that nothing has read.
func (p *params) unsupported() error {
	if p.err != nil {
		return p.err
	}
	if len(p.given) == 0 {
		return nil
	}
	return notSupported("option " + slices.Min(slices.Collect(maps.Keys(p.given))))
}
