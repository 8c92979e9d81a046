package schema_test

import (
	"strings"
	"testing"

	"junctor/pkg/fault"
)

// TestComplete: what is left out is filled in where a schema that applies says with what.
func TestComplete(t *testing.T) {
	t.Parallel()
	s := compiled(t, map[string]string{
		"a": `{"type":"object","allOf":[{"$ref":"b"}],"properties":{
			"name":{"type":"string","default":"none"},
			"on":{"type":["boolean","null"],"default":true},
			"off":{"type":"boolean","default":null},
			"untyped":{"default":1},
			"short":{"type":"string","maxLength":1,"default":"long"},
			"count":{"type":"integer","default":1.5},
			"zero":{"type":"integer","default":0},
			"empty":{"type":"object","default":{},"properties":{"x":{"type":"array","default":[]}}},
			"absent":{"type":"object","properties":{"x":{"type":"integer","default":1}}},
			"list":{"type":"array","items":{"properties":{"x":{"type":"integer","default":1}}}},
			"pair":{"type":"array","items":[{"properties":{"x":{"type":"integer","default":1}}}],
				"additionalItems":{"properties":{"y":{"type":"integer","default":2}}}},
			"choice":{"anyOf":[{"properties":{"x":{"type":"integer","default":1}}}]},
			"bad":{"type":"object","default":{"x":"text"},"properties":{"x":{"type":"integer"}}}},
			"patternProperties":{"^p":{"properties":{"x":{"type":"integer","default":1}}}},
			"additionalProperties":{"properties":{"y":{"type":"integer","default":2}}}}`,
		"b": `{"properties":{"more":{"type":"string","default":"b"}}}`,
	})
	const (
		before = `"empty":{"x":[]},`
		after  = `"more":"b","name":"none","on":true`
		always = before + after + `,"zero":0`
	)
	for text, want := range map[string]string{
		`{}`:                            `{` + always + `}`,
		`{"name":"a","zero":"7"}`:       `{"empty":{"x":[]},"more":"b","name":"a","on":true,"zero":7}`,
		`{"absent":{}}`:                 `{"absent":{"x":1},` + always + `}`,
		`{"list":[{},{"x":2},3]}`:       `{` + before + `"list":[{"x":1},{"x":2},3],` + after + `,"zero":0}`,
		`{"pair":[{},{},{}]}`:           `{` + before + after + `,"pair":[{"x":1},{"y":2},{"y":2}],"zero":0}`,
		`{"choice":{}}`:                 `{"choice":{},` + always + `}`,
		`{"p":{},"q":{}}`:               `{` + before + after + `,"p":{"x":1},"q":{"y":2},"zero":0}`,
		`{"on":null,"empty":{"x":[1]}}`: `{"empty":{"x":[1]},"more":"b","name":"none","on":null,"zero":0}`,
	} {
		given := value(t, text)
		got, err := s.Complete(given)
		if err != nil || encoded(t, got) != want {
			t.Errorf("%s: got %s, %v", text, encoded(t, got), err)
		}
		if encoded(t, given) != encoded(t, value(t, text)) {
			t.Errorf("%s became %s", text, encoded(t, given))
		}
	}
	if _, err := s.Complete(value(t, `{"name":5}`)); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
}

// TestCompleteIsNoHelp: a default does not make up for a required property (jesse looks at what was sent), and where
// all of it together is not valid there is none.
func TestCompleteIsNoHelp(t *testing.T) {
	t.Parallel()
	s := compiled(t, map[string]string{
		"a": `{"required":["x"],"properties":{"x":{"type":"integer","default":1}}}`,
	})
	if got := findingsText(t, second(s.Complete(map[string]any{}))); !strings.Contains(got, `"required"`) {
		t.Errorf("got %s", got)
	}
	s = compiled(t, map[string]string{
		"a": `{"maxProperties":1,"properties":{"x":{"type":"integer","default":1},"y":{"type":"integer","default":1}}}`,
	})
	if got, err := s.Complete(map[string]any{}); err != nil || encoded(t, got) != `{}` {
		t.Errorf("got %s, %v", encoded(t, got), err)
	}
}

// TestEndlessDefaults: a default that has itself in it has no end.
func TestEndlessDefaults(t *testing.T) {
	t.Parallel()
	s := compiled(t, map[string]string{
		"a": `{"properties":{"x":{"type":"object","default":{},"allOf":[{"$ref":"#"}]}}}`,
	})
	if _, err := s.Complete(map[string]any{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
}

func second[T any](_ T, err error) error { return err }
