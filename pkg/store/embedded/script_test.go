package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/go-kivik/kivik/v4"
	"github.com/rs/zerolog"
)

// design makes a design document of map functions by view name.
func design(mapFunctions map[string]string) map[string]any {
	views := map[string]any{}
	for name, source := range mapFunctions {
		views[name] = map[string]any{"map": source}
	}
	return map[string]any{"language": "javascript", "views": views}
}

func compileDesign(design map[string]any, limit time.Duration, log io.Writer) (*program, error) {
	design["_id"] = "_design/test"
	source, err := json.Marshal(design)
	if err != nil {
		return nil, err
	}
	return compile(source, limit, zerolog.New(log))
}

func mustCompile(t *testing.T, design map[string]any, j *logBuffer) *program {
	t.Helper()
	p, err := compileDesign(design, time.Minute, j)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// rowsText gives the rows of one view as "key=value" texts.
func rowsText(rows []emitted) string {
	texts := make([]string, len(rows))
	for i, row := range rows {
		texts[i] = string(row.Key) + "=" + string(row.Value)
	}
	return strings.Join(texts, " ")
}

func TestMapDoc(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ source, doc, want string }{
		"plain":               {`function(doc) { emit(doc._id, doc.n); }`, `{"_id":"a","n":1}`, `"a"=1`},
		"space and semicolon": {"\n function (doc) { emit(doc._id, 1); } ;\n", `{"_id":"a"}`, `"a"=1`},
		"comments around": {
			"// first\n/* second */ function(doc) { emit(1, 2); /* third */ } // fourth\n; // fifth", `{}`, `1=2`},
		"in brackets":      {`(function(doc) { emit(1, 2); })`, `{}`, `1=2`},
		"named":            {`function me(doc) { emit(typeof me, 2); }`, `{}`, `"function"=2`},
		"nothing emitted":  {`function(doc) { if (doc.no) emit(1, 2); }`, `{}`, ``},
		"several in order": {`function(doc) { emit(2, 1); emit(1, 2); emit(2, 1); }`, `{}`, `2=1 1=2 2=1`},
		"no text in JSON": {
			`function(doc) { emit(doc.no); emit(undefined, NaN); emit(1/0, function() {}); emit([void 0], -1/0); }`,
			`{}`, `null=null null=null null=null [null]=null`},
		"no arguments": {`function(doc) { emit(); }`, `{}`, `null=null`},
		"date":         {`function(doc) { emit(new Date(0), -0); }`, `{}`, `"1970-01-01T00:00:00.000Z"=0`},
		"turned to JSON when through, as in CouchDB": {
			`function(doc) { var v = {}; for (var i = 0; i < 2; i++) { v.i = i; emit(i, v); } }`, `{}`,
			`0={"i":1} 1={"i":1}`},
		"sandbox functions": {
			`function(doc) { emit(sum(doc.l), [isArray(doc.l), isArray(doc), toJSON(doc.l), JSON.parse("[1]")]); }`,
			`{"l":[1,2,3]}`, `6=[true,false,"[1,2,3]",[1]]`},
		"large number": {
			`function(doc) { emit(doc.n, null); }`, `{"n":9007199254740993}`, `9007199254740992=null`,
		},
		"infinity": {`function(doc) { emit(doc.n > 0, doc.l[0] < 0); }`, `{"n":1e400,"l":[-1e400]}`, `true=true`},
		"unicode":  {`function(doc) { emit(doc.s + "ß", doc.s.length); }`, `{"s":"é😀\u0000"}`, `"é😀\u0000ß"=4`},
		"lists and objects": {
			`function(doc) { for (var k in doc) { emit(k, doc[k]); } emit(doc, doc.o.l === doc.o.l); }`,
			`{"a":[],"o":{"l":[{"n":1}],"e":{}}}`,
			`"a"=[] "o"={"l":[{"n":1}],"e":{}} {"a":[],"o":{"l":[{"n":1}],"e":{}}}=true`},
		"a document is frozen, as in CouchDB": {
			`function(doc) { doc.o = 3; delete doc.d; doc.n.x = 1; doc.l[1] = 2; doc.m = 1; emit(doc, Object.isFrozen(doc.l)); }`,
			`{"l":[1],"o":{"x":1},"d":[1],"n":{"z":0}}`, `{"l":[1],"o":{"x":1},"d":[1],"n":{"z":0}}=true`},
		"member __proto__": {
			`function(doc) { emit(Object.keys(doc), doc.x); }`, `{"__proto__":{"x":1}}`, `["__proto__"]=null`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var j logBuffer
			rows, err := mustCompile(t, design(map[string]string{"v": test.source}), &j).
				mapDoc(t.Context(), "the-id", json.RawMessage(test.doc))
			if err != nil {
				t.Fatal(err)
			}
			if got := rowsText(rows["v"]); got != test.want || j.String() != "" {
				t.Errorf("got %s, want %s; logged %q", got, test.want, j.String())
			}
		})
	}
}

