package embedded

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/go-kivik/kivik/v4/x/collate"
)

func TestKeyOrder(t *testing.T) {
	t.Parallel()
	// Each row sorts strictly before the next. Strings follow the order of golang.org/x/text, which puts ` and ^
	// elsewhere than CouchDB's ICU does, and agrees on the rest.
	ordered := []any{
		nil, false, true,
		json.Number("-1e400"), -math.MaxFloat64, json.Number("-9007199254740993"), -2.5, -1.0, -math.SmallestNonzeroFloat64,
		0.0, math.SmallestNonzeroFloat64, 0.5, 1.0, json.Number("1.5"), 2.0, 10.0, json.Number("1e400"),
		"", " ", "_", "-", "0", "10", "2", "a", "A", "á", "ä2", "aa", "b", "B", "ba", "us-east", "us-west", "z", "世",
		[]any{}, []any{nil}, []any{nil, nil}, []any{1.0, "z"}, []any{2.0}, []any{"a"}, []any{"a", 1.0}, []any{"b"},
		[]any{[]any{}}, []any{map[string]any{}},
		map[string]any{}, map[string]any{"a": 1.0}, map[string]any{"a": 1.0, "b": 1.0}, map[string]any{"a": 2.0},
		map[string]any{"b": 1.0}, map[string]any{"b": 2.0, "c": 2.0},
	}
	for i := range ordered {
		for j := range ordered {
			got := bytes.Compare(appendKey(nil, ordered[i]), appendKey(nil, ordered[j]))
			if got != cmp.Compare(i, j) {
				t.Errorf("%#v and %#v compare as %d", ordered[i], ordered[j], got)
			}
		}
	}
}

func TestKeysThatCollateEqual(t *testing.T) {
	t.Parallel()
	tests := []struct{ a, b any }{
		{"a", "a\x00"}, {"é", "e\u0301"}, {"", "\x00"}, {0.0, math.Copysign(0, -1)}, {1.0, json.Number("1.0")},
		{json.Number("9007199254740992"), json.Number("9007199254740993")},
		{[]any{"a", 1.0}, []any{"a\x00", 1.0}}, {map[string]any{"a": 1.0}, map[string]any{"a\x00": 1.0}},
	}
	for _, test := range tests {
		a, b := appendKey(nil, test.a), appendKey(nil, test.b)
		prefix := appendKeyRange(nil, test.a)
		if !bytes.HasPrefix(a, prefix) || !bytes.HasPrefix(b, prefix) || bytes.Equal(a, b) {
			t.Errorf("%#v is %x, %#v is %x", test.a, a, test.b, b)
		}
		if got, want := bytes.Compare(a, b), strings.Compare(jsonText(t, test.a), jsonText(t, test.b)); got != want {
			t.Errorf("%#v and %#v compare as %d, want %d", test.a, test.b, got, want)
		}
	}
}

func TestKeyAppends(t *testing.T) {
	t.Parallel()
	for _, key := range []any{nil, true, 1.0, "a<é\x00", []any{"a"}, map[string]any{"a": 1.0}} {
		if got := appendKey([]byte("before"), key); !bytes.Equal(got, append([]byte("before"), appendKey(nil, key)...)) {
			t.Errorf("%#v: %x", key, got)
		}
	}
}

