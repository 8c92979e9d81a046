package document_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"junctor/pkg/document"
)

// object is what a map of the decoded model is called.
type object = map[string]any

func TestDecodeValue(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]any{
		`null`:                           nil,
		` true `:                         true,
		"\t\r\n false":                   false,
		`""`:                             "",
		`"ü 😀 \u00fc \ud83d\ude00"`:      "ü 😀 ü 😀",
		`"\"\\\/\b\f\n\r\t\u0000\u001F"`: "\"\\/\b\f\n\r\t\x00\x1f",
		`"�"`:                            "\ufffd",
		`"\ufffd\uFFFF"`:                 "\ufffd\uffff",
		`0`:                              json.Number("0"),
		`-0.0`:                           json.Number("-0.0"),
		`1.50`:                           json.Number("1.50"),
		`1E+2`:                           json.Number("1E+2"),
		`12345678901234567890123`:        json.Number("12345678901234567890123"),
		`1.7976931348623157e308`:         json.Number("1.7976931348623157e308"),
		`5e-324`:                         json.Number("5e-324"),
		`[]`:                             []any{},
		`[1 , [ ] ,null]`:                []any{json.Number("1"), []any{}, nil},
		`{}`:                             object{},
		`{"":{"a" : "b"},"pvt_x":[{}]}`:  object{"": object{"a": "b"}, "pvt_x": []any{object{}}},
		`{"a":1,"b":2,"a":3}`:            object{"a": json.Number("1"), "b": json.Number("2")},
		`{"a":null,"a":3}`:               object{"a": nil},
		`[{"a":{"b":1,"b":2}}]`:          []any{object{"a": object{"b": json.Number("1")}}},
		`{"a":1,"\u0061":2}`:             object{"a": json.Number("1")},
		strings.Repeat("9", 308):         json.Number(strings.Repeat("9", 308)),
		"0." + strings.Repeat("1", 390):  json.Number("0." + strings.Repeat("1", 390)),
		strings.Repeat("[", 512) + strings.Repeat("]", 512): nested(512),
	} {
		got, err := document.DecodeValue([]byte(text))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%.60s: got %#v, %v", text, got, err)
		}
	}
}

func nested(depth int) any {
	value := []any{}
	for range depth - 1 {
		value = []any{value}
	}
	return value
}

func TestDepthIsNotLength(t *testing.T) {
	t.Parallel()
	if _, err := document.DecodeValue([]byte("[" + strings.Repeat(`[],{"a":{}},`, 600) + "0]")); err != nil {
		t.Error(err)
	}
}

func TestDecodeMalformed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text   string
		offset int64
	}{
		{``, 0},
		{`  `, 2},
		{`{"data":{"ip":`, 14},
		{`{"ip":"10.0.0.29",}`, 18},
		{`{"a":1} x`, 8},
		{`{} {}`, 3},
		{`{"a" 1}`, 5},
		{`{"a":}`, 5},
		{`{a:1}`, 1},
		{`{"a":1 "b":2}`, 7},
		{`[1,]`, 3},
		{`[1 2]`, 3},
		{`[1`, 2},
		{`nul`, 0},
		{`TRUE`, 0},
		{`NaN`, 0},
		{`'a'`, 0},
		{"\x00", 0},
		{"\ufeff{}", 0},
		{`// comment`, 0},
		{`01`, 1},
		{`-`, 1},
		{`-a`, 1},
		{`+1`, 0},
		{`.5`, 0},
		{`1.`, 2},
		{`1.x`, 2},
		{`1e`, 2},
		{`1e+ `, 3},
		{`[1e309]`, 1},
		{`[1e-401]`, 1},
		{`[1e999999999]`, 1},
		{`[0e-99999999999999999999]`, 1},
		{`[0e401]`, 1},
		{strings.Repeat("9", 310), 0},
		{"1." + strings.Repeat("0", 400), 0},
		{`"abc`, 4},
		{`"abc\`, 5},
		{`"\x"`, 1},
		{`"\u12`, 1},
		{`"\u12"`, 1},
		{`"\u12g4"`, 1},
		{`"\u+123"`, 1},
		{"\"a\nb\"", 2},
		{"\"a\\n\x1f\"", 4},
		{"\"a\xffb\"", 2},
		{"\"\\n\xed\xa0\x80\"", 3},
		{"{\"\xc3\":1}", 2},
		{`"z\ud800"`, 2},
		{`"\ud800\n"`, 1},
		{`"\udc00"`, 1},
		{`"\ud800\ud800"`, 1},
		{`"\ud800\u12"`, 1},
		{`"\ud800`, 1},
		// What is wrong first is what is told, and bad text is seen behind a whole value too.
		{"{}\xff", 2},
		{`1 \ud800`, 2},
		{"nul\xff", 0},
		{"{a:\"\xff\"}", 1},
		{`[1e309,"\ud800"]`, 1},
		{`["\ud800",1e309]`, 2},
		{strings.Repeat("[", 513), 512},
		{strings.Repeat(`{"a":`, 513), 5 * 512},
	} {
		_, err := document.DecodeValue([]byte(c.text))
		var syntax *document.SyntaxError
		if !errors.As(err, &syntax) || syntax.Offset != c.offset || syntax.Message == "" {
			t.Errorf("%.60q: got %v, want an error at %d", c.text, err, c.offset)
		}
	}
}

