package crossbar

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strings"

	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// maxValues is how many values a body may have, nested ones counted; see also schema.Set.Validate.
const maxValues = 20_000

// bytesPerValue is what a decoded value takes at most, beside its text: an object of one member is the dearest.
const bytesPerValue = 512

// body is a request's body, decoded.
type body struct {
	envelope    map[string]any // by normalised key: lower case, "_" for "-"; without nulls
	data        any            // an object or a list; an empty object where there is no body
	unsupported bool           // the media type is not accepted here
	unread      bool           // there was something in it that was not read
}

// decodeBody decodes the body of any method, as Crossbar does before all else (api_util:get_req_data).
func decodeBody(contentType string, raw []byte) (body, error) {
	media, params, _ := mime.ParseMediaType(contentType)
	switch media {
	case "", "application/json", "application/x-json":
		return jsonBody(raw)
	case "application/x-www-form-urlencoded":
		return formBody(raw)
	case "multipart/form-data", "multipart/mixed":
		return multipartBody(raw, params["boundary"])
	case "application/octet-stream", "text/csv", "text/comma-separated-values":
		return file(raw), nil
	}
	b := file(raw)
	b.unsupported = true
	return b, nil
}

// countValues returns a bound on how many values a text of JSON or a form has.
func countValues(raw []byte) (n int) {
	for _, c := range []byte("[{,&") {
		n += bytes.Count(raw, []byte{c})
	}
	return n + 1
}

func tooManyValues() error {
	return fault.Finding("", "maxSize", "Data must not have more than 20000 values", map[string]any{"target": maxValues})
}

// file is a body that holds a file, which no resource here takes.
func file(raw []byte) body { return body{data: map[string]any{}, unread: len(raw) > 0} }

// jsonBody decodes an envelope. The documentation's examples end their lines with a backslash, as shells do.
func jsonBody(raw []byte) (body, error) {
	if len(raw) == 0 {
		return body{data: map[string]any{}}, nil
	}
	members, err := document.DecodeMembers(document.BlankContinuations(raw), maxValues)
	if errors.Is(err, document.ErrTooManyValues) {
		return body{}, tooManyValues()
	}
	if syntax := (*document.SyntaxError)(nil); errors.As(err, &syntax) {
		return body{}, fault.Finding("json", "invalid", syntax.Error(), map[string]any{"target": "body"})
	} else if err != nil {
		return body{}, fault.Finding("json", "invalid", "All JSON must be valid", map[string]any{"target": "body"})
	}
	envelope := map[string]any{}
	for _, m := range members {
		key := strings.ReplaceAll(strings.ToLower(m.Key), "-", "_")
		if m.Value == nil {
			delete(envelope, key)
		} else {
			envelope[key] = m.Value
		}
	}
	return unwrap(envelope)
}

// formBody reads what curl -d sends without a Content-Type: JSON labelled as a form. A real form is taken for
// the envelope.
func formBody(raw []byte) (body, error) {
	looksLikeJSON := bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{"))
	if looksLikeJSON || len(raw) > 0 && !bytes.ContainsAny(raw, "=&") {
		return jsonBody(raw)
	}
	if bytes.Count(raw, []byte("&")) >= maxValues {
		return body{}, tooManyValues()
	}
	form, err := parseQuery(string(raw))
	if err != nil {
		return jsonBody(raw)
	}
	envelope := map[string]any{}
	for key := range form {
		envelope[key] = form.Get(key)
	}
	return unwrap(envelope)
}

// multipartBody reads the first JSON part; other parts are files.
func multipartBody(raw []byte, boundary string) (body, error) {
	parts := multipart.NewReader(bytes.NewReader(raw), boundary)
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return file(raw), nil
		}
		if err != nil {
			return body{}, unreadable(err)
		}
		media, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if media != "application/json" && media != "application/x-json" {
			continue
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return body{}, unreadable(err)
		}
		return jsonBody(text)
	}
}

// unreadable says that a body did not come, or is not what its label says.
func unreadable(err error) error {
	return &fault.Error{Kind: fault.Invalid, Message: "parse_error", Err: err,
		Data: map[string]any{"message": "failed to parse request body"}}
}

// unwrap takes data out of the envelope, which has to hold it (api_util:is_valid_request_envelope).
func unwrap(envelope map[string]any) (body, error) {
	data, ok := envelope["data"]
	if !ok {
		return body{}, fault.Finding("data", "required", "Field is required but missing", map[string]any{"value": envelope})
	}
	switch data.(type) {
	case map[string]any, []any:
		return body{envelope: envelope, data: data}, nil
	}
	const types = "object, array"
	return body{}, fault.Finding("data", "type", "Value did not match type(s): "+types,
		map[string]any{"target": types, "value": data})
}
