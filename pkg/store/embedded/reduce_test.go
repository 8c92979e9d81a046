package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-kivik/kivik/v4"
)

// reduceDesign has one view with a reduce function.
func reduceDesign(reduce string) map[string]any {
	return map[string]any{"views": map[string]any{"v": map[string]any{"map": `function(doc) {}`, "reduce": reduce}}}
}

// compileReducer compiles one view with a reduce function.
func compileReducer(t *testing.T, reduce string, j *logBuffer) *reducer {
	t.Helper()
	return mustCompile(t, reduceDesign(reduce), j).reduces["v"]
}

// rawValues takes a JSON array apart.
func rawValues(t *testing.T, array string) (values []json.RawMessage) {
	t.Helper()
	if err := json.Unmarshal([]byte(array), &values); err != nil {
		t.Fatal(err)
	}
	return values
}

func TestReduce(t *testing.T) {
	t.Parallel()
	const returnsAll = `function(keys, values, again) { return [keys, values, again]; }`
	tests := []struct {
		name, function, values string
		again                  bool
		want                   string
	}{
		{"count", "_count", `[null,"a",{}]`, false, `3`},
		{"count of nothing", "_count", `[]`, false, `0`},
		{"count again", "_count", `[3,4]`, true, `7`},
		{"count of nothing again", "_count", `[]`, true, `0`},
		{"sum", "_sum", `[1,2.5,-4]`, false, `-0.5`},
		{"sum of nothing", "_sum", `[]`, false, `0`},
		{"sum again", "_sum", `[3,4.5]`, true, `7.5`},
		{"script", returnsAll, `[1,"b"]`, false, `[[["k","1"],["k","1"]],[1,"b"],false]`},
		{"script again", returnsAll, `[1,2]`, true, `[null,[1,2],true]`},
		{"script with sum", `function(k, v) { return sum(v); }`, `[1,2,3]`, false, `6`},
		{"Kazoo's", `function(keys, values) {  return true;}`, `[null]`, false, `true`},
		{"undefined", `function() {}`, `[1]`, false, `null`},
		{"NaN", `function() { return NaN; }`, `[1]`, false, `null`},
		{"a function", `function() { return isArray; }`, `[1]`, false, `null`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var j logBuffer
			values := rawValues(t, test.values)
			keys := make([]json.RawMessage, len(values))
			for i := range keys {
				keys[i] = json.RawMessage(`["k","1"]`)
			}
			got, err := compileReducer(t, test.function, &j).call(t.Context(), keys, values, test.again)
			if err != nil || string(got) != test.want {
				t.Errorf("got %s, error %v, want %s", got, err, test.want)
			}
		})
	}
}

func TestSumOfOthersThanNumbers(t *testing.T) {
	t.Parallel()
	for _, values := range []string{`["1"]`, `[null]`, `[1,true]`, `[[1,2]]`, `[1,[1]]`, `[{"a":1}]`} {
		var j logBuffer
		got, err := compileReducer(t, "_sum", &j).call(t.Context(), nil, rawValues(t, values), false)
		if kivik.HTTPStatus(err) != 501 || err == nil || !strings.Contains(err.Error(), "_sum of values") {
			t.Errorf("%s: got %s, error %v", values, got, err)
		}
	}
}

func TestScriptReduceFails(t *testing.T) {
	t.Parallel()
	var j logBuffer
	one := rawValues(t, `[1]`)
	throws := compileReducer(t, `function() { throw "on purpose"; }`, &j)
	if got, err := throws.call(t.Context(), nil, one, true); err != nil || string(got) != "null" {
		t.Errorf("a function that throws: %s, error %v", got, err)
	}
	loops := mustCompile(t, reduceDesign(`function() { for (;;); }`), &j)
	loops.limit = 100 * time.Millisecond
	if got, err := loops.reduces["v"].call(t.Context(), nil, one, true); !errors.Is(err, errScriptLimit) || got != nil {
		t.Errorf("a function that loops: %s, error %v", got, err)
	}
	for _, want := range []string{"on purpose", errScriptLimit.Error(), "_design/test", `"function":"reduce"`, `"view":"v"`} {
		if !strings.Contains(j.String(), want) {
			t.Errorf("log %q does not say %q", &j, want)
		}
	}
}

func TestScriptReduceCancelled(t *testing.T) {
	t.Parallel()
	var j logBuffer
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := compileReducer(t, `function() { return 1; }`, &j)
	if got, err := r.call(ctx, nil, rawValues(t, `[1]`), true); !errors.Is(err, context.Canceled) || j.String() != "" {
		t.Errorf("got %s, error %v, logged %q", got, err, &j)
	}
}
