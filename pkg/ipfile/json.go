package ipfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
)

// jsonReader reads a list of objects.
type jsonReader struct {
	decoder *json.Decoder
	limit   *rowLimiter
	number  int // of elements that were read
}

func newJSONReader(r io.Reader, limit *rowLimiter) (*jsonReader, error) {
	j := &jsonReader{decoder: json.NewDecoder(r), limit: limit}
	switch start, err := j.decoder.Token(); {
	case err != nil:
		return nil, j.explain(err)
	case start != json.Delim('['):
		return nil, errors.New("the file does not have a list of addresses")
	}
	return j, nil
}

func (j *jsonReader) read() (Row, error) {
	j.limit.next()
	if !j.decoder.More() {
		return Row{}, j.end()
	}
	j.number++
	row := Row{Number: j.number}
	err := j.decoder.Decode(&row.Entry) // other fields of an export are ignored
	mistyped, isMistyped := errors.AsType[*json.UnmarshalTypeError](err)
	if err != nil && !isMistyped {
		return Row{}, j.explain(err)
	}
	if row.CIDR == "" && row.Range == "" {
		setIP(&row.Entry, row.IP)
	}
	if isMistyped {
		return Row{}, &RowError{row, wrongType(mistyped)}
	}
	return row, nil
}

// wrongType names the field of an element that has a value of the wrong type, as the schema of the API does.
func wrongType(err *json.UnmarshalTypeError) string {
	field, expected := "", "object"
	if err.Field != "" {
		field, expected = err.Field+": ", "string"
	}
	if err.Type.Kind() == reflect.Bool {
		expected = "boolean"
	}
	return field + "Value did not match type(s): " + expected
}

// end reads the end of the list. It returns io.EOF if that is the end of the file.
func (j *jsonReader) end() error {
	if _, err := j.decoder.Token(); err != nil { // as the file ends in the list
		return j.explain(err)
	}
	if _, err := j.decoder.Token(); err != io.EOF {
		return errors.New("the file goes on after its list of addresses: it must be one list")
	}
	return io.EOF
}

// explain adds to an error in which element it is.
func (j *jsonReader) explain(err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if j.number == 0 {
		return fmt.Errorf("the file is not a list of addresses: %w", err)
	}
	return fmt.Errorf("element %d: %w", j.number, err)
}