func jsonText(t testing.TB, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// compareKeys is the oracle: CouchDB's rules written down naively, over kivik's CompareString, which is sound. The rest of
// kivik's package is not: CompareJSON compares strings with their quotes and escapes, so that a quote decides "a" against
// "a b"; CompareObject subtracts numbers and truncates, so that 0.5 equals 0, and it puts {} behind {"a":1} and panics on
// two of them.
func compareKeys(a, b any) int {
	if order := cmp.Compare(typeRank(a), typeRank(b)); order != 0 {
		return order
	}
	switch a := a.(type) {
	case float64:
		return cmp.Compare(a, b.(float64))
	case string:
		return collate.CompareString(a, b.(string))
	case []any:
		return slices.CompareFunc(a, b.([]any), compareKeys)
	case map[string]any:
		return slices.CompareFunc(sortedMembers(a), sortedMembers(b.(map[string]any)), compareMembers)
	}
	return 0
}

func typeRank(value any) int {
	switch value := value.(type) {
	case bool:
		if value {
			return 2
		}
		return 1
	case float64:
		return 3
	case string:
		return 4
	case []any:
		return 5
	case map[string]any:
		return 6
	}
	return 0
}

type keyMember struct {
	name  string
	value any
}

func compareMembers(a, b keyMember) int {
	return cmp.Or(collate.CompareString(a.name, b.name), compareKeys(a.value, b.value))
}

func sortedMembers(object map[string]any) (members []keyMember) {
	for name, value := range object {
		members = append(members, keyMember{name, value})
	}
	slices.SortFunc(members, func(a, b keyMember) int {
		return cmp.Or(collate.CompareString(a.name, b.name), strings.Compare(a.name, b.name))
	})
	return members
}

// randomKey makes a key out of few building blocks, so that many keys share a beginning.
func randomKey(r *rand.Rand, depth int) any {
	kinds := 8
	if depth == 0 {
		kinds = 6
	}
	switch r.IntN(kinds) {
	case 0:
		return []any{nil, false, true}[r.IntN(3)]
	case 1:
		return float64(r.IntN(5) - 2)
	case 2:
		return []float64{0.5, -0.5, 1e300, -1e300, math.SmallestNonzeroFloat64, math.Copysign(0, -1)}[r.IntN(6)]
	case 3, 4, 5:
		return randomString(r)
	case 6:
		array := make([]any, r.IntN(4))
		for i := range array {
			array[i] = randomKey(r, depth-1)
		}
		return array
	}
	object := map[string]any{}
	for range r.IntN(4) {
		object[randomString(r)] = randomKey(r, depth-1)
	}
	return object
}

func randomString(r *rand.Rand) string {
	parts := []string{
		"a", "b", "A", "é", "e", "\u0301", "\x00", "\x01", "ÿ", " ", "\"", "-", "z", "\uffff", "世", "1", "😀",
	}
	var b strings.Builder
	for range r.IntN(4) {
		b.WriteString(parts[r.IntN(len(parts))])
	}
	return b.String()
}

// FuzzKeyOrder compares two keys as the oracle does and as their encodings sort. What is not JSON is a string.
func FuzzKeyOrder(f *testing.F) {
	f.Add(`["a",1]`, `["a\u0000",0.5]`)
	f.Fuzz(func(t *testing.T, textA, textB string) {
		a, nameA := fuzzedKey(textA)
		b, nameB := fuzzedKey(textB)
		checkOrder(t, a, b)
		checkOrder(t, nameA, nameB)
		checkOrder(t, []any{nameA, b}, []any{nameB, a})
		checkOrder(t, map[string]any{nameA: a}, map[string]any{nameB: b})
		checkOrder(t, map[string]any{nameA: a, nameB: b}, map[string]any{nameB: a})
	})
}

// fuzzedKey gives the value that a text is in JSON, if it is any, and the text as a string that JSON could hold.
func fuzzedKey(text string) (key any, name string) {
	name = strings.ToValidUTF8(text, "\ufffd")
	if json.Unmarshal([]byte(text), &key) != nil {
		return name, name
	}
	return key, name
}

func checkOrder(t *testing.T, a, b any) {
	t.Helper()
	rangeA, rangeB := appendKeyRange(nil, a), appendKeyRange(nil, b)
	want := compareKeys(a, b)
	if got := bytes.Compare(rangeA, rangeB); got != cmp.Compare(want, 0) {
		t.Errorf("%s and %s compare as %d, want %d", jsonText(t, a), jsonText(t, b), got, want)
	}
	if want != 0 && (bytes.HasPrefix(rangeA, rangeB) || bytes.HasPrefix(rangeB, rangeA)) {
		t.Errorf("%s and %s differ, and one's place is a prefix of the other's", jsonText(t, a), jsonText(t, b))
	}
	keyA, keyB := appendKey(nil, a), appendKey(nil, b)
	if !bytes.HasPrefix(keyA, rangeA) || !bytes.HasPrefix(keyB, rangeB) {
		t.Errorf("%s or %s does not start with its place", jsonText(t, a), jsonText(t, b))
	}
	if same := jsonText(t, a) == jsonText(t, b); bytes.Equal(keyA, keyB) != same {
		t.Errorf("%s and %s: equal encodings %t", jsonText(t, a), jsonText(t, b), !same)
	}
}

// FuzzKeyRange seeks a range in an ordered set of random keys, each with a document id behind it, and compares
// what is between with a filter over all of them.
func FuzzKeyRange(f *testing.F) {
	f.Add(uint64(1), uint8(20))
	f.Fuzz(func(t *testing.T, seed uint64, size uint8) {
		r := rand.New(rand.NewPCG(seed, 0))
		keys, rows := make([]any, size), make([][]byte, size)
		for i := range keys {
			keys[i] = randomKey(r, 2)
			rows[i] = fmt.Appendf(appendKey(nil, keys[i]), "doc-%d", i)
		}
		start, end := randomKey(r, 2), randomKey(r, 2)
		if size > 1 { // mostly bounds that are hit
			start, end = keys[0], keys[1]
		}
		from, to := appendKeyRange(nil, start), append(appendKeyRange(nil, end), 0xff)
		for i, key := range keys {
			want := compareKeys(key, start) >= 0 && compareKeys(key, end) <= 0
			got := bytes.Compare(rows[i], from) >= 0 && bytes.Compare(rows[i], to) < 0
			if got != want {
				t.Errorf("%s within %s and %s: %t", jsonText(t, key), jsonText(t, start), jsonText(t, end), got)
			}
		}
	})
}
