package schema

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"

	"github.com/xeipuuv/gojsonschema"

	"junctor/pkg/document"
)

// errorResponse is Crossbar's form of an error (kz_json_schema:error_to_jobj). If it contains the schema's limit, target
// takes that from the library's details, and the message may have a %v for it.
type errorResponse struct {
	code, message string
	target        func(gojsonschema.ErrorDetails) any
}

// unexplained is Crossbar's message for errors without one of their own.
const unexplained = "failed to validate"

// errorResponses are by the library's name of the error.
var errorResponses = map[string]errorResponse{
	"required":        {"required", "Field is required but missing", nil},
	"invalid_type":    {"type", "Value did not match type(s): %v", types},
	"enum":            {"enum", "Value not found in enumerated list of values", allowed},
	"string_gte":      {"minLength", "String must be at least %v characters", limit("min")},
	"string_lte":      {"maxLength", "String must not be more than %v characters", limit("max")},
	"pattern":         {"pattern", "Failed to match pattern '%v'", pattern},
	"format":          {"wrong_format", "Field is not in the correct format", nil},
	"number_gte":      {"minimum", "Value must be at least %v", limit("min")},
	"number_gt":       {"minimum", "Value must be at least %v", limit("min")},
	"number_lte":      {"maximum", "Value must be at most %v", limit("max")},
	"number_lt":       {"maximum", "Value must be at most %v", limit("max")},
	"array_min_items": {"minItems", "The list must have at least %v items", limit("min")},
	"array_max_items": {"maxItems", "The list is more than %v items", limit("max")},
	"unique":          {"uniqueItems", "List of items is not unique", nil},
	"array_no_additional_items": {"additionalItems",
		"Strict checking of data is enabled; only include schema-defined items", nil},
	"additional_property_not_allowed": {"additionalProperties",
		"Strict checking of data is enabled; only include schema-defined properties", nil},
	"array_min_properties": {"too_few_properties", unexplained, nil},
	"array_max_properties": {"too_many_properties", unexplained, nil},
	"multiple_of":          {"not_multiple_of", unexplained, nil},
	"number_one_of":        {"not_one_schema_valid", unexplained, nil},
	"number_any_of":        {"any_schemas_not_valid", unexplained, nil},
	"number_all_of":        {"all_schemas_not_valid", unexplained, nil},
	"number_not":           {"not_schema_valid", unexplained, nil},
}

// describe returns the code of an error, its message, and the other members of its object.
func describe(e gojsonschema.ResultError) (code, message string, more map[string]any) {
	more = map[string]any{"value": e.Value()}
	switch e.Type() {
	case "required":
		more["value"] = e.Details()["property"]
	case "string_gte", "string_lte":
		more["cause"] = e.Value()
	case "format":
		more["format"] = e.Details()["format"]
	}
	w, known := errorResponses[e.Type()]
	if !known {
		return e.Type(), unexplained, more
	}
	if w.target == nil {
		return w.code, w.message, more
	}
	more["target"] = w.target(e.Details())
	if strings.Contains(w.message, "%v") {
		w.message = fmt.Sprintf(w.message, more["target"])
	}
	return w.code, w.message, more
}

func types(d gojsonschema.ErrorDetails) any {
	names, _ := d["expected"].(string)
	return strings.ReplaceAll(strings.Trim(names, "[]"), ",", ", ")
}

// limit takes a limit of the library, which is an int, or a big.Float for what is compared with numbers.
func limit(name string) func(gojsonschema.ErrorDetails) any {
	return func(d gojsonschema.ErrorDetails) any {
		if number, ok := d[name].(*big.Float); ok {
			return json.Number(number.Text('f', -1))
		}
		return d[name]
	}
}

// allowed returns the values of an enum. The library joins their JSON texts.
func allowed(d gojsonschema.ErrorDetails) any {
	values, _ := document.DecodeValue(fmt.Appendf(nil, "[%s]", d["allowed"]))
	return values
}

func pattern(d gojsonschema.ErrorDetails) any { return fmt.Sprint(d["pattern"]) }
