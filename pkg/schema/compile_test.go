package schema_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/schema"
)

// compile compiles the schema "a" of texts, which are by id.
func compile(t testing.TB, texts map[string]string) (*schema.Schema, error) {
	t.Helper()
	return schema.Compile("a", func(id string) (document.Document, error) {
		text, ok := texts[id]
		if !ok {
			return nil, errors.New("unknown")
		}
		return value(t, text).(map[string]any), nil
	})
}

func compiled(t testing.TB, texts map[string]string) *schema.Schema {
	t.Helper()
	s, err := compile(t, texts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestReferences: wherever a reference stands and however it is written, it leads to a text of that id.
func TestReferences(t *testing.T) {
	t.Parallel()
	const number = `"type":"integer"`
	x := func(text string, more ...string) string {
		return `{` + strings.Join(append(more, `"properties":{"x":`+text+`}`), ",") + `}`
	}
	for name, texts := range map[string]map[string]string{
		"an id":             {"a": x(`{"$ref":"b.c"}`), "b.c": `{` + number + `}`},
		"an empty fragment": {"a": x(`{"$ref":"b#"}`), "b": `{` + number + `}`},
		"a fragment":        {"a": x(`{"$ref":"#/definitions/y"}`, `"definitions":{"y":{`+number+`}}`)},
		"id and fragment":   {"a": x(`{"$ref":"b#/y/0"}`), "b": `{"y":[{` + number + `}]}`},
		"escapes":           {"a": x(`{"$ref":"#/y%20~1~0z"}`, `"y /~z":{`+number+`}`)},
		"an odd id":         {"a": x(`{"$ref":"../a b/%3f?c"}`), "../a b/%3f?c": `{` + number + `}`},
		"an id like a URL":  {"a": x(`{"$ref":"http://b/c"}`), "http://b/c": `{` + number + `}`},
		"a chain":           {"a": x(`{"$ref":"b"}`), "b": `{"$ref":"c"}`, "c": `{` + number + `}`},
		"a circle":          {"a": x(`{"$ref":"b"}`), "b": `{` + number + `,"properties":{"y":{"$ref":"a"}}}`},
		"a choice":          {"a": x(`{"anyOf":[{"$ref":"b"}]}`), "b": `{` + number + `}`},
		"a pattern":         {"a": `{"patternProperties":{"^x$":{"$ref":"b"}}}`, "b": `{` + number + `}`},
		"others":            {"a": `{"additionalProperties":{"$ref":"b"}}`, "b": `{` + number + `}`},
		"a dependency":      {"a": `{"dependencies":{"x":{"$ref":"b"}}}`, "b": x(`{` + number + `}`)},
		"not":               {"a": x(`{"not":{"$ref":"b"}}`), "b": `{"type":"string"}`},
		"ids of its own":    {"a": x(`{"id":"http://e/","$ref":"b"}`, `"id":"a"`), "b": `{"id":"a",` + number + `}`},
		"a property named":  {"a": `{"properties":{"$ref":{"$ref":"c"},"x":{` + number + `}}}`, "c": `{}`},
		"required nothing":  {"a": x(`{`+number+`}`, `"required":[]`)},
		"used twice":        {"a": x(`{"$ref":"b","description":"d"}`, `"not":{"$ref":"b"}`), "b": `{` + number + `}`},
		"no keyword":        {"a": x(`{`+number+`,"enum":[1]}`, `"default":{"$ref":"nope"}`)},
		"siblings are void": {"a": x(`{"$ref":"b","type":"string"}`), "b": `{` + number + `}`},
		"items":             {"a": x(`{`+number+`}`, `"items":[{"$ref":"b"}],"additionalItems":{"$ref":"b"}`), "b": `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := compiled(t, texts)
			if err := s.Validate(value(t, `{"x":1}`)); err != nil {
				t.Errorf("1: %v", err)
			}
			if err := s.Validate(value(t, `{"x":"text"}`)); !fault.Is(err, fault.Invalid) {
				t.Errorf("text: %v", err)
			}
		})
	}
}

// TestCompileRefuses: schemas that would never end, or that the library would fail on or fetch from elsewhere.
func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	var fetched atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fetched.Add(1)
		_, _ = w.Write([]byte(`{}`))
	}))
	t.Cleanup(elsewhere.Close)
	file := filepath.Join(t.TempDir(), "secret.json")
	if err := os.WriteFile(file, []byte(`{"type":"object"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	property := func(ref string) string { return fmt.Sprintf(`{"properties":{"x":{"$ref":%q}}}`, ref) }
	for name, text := range map[string]string{
		"a URL":                      property(elsewhere.URL),
		"a URL and a pointer":        property(elsewhere.URL + "#/a"),
		"a file":                     property("file://" + file),
		"a path":                     property(file),
		"a URL of our own":           property("file:///0#/properties"),
		"a URL by an id":             fmt.Sprintf(`{"id":%q,"properties":{"x":{"id":"y","$ref":"z"}}}`, elsewhere.URL),
		"the metaschema":             property("http://json-schema.org/draft-04/schema#"),
		"a hidden id":                fmt.Sprintf(`{"default":{"id":%q},"allOf":[{"$ref":"%[1]s"}]}`, elsewhere.URL),
		"itself":                     `{"$ref":"#"}`,
		"itself by id":               `{"$ref":"a"}`,
		"itself in all":              `{"allOf":[{"$ref":"#"}]}`,
		"itself in any, below":       `{"properties":{"x":{"anyOf":[{},{"$ref":"#/properties/x"}]}}}`,
		"itself in one":              `{"oneOf":[{"$ref":"#"}]}`,
		"itself in not":              `{"not":{"$ref":"#"}}`,
		"itself in a dependency":     `{"dependencies":{"x":{"$ref":"#"}}}`,
		"itself around two corners":  `{"$ref":"#/x","x":{"$ref":"#/y"},"y":{"$ref":"#"}}`,
		"a list":                     `{"properties":{"x":{"$ref":"#/required"}},"required":["x"]}`,
		"nowhere":                    property("#/definitions/x"),
		"itself by another spelling": `{"allOf":[{"$ref":"#/allOf/00"}]}`,
		"no pointer":                 property("#name"),
		"no escape":                  property("#/%zz"),
		"draft 3":                    `{"$schema":"http://json-schema.org/draft-03/schema#"}`,
		"draft 7":                    `{"$schema":"http://json-schema.org/draft-07/schema#"}`,
		"its own draft":              fmt.Sprintf(`{"$schema":%q}`, elsewhere.URL),
		"a draft that is no text":    `{"$schema":4}`,
		"required as in draft 3":     `{"properties":{"x":{"required":true}}}`,
		"items that are none":        `{"items":true}`,
		"a list of none":             `{"anyOf":[1]}`,
		"a reference that is none":   `{"$ref":1}`,
		"a dependency on a number":   `{"dependencies":{"x":1}}`,
		"properties that are none":   `{"properties":[]}`,
		"a look-ahead":               `{"patternProperties":{"(?!x)":{}}}`,
		"too many to choose from":    `{"enum":` + names(5001) + `}`,
		"too many keys":              `{"required":` + names(5001) + `}`,
		"a long text":                `{"description":"` + strings.Repeat("x", 1<<20) + `"}`,
	} {
		if _, err := compile(t, map[string]string{"a": text}); err == nil {
			t.Errorf("%s: compiles", name)
		}
	}
	if n := fetched.Load(); n != 0 {
		t.Errorf("%d times something was fetched", n)
	}
}

// TestLongChain: there is a bound on how many schemas are applied within each other.
func TestLongChain(t *testing.T) {
	t.Parallel()
	const links = 11000
	var text strings.Builder
	text.WriteString(`{"$ref":"#/0"`)
	for i := range links {
		fmt.Fprintf(&text, `,"%d":{"$ref":"#/%d"}`, i, i+1)
	}
	fmt.Fprintf(&text, `,"%d":{"type":"object"}}`, links)
	s := compiled(t, map[string]string{"a": text.String()})
	if err := s.Validate(map[string]any{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
}

// TestManySteps: a schema that leads to itself in two ways doubles the work with each level of the value.
func TestManySteps(t *testing.T) {
	t.Parallel()
	for _, way := range []string{
		`{"properties":{"x":{"allOf":[{"$ref":"#"},{"$ref":"#"}]}}}`,
		`{"properties":{"x":{"$ref":"#"}},"patternProperties":{"x":{"$ref":"#"}}}`,
		`{"additionalProperties":{"oneOf":[{"$ref":"#"},{"not":{"$ref":"#"}}]}}`,
	} {
		s := compiled(t, map[string]string{"a": way})
		nested := func(depth int) any {
			return value(t, strings.Repeat(`{"x":`, depth)+`{}`+strings.Repeat(`}`, depth))
		}
		if err := s.Validate(nested(5)); err != nil && !strings.Contains(way, "oneOf") {
			t.Errorf("%s: %v", way, err)
		}
		const want = `{"":{"maxSize":{"message":"Data takes too many steps to check","target":100000}}}`
		if got := findingsText(t, s.Validate(nested(100))); got != want {
			t.Errorf("%s: %.300s", way, got)
		}
	}
}

// TestLongLists: what is wrong repeats what the schema allows, so that an answer could be longer than any body.
func TestLongLists(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{"items":{"enum":` + names(1000) + `}}`, `{"items":{"required":` + names(1000) + `}}`} {
		s := compiled(t, map[string]string{"a": text})
		several := func(count int) error { return s.Validate(value(t, `[{}`+strings.Repeat(`,{}`, count-1)+`]`)) }
		if err := several(2); !strings.Contains(findingsText(t, err), `"1`) {
			t.Errorf("%.20s: %v", text, err)
		}
		const want = `{"":{"maxSize":{"message":"Data takes too many steps to check","target":100000}}}`
		if got := findingsText(t, several(10_000)); got != want {
			t.Errorf("%.20s: %d bytes", text, len(got))
		}
	}
}

// names answers a list of different texts.
func names(count int) string {
	list := make([]string, count)
	for i := range list {
		list[i] = fmt.Sprintf("%q", fmt.Sprint("n", i))
	}
	return "[" + strings.Join(list, ",") + "]"
}

func FuzzCompile(f *testing.F) {
	for _, line := range []string{`{"properties":{"x":{"$ref":"#"}}}`, `{"items":[{}],"definitions":{}}`,
		`{"allOf":[{"$ref":"a#/x"}],"x":{"default":{},"type":"object"}}`, `{"dependencies":{"a":["b"]},"not":{}}`} {
		f.Add(line, `{"x":[{"a":1}]}`)
	}
	f.Fuzz(func(t *testing.T, text, data string) {
		doc, err := document.Decode([]byte(text))
		if err != nil {
			return
		}
		decoded, err := document.DecodeValue([]byte(data))
		if err != nil {
			return
		}
		s, err := schema.Compile("a", func(id string) (document.Document, error) {
			if id != "a" {
				return nil, errors.New("unknown")
			}
			return doc, nil
		})
		if err != nil {
			return
		}
		full, err := s.Complete(decoded)
		if err == nil && s.Validate(full) != nil {
			t.Errorf("%s of %s is not valid", encoded(t, full), text)
		}
	})
}
