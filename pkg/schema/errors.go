package schema

import (
	"strconv"
	"strings"

	"github.com/xeipuuv/gojsonschema"

	"junctor/pkg/fault"
)

// maxEchoes bounds how often one response repeats a whole object; see isExtra.
const maxEchoes = 8

// fieldErrors translates the library's errors about a value into Crossbar's. If a choice between schemas failed, it
// reports only that about the value and what is in it, and not why each schema refused it.
func fieldErrors(value any, errors []gojsonschema.ResultError) fault.Fields {
	failed, extras := map[string]bool{}, 0
	for _, e := range errors {
		if isChoice(e) {
			failed[locate(e)] = true
		}
		if isExtra(e) {
			extras++
		}
	}
	fields := fault.Fields{}
	for _, e := range errors {
		at := locate(e)
		if inside(failed, at) || failed[at] && !isChoice(e) {
			continue
		}
		code, message, more := describe(e)
		if isExtra(e) && extras <= maxEchoes {
			more["value"] = valueAt(value, parent(at))
		}
		fields.Add(fieldPath(at), code, message, more)
	}
	return fields
}

// isChoice reports whether e is about a value that had several schemas to choose from.
func isChoice(e gojsonschema.ResultError) bool {
	switch e.Type() {
	case "number_one_of", "number_any_of", "number_all_of", "number_not":
		return true
	}
	return false
}

// isExtra reports whether e is about a property that may not be there. Crossbar's value is then the object around
// it. With many of them in a large object, the response would grow with the square of the request's size.
func isExtra(e gojsonschema.ResultError) bool { return e.Type() == "additional_property_not_allowed" }

// separator ends each name in a location. It is not UTF-8, so that no name has it inside.
const separator = "\xff"

// locate returns the location of the value that e is about. For a missing or extra property it is that of the property.
func locate(e gojsonschema.ResultError) string {
	_, at, _ := strings.Cut(e.Context().String(separator)+separator, separator)
	if name, ok := e.Details()["property"].(string); ok {
		at += name + separator
	}
	return at
}

// fieldPath returns a location as Crossbar writes it: dots between the names, and %2E for a dot in one.
func fieldPath(at string) string {
	at = strings.ReplaceAll(strings.TrimSuffix(at, separator), ".", "%2E")
	return strings.ReplaceAll(at, separator, ".")
}

// parent returns the location around another. The parent of the root is the root.
func parent(at string) string {
	return at[:strings.LastIndex(strings.TrimSuffix(at, separator), separator)+1]
}

// inside reports whether a location lies within one of those given.
func inside(locations map[string]bool, at string) bool {
	for len(locations) > 0 && at != "" {
		if at = parent(at); locations[at] {
			return true
		}
	}
	return false
}

// valueAt returns the value at a location in value.
func valueAt(value any, at string) any {
	for at != "" {
		var name string
		name, at, _ = strings.Cut(at, separator)
		switch v := value.(type) {
		case map[string]any:
			value = v[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(v) {
				return nil
			}
			value = v[i]
		}
	}
	return value
}
