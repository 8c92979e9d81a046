package schema

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Complete is Cast, and then puts the defaults of properties that are missing in, as Crossbar does (jesse, with the
// setter that kz_json_schema gives it). Like there, a default counts where its own schema names a type and takes it.
// What would be a choice (anyOf, oneOf) has none, nor has what does not apply to the value.
func (s *Schema) Complete(value any) (any, error) {
	cast, err := s.Cast(value)
	if err != nil {
		return nil, err
	}
	full := clone(cast)
	f := filler{steps: maxSteps}
	if f.fill(s.root, full, "", 0); f.steps < 0 {
		return nil, errTooManySteps()
	}
	if len(f.filled) == 0 {
		return cast, nil
	}
	return s.settle(cast, full, f.filled)
}

// settle takes the defaults that are not valid out of full again. Where that does not help, cast is all there is.
func (s *Schema) settle(cast, full any, filled []string) (any, error) {
	errors, err := s.examine(full)
	if err != nil || len(errors) == 0 {
		return full, err
	}
	for _, e := range errors {
		at := locate(e)
		bad := slices.IndexFunc(filled, func(location string) bool { return strings.HasPrefix(at, location) })
		if bad < 0 {
			continue
		}
		if object, ok := valueAt(full, parent(filled[bad])).(map[string]any); ok {
			delete(object, lastName(filled[bad]))
		}
	}
	errors, err = s.examine(full)
	if len(errors) > 0 {
		return cast, err
	}
	return full, err
}

// filler fills defaults in. It has the same bounds as a validation.
type filler struct {
	steps  int
	filled []string // locations; those within others come later
}

func (f *filler) fill(n *node, value any, at string, depth int) {
	if f.steps--; f.steps < 0 || depth > maxDepth {
		f.steps = -1
		return
	}
	if n.ref != nil {
		f.fill(n.ref, value, at, depth+1)
		return
	}
	for _, each := range n.all {
		f.fill(each, value, at, depth+1)
	}
	switch v := value.(type) {
	case map[string]any:
		f.defaults(n, v, at)
		for key, nested := range v {
			for _, each := range n.under(key) {
				f.fill(each, nested, at+key+separator, depth+1)
			}
		}
	case []any:
		for i, nested := range v {
			if each := n.at(i); each != nil {
				f.fill(each, nested, at+strconv.Itoa(i)+separator, depth+1)
			}
		}
	}
}

// defaults puts in what object lacks.
func (f *filler) defaults(n *node, object map[string]any, at string) {
	for name, property := range n.properties {
		value, ok := property.text["default"]
		if _, there := object[name]; there || !ok || !isOf(property.text["type"], value) {
			continue
		}
		object[name] = clone(value)
		f.filled = append(f.filled, at+name+separator)
	}
}

// isOf reports whether a value is of one of the types that a schema names. Whether a number is an integer is left to
// the library.
func isOf(types, value any) bool {
	if list, ok := types.([]any); ok {
		return slices.ContainsFunc(list, func(each any) bool { return isOf(each, value) })
	}
	ok := false
	switch types {
	case "object":
		_, ok = value.(map[string]any)
	case "array":
		_, ok = value.([]any)
	case "string":
		_, ok = value.(string)
	case "boolean":
		_, ok = value.(bool)
	case "integer", "number":
		_, ok = value.(json.Number)
	case "null":
		ok = value == nil
	}
	return ok
}
