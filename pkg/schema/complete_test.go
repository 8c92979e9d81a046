package schema_test

import (
	"testing"

	"junctor/pkg/fault"
	"junctor/pkg/schema"
)

func TestCompleteAddsDefaultsOfMissingProperties(t *testing.T) {
	t.Parallel()
	set, err := schema.Load(files(map[string]string{"a": `{"type":"object","properties":{
		"name":{"type":"string","default":"none"},
		"list":{"type":"array","default":[]},
		"deep":{"type":"object","properties":{"x":{"type":"integer","default":1}}},
		"plain":{"type":"string"},
		"choice":{"anyOf":[{"properties":{"x":{"type":"integer","default":1}}}]}}}`}))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		`{}`:                         `{"list":[],"name":"none"}`,
		`{"name":"a","list":[1]}`:    `{"list":[1],"name":"a"}`,
		`{"deep":{}}`:                `{"deep":{"x":1},"list":[],"name":"none"}`,
		`{"deep":{"x":"2"}}`:         `{"deep":{"x":2},"list":[],"name":"none"}`,
		`{"choice":{},"list":[{}]}`:  `{"choice":{},"list":[{}],"name":"none"}`,
		`{"plain":"p","other":null}`: `{"list":[],"name":"none","other":null,"plain":"p"}`,
	} {
		given := value(t, text)
		got, err := set.Complete("a", given)
		if err != nil || encoded(t, got) != want {
			t.Errorf("%s: got %s, %v", text, encoded(t, got), err)
		}
		if encoded(t, given) != encoded(t, value(t, text)) {
			t.Errorf("Complete changed %s to %s", text, encoded(t, given))
		}
	}
	if _, err := set.Complete("a", value(t, `{"name":5}`)); !fault.Is(err, fault.Invalid) {
		t.Errorf("a wrong type: got %v", err)
	}
	if _, err := set.Complete("nope", value(t, `{}`)); !fault.Is(err, fault.SchemaUnusable) {
		t.Errorf("an unknown schema: got %v", err)
	}
}

// A default that its own schema refuses would make Complete return what Validate refuses.
func TestBundledDefaultsAreValid(t *testing.T) {
	t.Parallel()
	set := bundled(t)
	for id, text := range map[string]string{
		"customer_cluster": `{"owner":"o","name":"n","ips":{}}`,
		"ips_allocation":   `{"quantity":1}`,
		"user_auth":        `{"credentials":"c"}`,
	} {
		given := value(t, text)
		complete, err := set.Complete(id, given)
		if err != nil {
			t.Fatal(err)
		}
		if encoded(t, complete) == encoded(t, given) {
			t.Errorf("%s: no default was added", id)
		}
		if err := set.Validate(id, complete); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}
