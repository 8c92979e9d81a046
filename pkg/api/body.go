package api

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// maxBody is how long a body may be (Crossbar: max_upload_size).
const maxBody = 8_000_000

// body is a request's body, decoded.
type body struct {
	envelope map[string]any // by normalised key: lower case, "_" for "-"; without nulls
	data     any            // an object or a list; an empty object where there is no body
	foreign  bool           // the media type is not one that is taken here
	unread   bool           // there was something in it that was not read
}

// readBody reads the body of any method, as Crossbar does before all else (api_util:get_req_data).
func readBody(r *http.Request) (body, error) {
	if r.Body == http.NoBody && r.Header.Get("Content-Type") == "" {
		return empty(), nil
	}
	raw, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return body{}, fault.Finding("file", "maxSize", "Payload or Files must not be more than 8000000 bytes",
			map[string]any{"target": maxBody})
	} else if err != nil {
		return body{}, unreadable(err)
	}
	media, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
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
	b.foreign = true
	return b, nil
}

func empty() body { return body{data: map[string]any{}} }

// file is a body that holds a file, which no resource here takes.
func file(raw []byte) body { return body{data: map[string]any{}, unread: len(raw) > 0} }

// jsonBody decodes an envelope. The documentation's examples end their lines with a backslash, as shells do.
func jsonBody(raw []byte) (body, error) {
	if len(raw) == 0 {
		return empty(), nil
	}
	members, err := document.DecodeMembers(document.BlankContinuations(raw))
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
	form, err := url.ParseQuery(string(raw))
	looksLikeJSON := bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{"))
	if looksLikeJSON || err != nil || len(raw) > 0 && !bytes.ContainsAny(raw, "=&") {
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
