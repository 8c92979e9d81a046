package embedded

import (
	"bytes"
	"context"
	"encoding/json"
)

// reducer is the reduce function of a view.
type reducer struct {
	name string
	// call takes rows, with keys that are [key, document id] each, or with again what it has returned before. It is nil for
	// a function that is not supported: the rows of such a view can be read.
	call func(ctx context.Context, keys, values []json.RawMessage, again bool) (json.RawMessage, error)
}

// builtinReducer returns a built-in function by its name. Those that the design documents of junctor and Kazoo use are
// supported.
func builtinReducer(name string) *reducer {
	r := &reducer{name: name}
	switch name {
	case "_count":
		r.call = func(_ context.Context, _, values []json.RawMessage, again bool) (json.RawMessage, error) {
			if again {
				return sum(values)
			}
			return json.Marshal(len(values))
		}
	case "_sum":
		r.call = func(_ context.Context, _, values []json.RawMessage, _ bool) (json.RawMessage, error) {
			return sum(values)
		}
	}
	return r
}

// sum adds numbers. CouchDB also adds arrays and objects.
func sum(values []json.RawMessage) (json.RawMessage, error) {
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

// scriptReducer returns a reduce function in JavaScript. It returns null if the script throws, as CouchDB does, and an
// error if the script was stopped.
func (p *program) scriptReducer(f *function) *reducer {
	return &reducer{call: func(ctx context.Context, keys, values []json.RawMessage, again bool) (json.RawMessage, error) {
		keysText := "null"
		if !again {
			keysText = jsonArray(keys)
		}
		var result json.RawMessage
		err := p.use(ctx, func(s *sandbox) (err error) {
			result, err = s.reduce(ctx, f, keysText, jsonArray(values), again)
			return err
		})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			logFailure(p.warn(f), err)
		}
		if isThrown(err) {
			return json.RawMessage("null"), nil
		}
		return result, err
	}}
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
