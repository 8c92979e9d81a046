package embedded

import (
	"bytes"
	"context"
	"encoding/json"
)

// reducer is the reduce function of a view.
type reducer interface {
	// reduce takes rows: keys are [key, document id] each.
	reduce(ctx context.Context, keys, values []json.RawMessage) (json.RawMessage, error)
	// rereduce takes what reduce and rereduce gave.
	rereduce(ctx context.Context, values []json.RawMessage) (json.RawMessage, error)
}

// builtinReducers are those of CouchDB's built-in functions that the design documents of junctor and Kazoo use.
var builtinReducers = map[string]reducer{"_count": counter{}, "_sum": summer{}}

// unsupportedReducer is the name of another built-in function. Only a query that reduces is refused: the rows of its
// view can be read.
type unsupportedReducer string

func (name unsupportedReducer) err() error {
	return notSupported("the reduce function " + string(name))
}

func (name unsupportedReducer) reduce(_ context.Context, _, _ []json.RawMessage) (json.RawMessage, error) {
	return nil, name.err()
}

func (name unsupportedReducer) rereduce(context.Context, []json.RawMessage) (json.RawMessage, error) {
	return nil, name.err()
}

// scriptReducer is a reduce function in JavaScript.
type scriptReducer struct {
	program  *program
	function *function
}

func (r *scriptReducer) reduce(ctx context.Context, keys, values []json.RawMessage) (json.RawMessage, error) {
	return r.call(ctx, jsonArray(keys), jsonArray(values), false)
}

func (r *scriptReducer) rereduce(ctx context.Context, values []json.RawMessage) (json.RawMessage, error) {
	return r.call(ctx, "null", jsonArray(values), true)
}

// call returns null if the function throws, as CouchDB does, and an error if it was stopped.
func (r *scriptReducer) call(ctx context.Context, keys, values string, again bool) (result json.RawMessage, err error) {
	err = r.program.use(ctx, func(s *sandbox) (err error) {
		result, err = s.reduce(ctx, r.function, keys, values, again)
		return err
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		r.program.logFailure(r.function, "", err)
	}
	if isThrown(err) {
		return json.RawMessage("null"), nil
	}
	return result, err
}

func jsonArray(values []json.RawMessage) string {
	var b bytes.Buffer
	b.WriteByte('[')
	for i, value := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(value)
	}
	b.WriteByte(']')
	return b.String()
}

// counter is _count.
type counter struct{}

func (counter) reduce(_ context.Context, _, values []json.RawMessage) (json.RawMessage, error) {
	return json.Marshal(len(values))
}

func (counter) rereduce(ctx context.Context, values []json.RawMessage) (json.RawMessage, error) {
	return summer{}.rereduce(ctx, values)
}

// summer is _sum of numbers. CouchDB also adds arrays and objects.
type summer struct{}

func (s summer) reduce(ctx context.Context, _, values []json.RawMessage) (json.RawMessage, error) {
	return s.rereduce(ctx, values)
}

func (summer) rereduce(_ context.Context, values []json.RawMessage) (json.RawMessage, error) {
	var total float64
	for _, raw := range values {
		var number *float64
		if json.Unmarshal(raw, &number) != nil || number == nil {
			return nil, notSupported("_sum of values that are not numbers")
		}
		total += *number
	}
	return json.Marshal(total)
}
