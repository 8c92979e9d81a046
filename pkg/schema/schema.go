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

// Schema is one compiled schema. It is safe for concurrent use.
type Schema struct {
	library *gojsonschema.Schema
	text    document.Document
}

// Validate validates value, which is a document or any other value that pkg/document decoded. The error is nil, or of
// kind fault.Invalid with everything that is wrong in its fault.Fields.
func (s *Schema) Validate(value any) error {
	if doc, ok := value.(document.Document); ok {
		value = map[string]any(doc)
	}
	errors, err := s.validate(value)
	if err != nil {
		return err
	}
	return findings(value, errors).Err()
}

// validate returns what the library reports about a value.
func (s *Schema) validate(value any) ([]gojsonschema.ResultError, error) {
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

// checkSize refuses a value with too many parts, as Crossbar refuses a body with too many bytes.
func checkSize(value any) error {
	if left(maxValues, value) >= 0 {
		return nil
	}
	message := fmt.Sprintf("Data must not have more than %d values", maxValues)
	return fault.Finding("", "maxSize", message, map[string]any{"target": maxValues})
}

// left returns what is left of a budget of values after value. It is negative if the budget does not suffice.
func left(budget int, value any) int {
	budget--
	switch v := value.(type) {
	case map[string]any:
		for _, nested := range v {
			if budget < 0 {
				break
			}
			budget = left(budget, nested)
		}
	case []any:
		for i := 0; i < len(v) && budget >= 0; i++ {
			budget = left(budget, v[i])
		}
	}
	return budget
}