func TestFailingMapSkipsTheView(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ source, logged string }{
		"throws":          {`function(doc) { emit(1, 1); throw new Error("on purpose"); }`, "on purpose"},
		"throws no error": {`function(doc) { emit(1, 1); throw {a: 1}; }`, "object"},
		"reads undefined": {`function(doc) { emit(doc.no.name, 1); }`, "TypeError"},
		"recurses":        {`function f(doc) { emit(1, 1); return f(doc) + 1; }`, "itself too often"},
		"recurses in a getter": {
			`function(doc) { emit({toJSON: function f() { return JSON.stringify({toJSON: f}); }}, 1); }`, "itself too often"},
		"circular":             {`function(doc) { var o = {}; o.me = o; emit(o, 1); }`, "circular"},
		"require":              {`function(doc) { emit(require("views/lib/x"), 1); }`, "require is not supported"},
		"emits without end":    {`function(doc) { for (;;) emit(1, 1); }`, "rows emitted"},
		"emits too much":       {`function(doc) { var s = "x".repeat(1 << 20); emit([s, s, s, s, s]); }`, "bytes"},
		"breaks a built-in":    {`function(doc) { emit(1, "ab".repeat(Math.pow(2, 62))); }`, "function failed"},
		"changes the document": {`function(doc) { doc._id = 1; doc.list.push(1); }`, "Cannot add property"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var j logBuffer
			functions := map[string]string{"bad": test.source, "good": `function(doc) { emit(doc._id, 1); }`}
			p := mustCompile(t, design(functions), &j)
			for range 2 { // the second time in what the first left
				rows, err := p.mapDoc(t.Context(), "the-id", []byte(`{"_id":"the-id","list":[]}`))
				if err != nil {
					t.Fatal(err)
				}
				if got := rowsText(rows["good"]); got != `"the-id"=1` || len(rows["bad"]) != 0 {
					t.Errorf("rows %v", rows)
				}
			}
			for _, want := range []string{test.logged, "_design/test", "bad", "the-id", "map"} {
				if !strings.Contains(j.String(), want) {
					t.Errorf("log %q does not say %q", j.String(), want)
				}
			}
		})
	}
}

func TestLoopIsStopped(t *testing.T) {
	t.Parallel()
	var j logBuffer
	p := mustCompile(t, design(map[string]string{
		"a loops":   `function(doc) { if (doc.loop) for (;;) { try { for (;;); } catch (e) {} } emit(doc._id, 1); }`,
		"b waits":   `function(doc) { emit({toJSON: function() { for (; doc.loop;); return 1; }}, 1); }`,
		"c behaves": `function(doc) { emit(doc._id, 2); }`,
	}), &j)
	p.limit = 100 * time.Millisecond
	p.log = zerolog.New(writerFunc(func(line []byte) (int, error) {
		if bytes.Contains(line, []byte("b waits")) {
			p.limit = time.Minute // what follows may be slow
		}
		return j.Write(line)
	}))
	rows, err := p.mapDoc(t.Context(), "the-id", []byte(`{"_id":"a","loop":true}`))
	if err != nil || len(rows["a loops"])+len(rows["b waits"]) != 0 || rowsText(rows["c behaves"]) != `"a"=2` {
		t.Errorf("rows %v, error %v", rows, err)
	}
	if strings.Count(j.String(), errScriptLimit.Error()) != 2 {
		t.Errorf("logged %q", j.String())
	}
	rows, err = p.mapDoc(t.Context(), "the-id", []byte(`{"_id":"b"}`))
	if err != nil || rowsText(rows["a loops"]) != `"b"=1` || rowsText(rows["b waits"]) != `1=1` {
		t.Errorf("afterwards: rows %v, error %v", rows, err)
	}
}

// TestMapDamagedDoc has a document in whose file one bit has changed: ] is } now.
func TestMapDamagedDoc(t *testing.T) {
	t.Parallel()
	var j logBuffer
	p := mustCompile(t, design(map[string]string{
		"list": `function(doc) { emit(doc.l.length, 1); }`, "other": `function(doc) { emit(doc.n, 1); }`}), &j)
	rows, err := p.mapDoc(t.Context(), "the-id", []byte(`{"n":1,"l":[1}}`))
	if err != nil || len(rows["list"]) != 0 || rowsText(rows["other"]) != "1=1" || j.count("is damaged") != 1 {
		t.Errorf("rows %v, error %v, logged %s", rows, err, &j)
	}
}

func TestMapDocCancelled(t *testing.T) {
	t.Parallel()
	var j logBuffer
	ctx, cancel := context.WithCancel(t.Context())
	p, err := compileDesign(design(map[string]string{
		"v": `function(doc) { log("started"); for (;;); }`,
	}), time.Hour, writerFunc(func(line []byte) (int, error) { cancel(); return j.Write(line) }))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // during the call, and before it
		if rows, err := p.mapDoc(ctx, "the-id", []byte(`{}`)); !errors.Is(err, context.Canceled) || rows != nil {
			t.Errorf("rows %v, error %v", rows, err)
		}
	}
	if strings.Contains(j.String(), "failed") {
		t.Errorf("a cancelled call was logged as a failure: %s", &j)
	}
}

