package ipfile

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
)

// jsonReader reads a list of objects, by itself or as "data" or "ips" of an object, as the API takes it.
type jsonReader struct {
	decoder *json.Decoder
	limit   *rowLimiter
	begun   bool
	depth   int    // objects that the list is in
	zone    string // of all, if the object says so before its list
	host    string
	number  int
}

func newJSONReader(r io.Reader, limit *rowLimiter) *jsonReader {
	return &jsonReader{decoder: json.NewDecoder(r), limit: limit}
}

func (j *jsonReader) read() (Row, error) {
	j.limit.next()
	if !j.begun {
		if err := j.begin(); err != nil {
			return Row{}, err
		}
		j.begun = true
	}
	if !j.decoder.More() {
		if _, err := j.decoder.Token(); err != nil { // as the file ends in the list
			return Row{}, j.explain(err)
		}
		return Row{}, j.end()
	}
	j.number++
	row := Row{Number: j.number}
	err := j.decoder.Decode(&row.Entry) // other fields of an export are ignored
	mistyped, isMistyped := errors.AsType[*json.UnmarshalTypeError](err)
	if err != nil && !isMistyped {
		return Row{}, j.explain(err)
	}
	row.Zone, row.Host = cmp.Or(row.Zone, j.zone), cmp.Or(row.Host, j.host)
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

// end reads what is after the list. It returns io.EOF if that is only the rest of the objects that the list is in.
func (j *jsonReader) end() error {
	for {
		j.limit.next()
		token, err := j.decoder.Token()
		switch {
		case err == io.EOF && j.depth == 0:
			return io.EOF
		case j.depth == 0:
			return errors.New("the file goes on after its list of addresses: it must be one list")
		case err != nil:
			return j.explain(err)
		case token == json.Delim('{'), token == json.Delim('['):
			j.depth++
		case token == json.Delim('}'), token == json.Delim(']'):
			j.depth--
		}
	}
}

// begin reads up to the first element.
func (j *jsonReader) begin() error {
	start, err := j.decoder.Token()
	if err != nil {
		return j.explain(err)
	}
	if start == json.Delim('[') {
		return nil
	}
	if start != json.Delim('{') {
		return errNoList
	}
	j.depth++
	for j.decoder.More() {
		name, err := j.decoder.Token()
		if err != nil {
			return j.explain(err)
		}
		switch name {
		case "data", "ips":
			return j.begin()
		case "zone":
			err = j.decoder.Decode(&j.zone)
		case "host":
			err = j.decoder.Decode(&j.host)
		default:
			var other json.RawMessage
			err = j.decoder.Decode(&other)
		}
		if err != nil {
			return j.explain(err)
		}
	}
	return errNoList
}

var errNoList = errors.New("the file does not have a list of addresses")

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
