package schema_test

import (
	"fmt"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/schema"
)

// TestCast: the values of 21_document_crud, and others of their kind.
func TestCast(t *testing.T) {
	t.Parallel()
	set, err := schema.Load(files(map[string]string{"a": `{"properties":{
		"b":{"type":"boolean"},"i":{"type":"integer","maximum":9},"n":{"type":"number"},"s":{"type":"string"},
		"deep":{"items":{"properties":{"a.b":{"type":"boolean"}},"type":"object"},"type":"array"},
		"either":{"type":["boolean","null"]}}}`}))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		`{"b":"true","i":"5","n":"-1.50","s":"5","x":"true"}`: `{"b":true,"i":5,"n":-1.50,"s":"5","x":"true"}`,
		`{"b":"false"}`:                           `{"b":false}`,
		`{"b":true,"i":5}`:                        `{"b":true,"i":5}`,
		`{"deep":[{},{"a.b":"true","c":"true"}]}`: `{"deep":[{},{"a.b":true,"c":"true"}]}`,
		`{}`: `{}`,
	} {
		doc := value(t, text).(map[string]any)
		got, err := set.Cast("a", doc)
		if err != nil || encoded(t, got) != want {
			t.Errorf("%s: got %s, %v", text, encoded(t, got), err)
		}
		if encoded(t, doc) != encoded(t, value(t, text)) {
			t.Errorf("%s became %s", text, encoded(t, doc))
		}
	}
	for text, want := range map[string]string{
		`{"b":"maybe","i":"5"}`: wrongType("b", "boolean", `"maybe"`),
		`{"b":"TRUE"}`:          wrongType("b", "boolean", `"TRUE"`),
		`{"b":1}`:               wrongType("b", "boolean", `1`),
		`{"i":"5x"}`:            wrongType("i", "integer", `"5x"`),
		`{"i":"[5]"}`:           wrongType("i", "integer", `"[5]"`),
		`{"i":"1.5"}`:           wrongType("i", "integer", `1.5`),
		`{"s":5}`:               wrongType("s", "string", `5`),
		`{"i":"10"}`:            `{"i":{"maximum":{"message":"Value must be at most 9","target":9,"value":10}}}`,
	} {
		_, err := set.Cast("a", value(t, text).(map[string]any))
		if got := findingsText(t, err); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	if _, err := set.Cast("nope", document.Document{}); err == nil {
		t.Error("an unknown schema casts")
	}
}

func wrongType(path, want, value string) string {
	return fmt.Sprintf(`{"%s":{"type":{"message":"Value did not match type(s): %[2]s","target":"%[2]s","value":%s}}}`,
		path, want, value)
}
