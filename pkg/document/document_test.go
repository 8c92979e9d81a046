package document_test

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"junctor/pkg/document"
)

// decode reads a document of a test.
func decode(t testing.TB, text string) document.Document {
	t.Helper()
	doc, err := document.Decode([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return doc
}

func TestFields(t *testing.T) {
	t.Parallel()
	doc := decode(t, `{"_id":"10.0.0.1","_rev":"2-ab","name":7,"yes":true,"text":"true","capital":"True","one":1,
		"big":63962540387,"half":0.5,"huge":12345678901234567890,"tree":["a",1,null,"b"]}`)
	if doc.ID() != "10.0.0.1" || doc.Rev() != "2-ab" || doc.String("name") != "" || doc.String("gone") != "" {
		t.Errorf("texts of %v", doc)
	}
	for key, want := range map[string]bool{"yes": true, "text": true, "capital": false, "one": false, "gone": false} {
		if doc.Bool(key) != want {
			t.Errorf("Bool(%q) = %v", key, !want)
		}
	}
	if n, ok := doc.Int("big"); !ok || n != 63962540387 || doc["big"] != document.Number(n) {
		t.Errorf("Int = %d, %v", n, ok)
	}
	for _, key := range []string{"huge", "text", "gone"} {
		if n, ok := doc.Int(key); ok {
			t.Errorf("Int(%q) = %d", key, n)
		}
	}
	if got := doc.Strings("tree"); !reflect.DeepEqual(got, []string{"a", "b"}) {
		t.Errorf("Strings = %v", got)
	}
	if got := doc.Strings("name"); len(got) != 0 {
		t.Errorf("Strings of a number = %v", got)
	}
}

func TestNilDocument(t *testing.T) {
	t.Parallel()
	var doc document.Document
	if doc.ID() != "" || doc.Bool("x") || doc.Clone() != nil || len(doc.Public()) != 0 {
		t.Errorf("a nil document holds something")
	}
}

func TestPublic(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{`{"_id":"x","_rev":"1-a","pvt_type":"t","name":"n","n":{"pvt_a":1}}`, `{"id":"x","n":{"pvt_a":1},"name":"n"}`},
		{`{"_id":"x","id":"other","_read_only":{"deleted":true}}`, `{"id":"x"}`},
		{`{"id":"kept","pvt":"public","p":{"_id":"nested"}}`, `{"id":"kept","p":{"_id":"nested"},"pvt":"public"}`},
	} {
		doc := decode(t, c.text)
		got, err := document.Encode(doc.Public())
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %s, %v", c.text, got, err)
		}
		if !reflect.DeepEqual(doc, decode(t, c.text)) {
			t.Errorf("%s: Public changed the document", c.text)
		}
	}
}

// TestInt: integers are read as Kazoo reads them (kz_term:to_integer).
func TestInt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		`7`: 7, `-7`: -7, `7.0`: 7, `0.5`: 1, `-0.5`: -1, `1.4999`: 1, `1e3`: 1000, `"7"`: 7, `"+7"`: 7, `"-7"`: -7,
		`"007"`: 7, `"86400.0"`: 86400, `"2.5"`: 3, `"1.0e3"`: 1000, `9223372036854775807`: math.MaxInt64,
	} {
		if got, ok := decode(t, `{"n":`+text+`}`).Int("n"); got != want || !ok {
			t.Errorf("%s: %d, %t, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{
		`""`, `" 7"`, `"7 "`, `"7s"`, `"0x7"`, `"7_0"`, `"1e3"`, `".5"`, `"5."`, `"NaN"`, `"Inf"`, `"infinity"`, `null`,
		`true`, `[7]`, `{}`, `9223372036854775808`, `1e19`, `1e300`, `"-9.0e999"`, `"99999999999999999999"`,
	} {
		if got, ok := decode(t, `{"n":`+text+`}`).Int("n"); ok {
			t.Errorf("%s: %d", text, got)
		}
	}
}

func TestClone(t *testing.T) {
	t.Parallel()
	const text = `{"a":{"b":[{"c":1}]},"n":1.0,"z":null}`
	doc := decode(t, text)
	clone := doc.Clone()
	if !reflect.DeepEqual(clone, doc) {
		t.Fatalf("got %v", clone)
	}
	list := clone["a"].(object)["b"].([]any)
	list[0].(object)["c"] = "changed"
	list[0] = json.Number("2")
	clone["a"].(object)["b"] = nil
	delete(clone, "z")
	if !reflect.DeepEqual(doc, decode(t, text)) {
		t.Errorf("the clone shares with its original: %v", doc)
	}
}

func TestBlankContinuations(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{\"data\": \\\n {\"ip\":\\\r\n\"x\\\\ \"}}": "{\"data\":  \n {\"ip\": \r\n\"x\\\\ \"}}",
		`{\ "a\" \ b":1\	}`:                          `{  "a\" \ b":1 	}`,
		`\\ {}`:                                      `\  {}`,
		`{"a":"\n \ "}`:                              `{"a":"\n \ "}`,
		`{}\`:                                        `{}\`,
		`{\x}`:                                       `{\x}`,
		`{"unterminated \`:                           `{"unterminated \`,
		``:                                           ``,
	} {
		data := []byte(text)
		got := document.BlankContinuations(data)
		if string(got) != want || string(data) != text {
			t.Errorf("%q became %q, want %q; the argument %q", text, got, want, data)
		}
	}
}

func TestBlankContinuationsCopiesOnlyWhenNeeded(t *testing.T) {
	for _, text := range []string{`{"data":{}}`, `{"data":"\\ \n "}`} {
		data := []byte(text)
		allocated := testing.AllocsPerRun(10, func() {
			if got := document.BlankContinuations(data); &got[0] != &data[0] {
				t.Errorf("%s was copied", text)
			}
		})
		if allocated != 0 {
			t.Errorf("%s: %v allocations", text, allocated)
		}
	}
}
