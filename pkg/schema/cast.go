package schema

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/xeipuuv/gojsonschema"

	"junctor/pkg/document"
)

// Cast is Validate for a document that is to be stored. Where the schema wants a boolean, an integer or a number
// and doc has the text of one, the answer has the value itself, as Crossbar stores it (kz_json_schema casts what
// is of the wrong type, and validates again). doc is not changed.
func (s *Set) Cast(id string, doc document.Document) (document.Document, error) {
	errors, err := s.examine(id, map[string]any(doc))
	if err != nil {
		return nil, err
	}
	cast, changed := doc.Clone(), false
	for _, e := range errors {
		if value, ok := castOf(e); ok {
			setAt(map[string]any(cast), locate(e), value)
			changed = true
		}
	}
	if !changed {
		return cast, findings(map[string]any(doc), errors).Err()
	}
	return cast, s.Validate(id, cast)
}

// castOf answers what the value of the wrong type that e is about stands for.
func castOf(e gojsonschema.ResultError) (any, bool) {
	text, ok := e.Value().(string)
	if !ok || e.Type() != "invalid_type" {
		return nil, false
	}
	switch fmt.Sprint(e.Details()["expected"]) {
	case "boolean":
		return text == "true", text == "true" || text == "false"
	case "integer", "number":
		value, err := document.DecodeValue([]byte(text))
		number, ok := value.(json.Number)
		return number, err == nil && ok
	}
	return nil, false
}

// setAt replaces what stands at a location in value.
func setAt(value any, at string, by any) {
	switch around := valueAt(value, parent(at)).(type) {
	case map[string]any:
		around[lastName(at)] = by
	case []any:
		if i, err := strconv.Atoi(lastName(at)); err == nil && i < len(around) {
			around[i] = by
		}
	}
}

// lastName answers the name that a location ends with.
func lastName(at string) string { return at[len(parent(at)) : len(at)-len(separator)] }
