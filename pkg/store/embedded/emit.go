package embedded

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/dop251/goja"
)

// mapDoc calls a map function with a copy of a document.
func (s *sandbox) mapDoc(doc *jsonTree) ([]emitted, error) {
	if _, err := s.call(doc.in(s.vm)); err != nil {
		return nil, err
	}
	return s.takeRows()
}

// emit is the script's emit(key, value).
func (s *sandbox) emit(call goja.FunctionCall) goja.Value {
	if len(s.rows) == maxEmittedRows {
		panic(s.vm.NewGoError(fmt.Errorf("more than %d rows emitted", maxEmittedRows)))
	}
	s.rows = append(s.rows, [2]goja.Value{call.Argument(0), call.Argument(1)})
	return goja.Undefined()
}

// say is the script's log(message).
func (s *sandbox) say(log func(message string), message goja.Value) goja.Value {
	if _, ok := message.(goja.String); ok {
		log(message.String())
		return goja.Undefined()
	}
	text, err := s.stringify(goja.Undefined(), message)
	if err != nil {
		panic(err) // goja hands it to the script
	}
	log(text.String())
	return goja.Undefined()
}

// takeRows encodes the emitted rows once the function has returned, as CouchDB does.
func (s *sandbox) takeRows() ([]emitted, error) {
	taken := s.rows
	s.rows = nil
	rows, size := make([]emitted, len(taken)), 0
	for i, row := range taken {
		var err error
		if rows[i], err = s.encode(row[0], row[1]); err != nil {
			return nil, err
		}
		if size += len(rows[i].Key) + len(rows[i].Value); size > maxEmittedBytes {
			return nil, fmt.Errorf("more than %d bytes emitted", maxEmittedBytes)
		}
	}
	return rows, nil
}

// encode returns the JSON texts of a key and a value as elements of an array, in which undefined, NaN and functions
// become null. It avoids stringify for primitive values, unless a script has given arrays a toJSON.
func (s *sandbox) encode(key, value goja.Value) (emitted, error) {
	plainArrays := s.arrays.Get("toJSON") == nil
	k, plainKey := primitiveText(key)
	v, plainValue := primitiveText(value)
	if plainArrays && plainKey && plainValue {
		return emitted{k, v}, nil
	}
	stringified, err := s.stringify(goja.Undefined(), s.vm.NewArray(key, value))
	if err != nil {
		return emitted{}, err
	}
	text := []byte(stringified.String())
	switch {
	case plainArrays && plainKey:
		return emitted{k, text[len("[")+len(k)+len(",") : len(text)-len("]")]}, nil
	case plainArrays && plainValue:
		return emitted{text[len("[") : len(text)-len(",")-len(v)-len("]")], v}, nil
	}
	var pair [2]json.RawMessage
	err = json.Unmarshal(text, &pair)
	return emitted{pair[0], pair[1]}, err
}

// primitiveText returns what stringify makes of the most usual values.
func primitiveText(value goja.Value) (json.RawMessage, bool) {
	switch {
	case goja.IsUndefined(value), goja.IsNull(value):
		return json.RawMessage("null"), true
	case goja.IsString(value):
		text := value.String()
		if !isPlain(text) {
			return nil, false
		}
		return quote(text), true
	}
	if _, ok := value.(*goja.Object); ok {
		return nil, false
	}
	switch exported := value.Export().(type) {
	case bool:
		return strconv.AppendBool(nil, exported), true
	case int64:
		return strconv.AppendInt(nil, exported, 10), true
	}
	return nil, false
}
