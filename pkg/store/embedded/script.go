package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// program is the compiled functions of one design document. It is safe for concurrent use.
type program struct {
	ddocID  string
	maps    map[string]*function
	reduces map[string]reducer
	log     func(msg string, fields map[string]any)
}

// emitted is one row a map function emitted, as JSON text.
type emitted struct {
	Key, Value json.RawMessage
}

// compile compiles a design document. limit is the longest that one call of a function may take. The messages and the
// errors of scripts go to log.
func compile(
	ddocID string, design map[string]any, limit time.Duration, log func(msg string, fields map[string]any),
) (*program, error) {
	if language, ok := design["language"]; ok && language != "javascript" {
		return nil, notSupported(fmt.Sprintf("design document language %v", language))
	}
	p := &program{ddocID: ddocID, maps: map[string]*function{}, reduces: map[string]reducer{}, log: log}
	views, ok := design["views"].(map[string]any)
	if !ok && design["views"] != nil {
		return nil, badRequest("`views` must be an object")
	}
	for _, name := range slices.Sorted(maps.Keys(views)) {
		if err := p.addView(name, views[name], limit); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// addView compiles one view. As in CouchDB, an entry without a map function (`lib`, say) is not a view.
func (p *program) addView(name string, view any, limit time.Duration) error {
	functions, ok := view.(map[string]any)
	if !ok {
		return badRequest("the view '%s' must be an object", name)
	}
	if functions["map"] == nil {
		return nil
	}
	mapper, err := p.compileFunction("map", name, functions["map"], limit)
	if err != nil {
		return err
	}
	p.maps[name] = mapper
	if functions["reduce"] == nil {
		return nil
	}
	p.reduces[name], err = p.compileReduce(name, functions["reduce"], limit)
	return err
}

// compileReduce takes the name of a built-in function, which starts with an underscore, or the source of a function.
func (p *program) compileReduce(view string, source any, limit time.Duration) (reducer, error) {
	if name, ok := source.(string); ok && strings.HasPrefix(name, "_") {
		if builtin, ok := builtinReducers[name]; ok {
			return builtin, nil
		}
		return unsupportedReducer(name), nil
	}
	reduce, err := p.compileFunction("reduce", view, source, limit)
	if err != nil {
		return nil, err
	}
	return &scriptReducer{function: reduce, failed: func(err error) { p.logFailure("reduce", view, "", err) }}, nil
}

// compileFunction compiles a function and loads it once, so that the design document is refused, in CouchDB's words, if
// that fails.
func (p *program) compileFunction(kind, view string, source any, limit time.Duration) (*function, error) {
	text, ok := source.(string)
	if !ok {
		return nil, badRequest("the %s function in the '%s' view must be a string", kind, view)
	}
	f, err := newFunction(text, limit, func(message string) {
		p.log("view function says", p.fields(kind, view, "message", message))
	})
	if err != nil {
		return nil, badRequest("Compilation of the %s function in the '%s' view failed: %v", kind, view, err)
	}
	return f, nil
}

// views lists the names of the views, sorted.
func (p *program) views() []string { return slices.Sorted(maps.Keys(p.maps)) }

// reducer returns a view's reduce function, if it has one.
func (p *program) reducer(view string) (reducer, bool) {
	r, ok := p.reduces[view]
	return r, ok
}

// mapDoc maps a document, which is compact JSON, for every view. If a function throws or takes too long, its view gets no
// rows of the document, and that is logged. Only the end of ctx is an error.
func (p *program) mapDoc(ctx context.Context, doc json.RawMessage) (map[string][]emitted, error) {
	rows := make(map[string][]emitted, len(p.maps))
	text := parser{text: string(doc)}
	value := text.value()
	for view, mapper := range p.maps {
		err := text.err
		if err == nil {
			err = mapper.run(ctx, func(s *sandbox) (err error) {
				rows[view], err = s.mapDoc(&value)
				return err
			})
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			p.logFailure("map", view, documentID(doc), err)
		}
	}
	return rows, nil
}

func (p *program) logFailure(kind, view, docID string, err error) {
	fields := p.fields(kind, view, "error", err.Error())
	if docID != "" {
		fields["doc"] = docID
	}
	p.log("view function failed", fields)
}

func (p *program) fields(kind, view, key, text string) map[string]any {
	const enough = 1000 // a script can put anything into a message
	if len(text) > enough {
		text = strings.ToValidUTF8(text[:enough], "") + "…"
	}
	return map[string]any{"design": p.ddocID, "view": view, "function": kind, key: text}
}

func documentID(doc json.RawMessage) string {
	var head struct {
		ID string `json:"_id"`
	}
	_ = json.Unmarshal(doc, &head) // without an id the log line says less
	return head.ID
}
