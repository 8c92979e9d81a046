package schema

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/xeipuuv/gojsonschema"

	"junctor/pkg/document"
)

// cast validates a value that is to be stored. Where the schema wants a boolean, an integer or a number and value has the
// text of one, the result has the value itself, as Crossbar stores it (kz_json_schema casts what is of the wrong type,
// and validates again). value is not changed.
func (s *compiled) cast(value any) (any, error) {
	errors, err := s.errors(value)
	if err != nil {
		return nil, err
	}
	cast, changed := clone(value), false
	for _, e := range errors {
		if by, ok := castOf(e); ok {
			setAt(cast, locate(e), by)
			changed = true
		}
	}
	if !changed {
		return cast, fieldErrors(value, errors).Err()
	}
	return cast, s.validate(cast)
}

// clone returns a copy that shares no list and no object with value.
func clone(value any) any { return document.Document{"": value}.Clone()[""] }

// castOf returns the value that the text of a value of the wrong type stands for.
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

// setAt replaces the value at a location in value.
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

// lastName returns the last name in a location.
func lastName(at string) string { return at[len(parent(at)) : len(at)-len(separator)] }

// addDefaults adds the defaults of the properties that schema names to value, if that is an object.
func addDefaults(schema map[string]any, value any) {
	object, ok := value.(map[string]any)
	properties, _ := schema["properties"].(map[string]any)
	if !ok {
		return
	}
	for name, property := range properties {
		property, _ := property.(map[string]any)
		if _, there := object[name]; there {
			addDefaults(property, object[name])
		} else if value, ok := property["default"]; ok {
			object[name] = clone(value)
		}
	}
}
