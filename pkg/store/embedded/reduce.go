package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
)

// reducer is the reduce function of a view.
type reducer interface {
	// reduce takes rows: keys are [key, document id] each.
	reduce(ctx context.Context, keys, values []json.RawMessage) (json.RawMessage, error)
	// rereduce takes what reduce and rereduce gave.
	rereduce(ctx context.Context, values []json.RawMessage) (json.RawMessage, error)
}

// builtinReducers are those of CouchDB's that are exact; _approx_count_distinct is not among them.
var builtinReducers = map[string]reducer{"_count": counter{}, "_sum": summer{}, "_stats": statistician{}}

// scriptReducer is a reduce function in JavaScript.
type scriptReducer struct {
	function *function
	failed   func(error)
}

func (r *scriptReducer) reduce(ctx context.Context, keys, values []json.RawMessage) (json.RawMessage, error) {
	return r.call(ctx, jsonArray(keys), jsonArray(values), false)
}

func (r *scriptReducer) rereduce(ctx context.Context, values []json.RawMessage) (json.RawMessage, error) {
	return r.call(ctx, "null", jsonArray(values), true)
}

// call answers null where the function throws, as CouchDB does, and an error where it was stopped.
func (r *scriptReducer) call(ctx context.Context, keys, values string, again bool) (result json.RawMessage, err error) {
	err = r.function.run(ctx, func(s *sandbox) (err error) {
		result, err = s.reduce(keys, values, again)
		return err
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		r.failed(err)
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

// summer is _sum, over numbers, arrays of numbers, and objects whose members are such again.
type summer struct{}

func (s summer) reduce(ctx context.Context, _, values []json.RawMessage) (json.RawMessage, error) {
	return s.rereduce(ctx, values)
}

func (summer) rereduce(_ context.Context, values []json.RawMessage) (json.RawMessage, error) {
	var total any
	for _, raw := range values {
		var value any
		if err := json.Unmarshal(raw, &value); err != nil {
			return nil, err
		}
		var err error
		if total, err = add(total, value); err != nil {
			return nil, err
		}
	}
	if total == nil {
		return json.RawMessage("0"), nil
	}
	return json.Marshal(total)
}

// errSum is CouchDB's wording.
var errSum = &Error{http.StatusInternalServerError,
	"The _sum function requires that map values be numbers, arrays of numbers, or objects. Objects cannot be mixed " +
		"with other data structures. Objects can be arbitrarily nested, provided that the values for all fields are " +
		"themselves numbers, arrays of numbers, or objects."}

// add adds a value to a total, which is nil at first. A number beside arrays counts as an array of one.
func add(total, value any) (any, error) {
	if object, ok := value.(map[string]any); ok {
		return addObject(total, object)
	}
	if sum, ok := total.(float64); ok || total == nil {
		if number, ok := value.(float64); ok {
			return sum + number, nil
		}
	}
	if total == nil {
		total = []float64{}
	}
	sums, isSum := numbers(total)
	addends, isAddend := numbers(value)
	if !isSum || !isAddend {
		return nil, errSum
	}
	return addArrays(sums, addends), nil
}

// addArrays adds element by element; the longer one's rest stands for itself.
func addArrays(sums, addends []float64) []float64 {
	for i, addend := range addends {
		if i == len(sums) {
			sums = append(sums, 0)
		}
		sums[i] += addend
	}
	return sums
}

func addObject(total any, object map[string]any) (any, error) {
	sums, ok := total.(map[string]any)
	if !ok && total != nil {
		return nil, errSum
	}
	if sums == nil {
		sums = make(map[string]any, len(object))
	}
	for name, value := range object {
		sum, err := add(sums[name], value)
		if err != nil {
			return nil, err
		}
		sums[name] = sum
	}
	return sums, nil
}

// numbers takes a number, an array of numbers, or a total that is one already.
func numbers(value any) ([]float64, bool) {
	switch value := value.(type) {
	case float64:
		return []float64{value}, true
	case []float64:
		return value, true
	case []any:
		list := make([]float64, len(value))
		for i, element := range value {
			number, ok := element.(float64)
			if !ok {
				return nil, false
			}
			list[i] = number
		}
		return list, true
	}
	return nil, false
}
