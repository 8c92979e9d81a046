package document_test

import (
	"reflect"
	"testing"

	"junctor/pkg/document"
)

// The cases with a number are recorded on a real Crossbar: 21_document_crud.
func TestMerge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, base, patch, want string }{
		{"13 nested", `{"n":{"1":{"a":1,"b":[1,2]},"2":{}},"x":{"d":{"k":1}}}`, `{"n":{"1":{"c":3},"3":{"n":1}}}`,
			`{"n":{"1":{"a":1,"b":[1,2],"c":3},"2":{},"3":{"n":1}},"x":{"d":{"k":1}}}`},
		{"14 list replaces", `{"flags":["x","y"],"name":"n"}`, `{"flags":["z"]}`, `{"flags":["z"],"name":"n"}`},
		{"15 list inside an object", `{"n":{"1":{"b":[1,2],"a":1}}}`, `{"n":{"1":{"b":[9]}}}`,
			`{"n":{"1":{"a":1,"b":[9]}}}`},
		{"16 null removes", `{"a":false,"b":1}`, `{"a":null}`, `{"b":1}`},
		{"17 null removes nested", `{"n":{"2":{},"3":{"n":1}}}`, `{"n":{"2":null}}`, `{"n":{"3":{"n":1}}}`},
		{"18 null on an unknown key", `{"a":1}`, `{"b":null}`, `{"a":1}`},
		{"19 empty patch", `{"a":{"b":1}}`, `{}`, `{"a":{"b":1}}`},
		{"25 empty object replaces", `{"n":{"1":{"a":1}}}`, `{"n":{}}`, `{"n":{}}`},
		{"26 scalar over object", `{"u":{"deep":{"k":1}}}`, `{"u":{"deep":5}}`, `{"u":{"deep":5}}`},
		{"27 scalar over object", `{"u":{"deep":5}}`, `{"u":"flat"}`, `{"u":"flat"}`},
		{"object over scalar", `{"u":"flat"}`, `{"u":{"a":1}}`, `{"u":{"a":1}}`},
		{"object over list", `{"u":[1]}`, `{"u":{"a":{"b":1}}}`, `{"u":{"a":{"b":1}}}`},
		{"empty object over nothing", `{}`, `{"u":{}}`, `{"u":{}}`},
		{"removal from nothing", `{}`, `{"u":{"a":null,"b":{"c":null}}}`, `{"u":{"b":{}}}`},
		{"null in a list stays", `{}`, `{"u":[null,{"a":null}]}`, `{"u":[null,{"a":null}]}`},
		{"null that was there stays", `{"u":null}`, `{"a":1}`, `{"a":1,"u":null}`},
		{"no arguments", `{}`, `{}`, `{}`},
	} {
		base, patch := decode(t, c.base), decode(t, c.patch)
		got := document.Merge(base, patch)
		if !reflect.DeepEqual(document.Document(got), decode(t, c.want)) {
			t.Errorf("%s: got %v", c.name, got)
		}
		if !reflect.DeepEqual(base, decode(t, c.base)) || !reflect.DeepEqual(patch, decode(t, c.patch)) {
			t.Errorf("%s: an argument was changed", c.name)
		}
	}
}

const stored = `{"_id":"mine","_rev":"3-a","pvt_type":"blacklist","name":"one","unknown":{"deep":1}}`

func TestPatched(t *testing.T) {
	t.Parallel()
	changes := `{"pvt_type":"evil","_rev":"1-a","_id":"x","id":"other","_read_only":{"x":1},"pvt_new":1,"name":"two"}`
	got := decode(t, stored).Patched(decode(t, changes))
	want := decode(t, `{"_id":"mine","_rev":"3-a","pvt_type":"blacklist","name":"two","unknown":{"deep":1}}`)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	got = decode(t, stored).Patched(decode(t, `{"pvt_type":null,"_id":null}`))
	if !reflect.DeepEqual(got, decode(t, stored)) {
		t.Errorf("a private key was removed: %v", got)
	}
}

func TestReplaced(t *testing.T) {
	t.Parallel()
	by := decode(t, `{"id":"other","_rev":"1-zzz","pvt_type":"evil","pvt_new":1,"flags":["a"]}`)
	got := decode(t, stored).Replaced(by)
	want := decode(t, `{"_id":"mine","_rev":"3-a","pvt_type":"blacklist","flags":["a"]}`)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	if by.String("id") != "other" || by.String("pvt_type") != "evil" {
		t.Errorf("the argument was changed: %v", by)
	}
	if got := decode(t, stored).Replaced(nil); len(got) != 3 || got.ID() != "mine" {
		t.Errorf("replaced by nothing: %v", got)
	}
}

// FuzzMerge checks the laws of a merge: doing it again changes nothing, what the patch does not name survives,
// what it names is as it says, no private key is a client's to set, and the arguments stay as they are.
func FuzzMerge(f *testing.F) {
	f.Add([]byte(stored), []byte(`{"name":null,"unknown":{"deep":{}},"pvt_type":"evil","id":"x"}`))
	f.Add([]byte(`{"a":{"b":{"c":1}},"l":[1]}`), []byte(`{"a":{"b":{},"d":{"e":null}},"l":{"0":2}}`))
	f.Add([]byte(`{"a":null}`), []byte(`{"a":{"a":{"a":null}},"_b":{},"pvt_":[null]}`))
	f.Fuzz(func(t *testing.T, baseText, patchText []byte) {
		base, err := document.Decode(baseText)
		if err != nil {
			return
		}
		patch, err := document.Decode(patchText)
		if err != nil {
			return
		}
		before := []document.Document{base.Clone(), patch.Clone()}
		merged := document.Merge(base, patch)
		if again := document.Merge(merged, patch); !reflect.DeepEqual(again, merged) {
			t.Fatalf("once %v, twice %v", merged, again)
		}
		checkNamed(t, base, patch, merged)
		checkPrivate(t, base, base.Patched(patch))
		checkPrivate(t, base, base.Replaced(patch))
		if !reflect.DeepEqual(before, []document.Document{base, patch}) {
			t.Fatal("an argument was changed")
		}
	})
}

// checkNamed compares a merge with what the patch says, level by level.
func checkNamed(t *testing.T, base, patch, merged map[string]any) {
	for key, value := range base {
		if _, named := patch[key]; !named && !reflect.DeepEqual(merged[key], value) {
			t.Fatalf("%q was %v, is %v", key, value, merged[key])
		}
	}
	for key, change := range patch {
		got, there := merged[key]
		changes, isObject := change.(map[string]any)
		switch {
		case change == nil:
			if there {
				t.Fatalf("%q was not removed", key)
			}
		case isObject && len(changes) > 0:
			nested, _ := base[key].(map[string]any)
			checkNamed(t, nested, changes, got.(map[string]any))
		case !reflect.DeepEqual(got, change):
			t.Fatalf("%q should be %v, is %v", key, change, got)
		}
	}
	if len(merged) > len(base)+len(patch) {
		t.Fatalf("%v came from nowhere", merged)
	}
}

// checkPrivate checks that a client's document left private keys and the id as they were.
func checkPrivate(t *testing.T, before, after document.Document) {
	for key, value := range before {
		if document.IsPrivate(key) && !reflect.DeepEqual(after[key], value) {
			t.Fatalf("%q was %v, is %v", key, value, after[key])
		}
	}
	for key := range after {
		if _, was := before[key]; !was && (document.IsPrivate(key) || key == "id") {
			t.Fatalf("the client set %q", key)
		}
	}
}
