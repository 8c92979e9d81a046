package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/dop251/goja"
	"github.com/rs/zerolog"
)

// program is the compiled functions of one design document, with a pool of sandboxes, one for each processor. It is safe
// for concurrent use.
type program struct {
	ddocID  string
	views   []string             // sorted
	maps    map[string]*function // by view
	reduces map[string]*reducer  // by view; none for a view without one
	limit   time.Duration        // of one call of a function
	log     zerolog.Logger
	idle    chan *sandbox
}

// function is a compiled function.
type function struct {
	kind, view string // "map" or "reduce"
	code       *goja.Program
}

// emitted is one row a map function emitted, as JSON text.
type emitted struct {
	Key, Value json.RawMessage
}

// compile compiles a design document. limit is the longest that one call of a function may take. The messages and the
// errors of scripts go to log. As in CouchDB, an entry of the views without a map function (`lib`, say) is not a view.
func compile(source []byte, limit time.Duration, log zerolog.Logger) (*program, error) {
	var design struct {
		ID       string `json:"_id"`
		Language any
		Views    map[string]json.RawMessage
	}
	if err := json.Unmarshal(source, &design); err != nil {
		return nil, badRequest("invalid design document: %v", err)
	}
	if design.Language != nil && design.Language != "javascript" {
		return nil, notSupported(fmt.Sprintf("design document language %v", design.Language))
	}
	p := &program{ddocID: design.ID, maps: map[string]*function{}, reduces: map[string]*reducer{}, limit: limit, log: log,
		idle: make(chan *sandbox, runtime.GOMAXPROCS(0))}
	for range cap(p.idle) {
		p.idle <- &sandbox{program: p}
	}
	for _, name := range slices.Sorted(maps.Keys(design.Views)) {
		var functions struct{ Map, Reduce *string }
		if err := json.Unmarshal(design.Views[name], &functions); err != nil {
			return nil, badRequest("the view '%s' must be an object, and its functions strings: %v", name, err)
		}
		if functions.Map == nil {
			continue
		}
		var err error
		if p.maps[name], err = p.compileFunction("map", name, *functions.Map); err == nil && functions.Reduce != nil {
			p.reduces[name], err = p.compileReduce(name, *functions.Reduce)
		}
		if err != nil {
			return nil, err
		}
		p.views = append(p.views, name)
	}
	return p, nil
}

// compileReduce takes the name of a built-in function, which starts with an underscore, or the source of a function.
func (p *program) compileReduce(view, source string) (*reducer, error) {
	if strings.HasPrefix(source, "_") {
		return builtinReducer(source), nil
	}
	f, err := p.compileFunction("reduce", view, source)
	return p.scriptReducer(f), err
}

// compileFunction compiles a function and loads it once, so that the design document is refused, in CouchDB's words, if
// that fails.
func (p *program) compileFunction(kind, view, source string) (*function, error) {
	// As the second operand of a comma the anonymous function that CouchDB asks for is an expression, whatever
	// comments stand around it and semicolons behind it.
	code, err := goja.Compile("", "0,"+source, false)
	f := &function{kind: kind, view: view, code: code}
	if err == nil {
		err = p.use(context.Background(), func(s *sandbox) error {
			return s.run(context.Background(), f, func(goja.Callable) error { return nil })
		})
	}
	if err != nil {
		return nil, badRequest("Compilation of the %s function in the '%s' view failed: %v", kind, view, err)
	}
	return f, nil
}

// use lends an idle sandbox to work, after waiting for one.
func (p *program) use(ctx context.Context, work func(*sandbox) error) error {
	select {
	case s := <-p.idle:
		defer func() { p.idle <- s }()
		return work(s)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// mapDoc maps a document, which is compact JSON, for every view, and returns the rows by view. If a function throws or
// takes too long, its view gets no rows of the document, and that is logged. Only the end of ctx is an error.
func (p *program) mapDoc(ctx context.Context, id string, doc json.RawMessage) (map[string][]emitted, error) {
	rows, text := make(map[string][]emitted, len(p.maps)), string(doc)
	err := p.use(ctx, func(s *sandbox) error {
		defer func() { s.document, s.rows = nil, nil }() // it may be large, and the sandbox idle for long
		for _, view := range p.views {
			var err error
			if rows[view], err = s.mapDoc(ctx, p.maps[view], text); ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				logFailure(p.warn(p.maps[view]).Str("doc", id), err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// warn begins a line of the log about a function.
func (p *program) warn(f *function) *zerolog.Event {
	return p.log.Warn().Str("design", p.ddocID).Str("view", f.view).Str("function", f.kind)
}

func logFailure(line *zerolog.Event, err error) {
	line.Str("error", excerpt(err.Error())).Msg("view function failed")
}

// excerpt returns the beginning of a text of a script, which can have any length.
func excerpt(text string) string {
	const enough = 1000
	if len(text) > enough {
		text = strings.ToValidUTF8(text[:enough], "") + "…"
	}
	return text
}
