package embedded

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/dop251/goja"
)

// FuzzParseJSON compares with goja's own JSON.parse what a script gets of a document, and as what key it sorts.
func FuzzParseJSON(f *testing.F) {
	for _, text := range []string{
		`{}`, `[]`, `null`, `"x"`, `[[],{},[{"a":[]}]]`, `{"b":1,"a":[true,false,null],"b":2,"10":3,"2":4}`,
		`{"__proto__":{"x":1},"constructor":1,"":{"toString":2}}`, `["\u0041\"\\\/\b\n\ud83d\ude00\ud800", "é😀\u2028"]`,
		`{"a,b":"]}","c\"d":"{[,:","e\\":"\\"}`, `[0,-0,1.5,1e3,-1E-7,9007199254740993,123456789012345678901234567890,0.1]`,
		`{"a":{"x":1},"a":2,"b":[1],"b":{"c":[{"d":"}]"}]},"c":1,"c":{}}`,
		`"a string that is longer than sixteen bytes, é"`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var compact bytes.Buffer
		if !utf8.Valid(raw) || json.Compact(&compact, raw) != nil {
			t.Skip()
		}
		text, vm := compact.String(), goja.New()
		parse, _ := goja.AssertFunction(vm.GlobalObject().Get("JSON").ToObject(vm).Get("parse"))
		want, err := parse(goja.Undefined(), vm.ToValue(text))
		if err != nil {
			t.Skip() // a number beyond float64, which goja refuses
		}
		freeze, _ := goja.AssertFunction(vm.GlobalObject().Get("Object").ToObject(vm).Get("freeze"))
		for _, freeze := range []goja.Callable{nil, freeze} {
			if got, want := spelled(t, vm, parseJSON(vm, text, freeze)), spelled(t, vm, want); got != want {
				t.Errorf("%s: got %s, JSON.parse %s", text, got, want)
			}
		}
		key, err := decodeKey(compact.Bytes())
		if want, _ := decodeJSON(compact.Bytes()); err != nil || !reflect.DeepEqual(key, want) {
			t.Errorf("%s: got the key %#v, %v, want %#v", text, key, err, want)
		}
	})
}

// spelled tells values apart by more than their JSON.
func spelled(t *testing.T, vm *goja.Runtime, value goja.Value) string {
	t.Helper()
	stringify, _ := goja.AssertFunction(vm.GlobalObject().Get("JSON").ToObject(vm).Get("stringify"))
	text, err := stringify(goja.Undefined(), value)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(text, " ", value.ExportType())
}