func TestSyntaxErrorText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"data":`:        "unexpected end of JSON around 8",
		`{"data":#secret`: "unexpected character around 8",
	} {
		if _, err := document.Decode([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

func TestDecodeTakesObjectsOnly(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`[{}]`, `"x"`, `3`, `null`} {
		if _, err := document.Decode([]byte(text)); !errors.Is(err, document.ErrNotObject) {
			t.Errorf("Decode %s: %v", text, err)
		}
		if _, err := document.DecodeMembers([]byte(text), 0); !errors.Is(err, document.ErrNotObject) {
			t.Errorf("DecodeMembers %s: %v", text, err)
		}
	}
}

func TestDecodeMembers(t *testing.T) {
	t.Parallel()
	got, err := document.DecodeMembers([]byte(` {"Data":{"a":1,"a":2},"x":null,"data":[]} `), 0)
	want := []document.Member{{"Data", object{"a": json.Number("1")}}, {"x", nil}, {"data", []any{}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	for text, offset := range map[string]int64{`{"a":1}}`: 7, `{"a":`: 5, `[1`: 2, ``: 0} {
		_, err := document.DecodeMembers([]byte(text), 0)
		var syntax *document.SyntaxError
		if !errors.As(err, &syntax) || syntax.Offset != offset {
			t.Errorf("%s: got %v, want an error at %d", text, err, offset)
		}
	}
}

func TestUnmarshalJSON(t *testing.T) {
	t.Parallel()
	var row struct {
		Doc, None document.Document
	}
	err := json.Unmarshal([]byte(`{"doc":{"n":1.0,"n":2,"deep":{"big":12345678901234567890}},"none":null}`), &row)
	want := document.Document{"n": json.Number("1.0"), "deep": object{"big": json.Number("12345678901234567890")}}
	if err != nil || !reflect.DeepEqual(row.Doc, want) || row.None != nil {
		t.Errorf("got %v, %v", row, err)
	}
	if err := json.Unmarshal([]byte(`{"doc":[]}`), &row); !errors.Is(err, document.ErrNotObject) {
		t.Errorf("a list: %v", err)
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	doc := document.Document{"b": "<a href='x'>&amp;", "a": []any{nil, true, json.Number("1.50")}, "ä": object{}}
	text, err := document.Encode(doc)
	if err != nil || string(text) != `{"a":[null,true,1.50],"b":"<a href='x'>&amp;","ä":{}}` {
		t.Errorf("got %s, %v", text, err)
	}
	for _, wrong := range []any{func() {}, json.Number("1 2"), json.Number("07"), document.Document{"a": []any{func() {}}}} {
		if text, err := document.Encode(wrong); err == nil {
			t.Errorf("%v was encoded: %s", wrong, text)
		}
	}
	if sum := document.MD5([]byte("{}")); sum != "99914b932bd37a50b983c5e7c90ae93b" {
		t.Errorf("the MD5 of {} is %s", sum)
	}
}

// FuzzDecode checks that decoding never panics, agrees with encoding/json but for the rules that Decode lists,
// and loses nothing: what was decoded is the same after it has been encoded and decoded again.
func FuzzDecode(f *testing.F) {
	for _, text := range []string{
		`{"data":{"ips":["10.0.0.1","2001:db8::1"]},"accept_charges":true}`,
		`{"a":1,"a":{"b":[null,true,false,-1.5e+3]},"\u0061":"\ud83d\ude00\n"}`,
		`[1e400,"\ud800",{"":[]}]`, "{\"k\":\"\xff\"}", `{"a":[1,2,}`, `"\u12`, `  `,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		value, err := document.DecodeValue(data)
		if err != nil {
			var syntax *document.SyntaxError
			if !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > int64(len(data)) {
				t.Fatalf("error %v for %d bytes", err, len(data))
			}
			if json.Valid(data) && !refusedByRule(data) {
				t.Fatalf("%q is JSON, but: %v", data, err)
			}
			return
		}
		if !json.Valid(data) || !utf8.Valid(data) {
			t.Fatalf("%q was taken", data)
		}
		text, err := document.Encode(value)
		if err != nil {
			t.Fatal(err)
		}
		sameText(t, text, value)
		again, err := document.DecodeValue(text)
		if err != nil || !reflect.DeepEqual(value, again) {
			t.Fatalf("%q became %q: %v", data, text, err)
		}
		sameMembers(t, data, value)
	})
}

// sameText checks that a text is what encoding/json makes of a value.
func sameText(t *testing.T, text []byte, value any) {
	t.Helper()
	var want bytes.Buffer
	encoder := json.NewEncoder(&want)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil || want.String() != string(text)+"\n" {
		t.Fatalf("%s was encoded, encoding/json says %s, %v", text, want.String(), err)
	}
}

// refusedByRule reports whether one of the rules that encoding/json does not have may apply to data.
func refusedByRule(data []byte) bool {
	surrogate := bytes.Contains(bytes.ToLower(data), []byte(`\ud`))
	deep := bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) > 512
	var floats any
	outOfRange := json.Unmarshal(data, &floats) != nil
	return surrogate || deep || outOfRange || !utf8.Valid(data) || bytes.ContainsAny(data, "eE") || len(data) > 400
}

// sameMembers checks that DecodeMembers tells the same as the whole document does.
func sameMembers(t *testing.T, data []byte, value any) {
	members, err := document.DecodeMembers(data, 0)
	whole, isObject := value.(map[string]any)
	if isObject != (err == nil) {
		t.Fatalf("%q: members: %v", data, err)
	}
	seen := map[string]bool{}
	for _, m := range members {
		if !seen[m.Key] && !reflect.DeepEqual(whole[m.Key], m.Value) {
			t.Fatalf("%q: %q is %v, not %v", data, m.Key, m.Value, whole[m.Key])
		}
		seen[m.Key] = true
	}
	if len(seen) != len(whole) {
		t.Fatalf("%q: %d of %d members", data, len(seen), len(whole))
	}
}
