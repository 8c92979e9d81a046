package embedded

import (
	"encoding/json"
	"fmt"

	"github.com/dop251/goja"
)

// emit is the script's emit(key, value).
func (s *sandbox) emit(call goja.FunctionCall) goja.Value {
	if len(s.rows) == maxEmittedRows {
		panic(s.vm.NewGoError(fmt.Errorf("more than %d rows emitted", maxEmittedRows)))
	}
	s.rows = append(s.rows, [2]goja.Value{call.Argument(0), call.Argument(1)})
	return goja.Undefined()
}

// say is the script's log(message).
func (s *sandbox) say(call goja.FunctionCall) goja.Value {
	message := call.Argument(0)
	if _, ok := message.(goja.String); !ok {
		var err error
		if message, err = s.stringify(goja.Undefined(), message); err != nil {
			panic(err) // goja hands it to the script
		}
	}
	s.program.warn(s.running).Str("said", excerpt(message.String())).Msg("view function says")
	return goja.Undefined()
}

// takeRows encodes the emitted rows once the function has returned, as CouchDB does.
func (s *sandbox) takeRows() ([]emitted, error) {
	rows, size := make([]emitted, len(s.rows)), 0
	for i, row := range s.rows {
		key, err := s.encode(row[0])
		if err != nil {
			return nil, err
		}
		value, err := s.encode(row[1])
		if err != nil {
			return nil, err
		}
		rows[i] = emitted{key, value}
		if size += len(key) + len(value); size > maxEmittedBytes {
			return nil, fmt.Errorf("more than %d bytes emitted", maxEmittedBytes)
		}
	}
	return rows, nil
}

// encode returns the JSON text of a value. Undefined, NaN and functions become null, as in CouchDB.
func (s *sandbox) encode(value goja.Value) (json.RawMessage, error) {
	if goja.IsNull(value) { // the value of most rows
		return json.RawMessage("null"), nil
	}
	text, err := s.stringify(goja.Undefined(), value)
	if err != nil || goja.IsUndefined(text) {
		return json.RawMessage("null"), err
	}
	return json.RawMessage(text.String()), nil
}
