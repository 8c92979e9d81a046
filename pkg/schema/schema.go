// Package schema validates what clients send against the bundled JSON Schemas (draft 4).
//
// A failure is one *fault.Error that names every offending field with the texts, codes and paths of Crossbar, because
// Crossbar's clients show them in their forms. The package knows nothing of the resources that the schemas describe,
// and nothing of the schemas that a cluster stores in its database. It is the only importer of gojsonschema: it knows
// what that library reports and where the library has to be corrected.
package schema

import (
	"fmt"

	"github.com/xeipuuv/gojsonschema"

	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// compiled is one compiled schema. It is safe for concurrent use.
type compiled struct {
	library *gojsonschema.Schema
	text    document.Document
}

// validate validates value, which is a document or any other value that pkg/document decoded. The error is nil, or of
// kind fault.Invalid with everything that is wrong in its fault.Fields.
func (s *compiled) validate(value any) error {
	if doc, ok := value.(document.Document); ok {
		value = map[string]any(doc)
	}
	errors, err := s.errors(value)
	if err != nil {
		return err
	}
	return fieldErrors(value, errors).Err()
}

// errors returns the library's errors about a value.
func (s *compiled) errors(value any) ([]gojsonschema.ResultError, error) {
	if err := checkSize(value); err != nil {
		return nil, err
	}
	result, err := s.library.Validate(gojsonschema.NewRawLoader(value))
	if err != nil {
		return nil, err
	}
	return result.Errors(), nil
}

// maxValues bounds how many values, nested ones included, are validated at once. The library collects about 2 KB of
// findings for each wrong value before it returns.
const maxValues = 20000

// maxPaths bounds the paths to all values, by the sum of their lengths. The library repeats the path in each finding,
// so one long name around many values would cost as much as a large body for each of them.
const maxPaths = 16 << 20

// checkSize refuses a value with too many parts, as Crossbar refuses a body with too many bytes.
func checkSize(value any) error {
	b := bounds{values: maxValues, paths: maxPaths}
	if b.allow(value, 0) {
		return nil
	}
	message := fmt.Sprintf("Data must not have more than %d values", maxValues)
	return fault.Finding("", "maxSize", message, map[string]any{"target": maxValues})
}

// bounds is what is left of maxValues and maxPaths.
type bounds struct{ values, paths int }

// allow reports whether value, at a path of that length, and everything in it are within the bounds.
func (b *bounds) allow(value any, path int) bool {
	b.values--
	b.paths -= path
	if b.values < 0 || b.paths < 0 {
		return false
	}
	switch v := value.(type) {
	case map[string]any:
		for name, nested := range v {
			if !b.allow(nested, path+len(name)+1) {
				return false
			}
		}
	case []any:
		for _, nested := range v {
			if !b.allow(nested, path+len("10000.")) {
				return false
			}
		}
	}
	return true
}
