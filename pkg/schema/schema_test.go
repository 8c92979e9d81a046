package schema_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/xeipuuv/gojsonschema"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/schema"
	"junctor/schemas"
)

// bundled loads the schemas of the product.
func bundled(t testing.TB) *schema.Set {
	t.Helper()
	set, err := schema.Load(schemas.Files)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// files makes a file system of schemas, by name; $schema and _id need not be written.
func files(schemas map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for id, rest := range schemas {
		text := fmt.Sprintf(`{"$schema":"http://json-schema.org/draft-04/schema#","_id":%q,%s`, id, rest[1:])
		fsys[id+".json"] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

func value(t testing.TB, text string) any {
	t.Helper()
	decoded, err := document.DecodeValue([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return decoded
}

// report returns what Validate found as JSON text, "null" where that is nothing.
func report(t testing.TB, set *schema.Set, id string, value any) string {
	t.Helper()
	return findingsText(t, set.Validate(id, value))
}

func findingsText(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return "null"
	}
	var failure *fault.Error
	if !errors.As(err, &failure) || failure.Kind != fault.Invalid {
		t.Fatal(err)
	}
	fields, ok := failure.Data.(fault.Fields)
	if !ok || len(fields) == 0 {
		t.Fatalf("data is %v", failure.Data)
	}
	text, err := document.Encode(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// samples loads schemas made for tests, which have what the bundled ones have not.
func samples(t testing.TB) *schema.Set {
	t.Helper()
	set, err := schema.Load(os.DirFS("testdata/schemas"))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// cases returns the lines of a file in testdata.
func cases(t testing.TB, name string) []document.Document {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var lines []document.Document
	for line := range bytes.Lines(text) {
		decoded, err := document.Decode(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		lines = append(lines, decoded)
	}
	return lines
}

func encoded(t testing.TB, value any) string {
	t.Helper()
	text, err := document.Encode(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// compare validates the data of every line, and compares what is found with the line's errors.
func compare(t *testing.T, set *schema.Set, lines []document.Document) {
	t.Helper()
	for _, line := range lines {
		id, data, want := line.String("schema"), line["data"], encoded(t, line["errors"])
		if got := report(t, set, id, data); got != want {
			t.Errorf("%s %s %s:\n got %s\nwant %s", line.String("from"), id, encoded(t, data), got, want)
		}
	}
}

// TestRecorded compares with what a real Crossbar answered.
func TestRecorded(t *testing.T) {
	t.Parallel()
	set := bundled(t)
	lines := cases(t, "recorded.jsonl")
	if len(lines) < 50 {
		t.Fatalf("only %d exchanges", len(lines))
	}
	compare(t, set, lines)
}

// stricter are the addresses that junctor refuses and Kazoo takes: the address parser of its Erlang reads a sign,
// and a zone means an interface of one host, which is no part of an address that others could call.
var stricter = []string{"+1.2.3.4", "fe80::1%eth0", "fe80::1%0", "fe80::1%", "fe80::1%25eth0"}

// TestAddresses compares the spellings of addresses with what a real Crossbar takes.
func TestAddresses(t *testing.T) {
	t.Parallel()
	set := bundled(t)
	lines := cases(t, "addresses.jsonl")
	if len(lines) < 70 {
		t.Fatalf("only %d addresses", len(lines))
	}
	for _, line := range lines {
		address, want := encoded(t, line["address"]), encoded(t, line["errors"])
		if slices.Contains(stricter, line.String("address")) {
			want = `{"ips.0":{"not_one_schema_valid":{"message":"failed to validate","value":` + address + `}}}`
		}
		if got := report(t, set, "ips", value(t, `{"ips":[`+address+`]}`)); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
}

// TestReports has what is not in the recordings: the other codes, and how findings on one value meet.
func TestReports(t *testing.T) {
	t.Parallel()
	compare(t, samples(t), cases(t, "reports.jsonl"))
}

func TestDocumentsAreTaken(t *testing.T) {
	t.Parallel()
	doc := document.Document{"ip": "10.0.0.1", "zone": "z"}
	want := `{"host":{"required":{"message":"Field is required but missing","value":"host"}}}`
	if got := report(t, bundled(t), "ip", doc); got != want {
		t.Errorf("got %s", got)
	}
}

// TestManyErrors checks that an answer stays within a few times the size of a request, however wrong that is.
func TestManyErrors(t *testing.T) {
	t.Parallel()
	set := bundled(t)
	addresses := `{"ips":[` + strings.TrimSuffix(strings.Repeat(`"x",`, 5000), ",") + `]}`
	var extras strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&extras, `"key%d":"some text",`, i)
	}
	for id, text := range map[string]string{"ips": addresses, "api_auth": `{` + extras.String() + `"api_key":1}`} {
		got := report(t, set, id, value(t, text))
		if found := strings.Count(got, `"message"`); found < 5000 {
			t.Errorf("%s: only %d findings", id, found)
		}
		if len(got) > 30*len(text) {
			t.Errorf("%s: %d bytes for %d", id, len(got), len(text))
		}
	}
}

func TestTooManyValues(t *testing.T) {
	t.Parallel()
	set, item := bundled(t), `"x",`
	const want = `{"":{"maxSize":{"message":"Data must not have more than 20000 values","target":20000}}}`
	for data, refused := range map[string]bool{
		`{"ips":[` + strings.Repeat(item, 19997) + `"x"]}`:           false,
		`{"ips":[` + strings.Repeat(item, 19998) + `"x"]}`:           true,
		`{"ips":[],"more":[` + strings.Repeat(`{},`, 20000) + `{}]}`: true,
		`[` + strings.Repeat(`[[]],`, 10000) + `{"a":{}}]`:           true,
	} {
		if got := report(t, set, "ips", value(t, data)); (got == want) != refused {
			t.Errorf("%.30s: refused is %v: %.100s", data, !refused, got)
		}
	}
}

func TestUnknownSchema(t *testing.T) {
	t.Parallel()
	set := bundled(t)
	if err := set.Validate("nope", nil); !fault.Is(err, fault.SchemaUnusable) {
		t.Errorf("got %v", err)
	}
	if text, err := set.Text("nope"); !fault.Is(err, fault.BadIdentifier) {
		t.Errorf("got %s, %v", text, err)
	}
}

func TestBundled(t *testing.T) {
	t.Parallel()
	set := bundled(t)
	for _, id := range []string{"api_auth", "customer_cluster", "ip", "ips", "user_auth"} {
		if !slices.Contains(set.IDs(), id) {
			t.Errorf("no %s", id)
		}
	}
	draft4 := gojsonschema.NewReferenceLoader("http://json-schema.org/draft-04/schema#") // the library has it
	for _, id := range set.IDs() {
		text, err := set.Text(id)
		if err != nil || text.ID() != id || text.String("description") == "" {
			t.Errorf("%s: got %s, %v", id, text, err)
		}
		if encoded := encoded(t, text); strings.Contains(encoded, "$ref") {
			t.Errorf("%s refers to another schema: gojsonschema would fetch it", id)
		}
		result, err := gojsonschema.Validate(draft4, gojsonschema.NewRawLoader(map[string]any(text)))
		if err != nil || !result.Valid() {
			t.Errorf("%s: %v, %v", id, err, result)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for name, fsys := range map[string]fstest.MapFS{
		"no JSON":           {"a.json": {Data: []byte(`{"_id":"a",}`)}},
		"another's id":      {"a.json": {Data: []byte(`{"_id":"b"}`)}},
		"no schema":         files(map[string]string{"a": `{"type":"text"}`}),
		"unknown reference": files(map[string]string{"a": `{"properties":{"x":{"$ref":"b"}}}`}),
		"a bad expression":  files(map[string]string{"a": `{"pattern":"("}`}),
	} {
		if _, err := schema.Load(fsys); err == nil || !strings.Contains(err.Error(), "schema a: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestConcurrentUse is for the race detector: the library keeps state that all validations share.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	set, lines := samples(t), cases(t, "reports.jsonl")
	for range 4 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			compare(t, set, lines)
		})
	}
}

// FuzzValidate checks that no value makes the validation panic or answer anything but findings.
func FuzzValidate(f *testing.F) {
	sets := []*schema.Set{bundled(f), samples(f)}
	for _, line := range slices.Concat(cases(f, "recorded.jsonl"), cases(f, "reports.jsonl")) {
		f.Add([]byte(encoded(f, line["data"])))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		decoded, err := document.DecodeValue(data)
		if err != nil {
			return
		}
		for _, set := range sets {
			for _, id := range set.IDs() {
				report(t, set, id, decoded)
				if doc, ok := decoded.(map[string]any); ok {
					_, err := set.Cast(id, doc)
					findingsText(t, err)
				}
			}
		}
	})
}