func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	var j logBuffer
	p := mustCompile(t, design(map[string]string{
		"a spoils":  `function(doc) { doc.n = 2; doc.more = 1; delete doc._id; doc.l[1] = 3; }`,
		"b notices": `function(doc) { var seen = []; for (var k in doc) seen.push(k); emit(seen, doc.l); }`,
	}), &j)
	for range 3 {
		rows, err := p.mapDoc(t.Context(), "the-id", []byte(`{"_id":"a","n":1,"l":[1]}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := rowsText(rows["b notices"]); got != `["_id","n","l"]=[1]` {
			t.Errorf("another view saw %s", got)
		}
	}
}

// TestGlobals: a call finds the names around it as the one before did.
func TestGlobals(t *testing.T) {
	t.Parallel()
	var j logBuffer
	p := mustCompile(t, design(map[string]string{"v": `function(doc) {
		emit([typeof a, typeof b, typeof c, typeof d, typeof sum, typeof JSON, this === globalThis], null);
		a = 1; this.b = 1; globalThis.c = 1; (0, eval)("var d = 1");
		var emitted = [typeof a, typeof b, typeof c, typeof d];
		sum = 1; delete this.JSON; Object.freeze(globalThis);
		emit(emitted, null);
	}`}), &j)
	for range 3 {
		rows, err := p.mapDoc(t.Context(), "the-id", []byte(`{}`))
		want := `["undefined","undefined","undefined","undefined","function","object",true]=null ` +
			`["number","number","number","number"]=null`
		if got := rowsText(rows["v"]); err != nil || got != want {
			t.Errorf("got %s, %v; %s", got, err, &j)
		}
	}
}

func TestScriptLog(t *testing.T) {
	t.Parallel()
	var j logBuffer
	p := mustCompile(t, design(map[string]string{
		"v": `function(doc) { log("hello"); log({a: [1]}); log(); log("x".repeat(5000)); emit(1, 1); }`}), &j)
	if rows, err := p.mapDoc(t.Context(), "the-id", []byte(`{}`)); err != nil || len(rows["v"]) != 1 {
		t.Fatalf("rows %v, error %v", rows, err)
	}
	for _, want := range []string{`"said":"hello"`, `"said":"{\"a\":[1]}"`, `"said":"undefined"`, "xxx…", "_design/test"} {
		if !strings.Contains(j.String(), want) {
			t.Errorf("log %q does not say %q", &j, want)
		}
	}
	if len(j.String()) > 2000 {
		t.Error("a long message was not cut")
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	view := func(m map[string]any) map[string]any { return map[string]any{"views": map[string]any{"v": m}} }
	const good = `function(doc) {}`
	tests := map[string]struct {
		design map[string]any
		status int
		reason string
	}{
		"syntax":       {view(map[string]any{"map": `function(doc) { emit( }`}), 400, "map function in the 'v' view"},
		"no function":  {view(map[string]any{"map": `42`}), 400, "does not eval to a function"},
		"empty":        {view(map[string]any{"map": ``}), 400, "Compilation"},
		"throws":       {view(map[string]any{"map": `(function() { throw new Error("early"); })()`}), 400, "early"},
		"loops":        {view(map[string]any{"map": `(function() { for (;;); })()`}), 400, "too long"},
		"no string":    {view(map[string]any{"map": []any{"function(doc)", "{}"}}), 400, "its functions strings"},
		"reduce":       {view(map[string]any{"map": good, "reduce": `function(`}), 400, "Compilation of the reduce function"},
		"language":     {map[string]any{"language": "erlang"}, 501, "erlang is not supported"},
		"view no map":  {map[string]any{"views": map[string]any{"v": "x"}}, 400, "must be an object"},
		"views no map": {map[string]any{"views": []any{}}, 400, "invalid design document"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var j logBuffer
			limit := time.Minute
			if name == "loops" {
				limit = 100 * time.Millisecond
			}
			_, err := compileDesign(test.design, limit, &j)
			if err == nil || kivik.HTTPStatus(err) != test.status || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("error %v, want %d %s", err, test.status, test.reason)
			}
		})
	}
}

func TestCompileTakes(t *testing.T) {
	t.Parallel()
	var j logBuffer
	p := mustCompile(t, map[string]any{"views": map[string]any{
		"b":   map[string]any{"map": `function(doc) {}`, "reduce": "_count"},
		"c":   map[string]any{"map": `function(doc) {}`, "reduce": "_approx_count_distinct"},
		"a":   map[string]any{"map": `function(doc) {}`},
		"lib": map[string]any{"x": "exports.y = 1;"},
	}}, &j)
	if got := fmt.Sprint(p.views); got != "[a b c]" {
		t.Errorf("views %s", got)
	}
	if p.reduces["a"] != nil {
		t.Error("view a has a reduce function")
	}
	if p.reduces["b"] == nil {
		t.Error("view b has no reduce function")
	}
	if p := mustCompile(t, map[string]any{}, &j); len(p.views) != 0 {
		t.Errorf("views of nothing: %v", p.views)
	}
}
