package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestBodies: what is read of a body, whatever its label. The list of addresses that a request names shows what
// was read: "[]" is none.
func TestBodies(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	const form, plain, jsonType = "application/x-www-form-urlencoded", "text/plain", "application/json"
	const good = `{"data":{"ips":["9.9.9.9"]}}`
	const notFound = `{"ips%2E0":{"not_found":{"message":"ip not found","value":"9.9.9.9"}}}`
	const missing = `{"data":{"required":{"message":"Field is required but missing","value":%s}}}`
	const none = `{"ips":[]}`
	malformed := func(text string) string { return `{"json":{"invalid":{"message":"` + text + `","target":"body"}}}` }
	part := func(mediaType, text string) string {
		return "--x\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Type: " + mediaType +
			"\r\n\r\n" + text + "\r\n--x--\r\n"
	}
	for _, c := range []struct {
		name, mediaType, body string
		status                int
		data                  string
	}{
		{"no label", "", good, 400, notFound},
		{"json", jsonType, good, 400, notFound},
		{"x-json", "application/x-json", good, 400, notFound},
		{"with a charset", "application/json; charset=utf-8", good, 400, notFound},
		{"upper case", "Application/JSON", good, 400, notFound},
		{"form", form, good, 400, notFound},
		{"form with & and =", form, `{"data":{"ips":["9.9.9.9"],"a":"b&c=d"}}`, 400, notFound},
		{"form with a bad escape", form, `{"data":{"ips":["9.9.9.9"],"a":"%"}}`, 400, notFound},
		{"real form", form, "ips=1.2.3.4", 400, fmt.Sprintf(missing, `{"ips":"1.2.3.4"}`)},
		{"form of data", form, "data=foo", 400,
			`{"data":{"type":{"message":"Value did not match type(s): object, array","target":"object, array","value":"foo"}}}`},
		{"empty form", form, "", 400, fmt.Sprintf(missing, `{}`)},
		{"multipart", "multipart/form-data; boundary=x", part("application/json", good), 400, notFound},
		{"multipart with a file", "multipart/form-data; boundary=x", part("text/plain", good), 415,
			`{"message":"bodies are application/json"}`},
		{"multipart with a bad part", "multipart/form-data; boundary=x", "--x\r\nnonsense\r\n\r\n", 400,
			`{"message":"failed to parse request body"}`},
		{"multipart without boundary", "multipart/form-data", good, 400, `{"message":"failed to parse request body"}`},
		{"plain text", plain, good, 415, `{"message":"bodies are application/json"}`},
		{"no media type", "nonsense", good, 415, `{"message":"bodies are application/json"}`},
		{"file", "application/octet-stream", good, 415, `{"message":"bodies are application/json"}`},
		{"empty", jsonType, "", 200, none},
		{"no body at all", "", "", 200, none},
		{"empty data", jsonType, `{"data":{}}`, 200, none},
		{"null", jsonType, `{"data":null}`, 400, fmt.Sprintf(missing, `{}`)},
		{"no data", jsonType, `{"ips":["9.9.9.9"]}`, 400, fmt.Sprintf(missing, `{"ips":["9.9.9.9"]}`)}, // as kazoo_api in C# does
		{"nothing", jsonType, `{}`, 400, fmt.Sprintf(missing, `{}`)},
		{"text", jsonType, `{"data":"x"}`, 400,
			`{"data":{"type":{"message":"Value did not match type(s): object, array","target":"object, array","value":"x"}}}`},
		{"list", jsonType, `[1]`, 400, malformed("All JSON must be valid")},
		{"string", jsonType, `"x"`, 400, malformed("All JSON must be valid")},
		{"number", jsonType, `3`, 400, malformed("All JSON must be valid")},
		{"data is a list", jsonType, `{"data":["9.9.9.9"]}`, 400, notFound},
		{"data is an empty list", jsonType, `{"data":[]}`, 400,
			`{"ips":{"minItems":{"message":"The list must have at least 1 items","target":1,"value":[]}}}`},
		{"other case", jsonType, `{"Data":{"ips":["9.9.9.9"]}}`, 400, notFound},
		{"data twice", jsonType, `{"data":{},"data":{"ips":["9.9.9.9"]}}`, 400, notFound},
		{"ips twice", jsonType, `{"data":{"ips":["9.9.9.9"],"ips":["8.8.8.8"]}}`, 400, notFound},
		{"data null at last", jsonType, `{"data":{},"data":null}`, 400, fmt.Sprintf(missing, `{}`)},
		{"a shell's backslashes", "", "{\"data\": \\\n {\"ips\": \\\n [\"9.9.9.9\"]} \\\n}", 400, notFound},
		{"backslash in a string", "", `{"data":{"ips":["\ 9.9.9.9"]}}`, 400, malformed("unknown escape around 17")},
		{"cut short", jsonType, `{"data":`, 400, malformed("unexpected end of JSON around 8")},
		{"more behind", jsonType, `{"data":{}} x`, 400, malformed("unexpected text after the JSON value around 12")},
		{"byte order mark", jsonType, "\ufeff" + `{"data":{}}`, 400, malformed("unexpected character around 0")},
		{"not UTF-8", jsonType, "{\"data\":{\"a\":\"\xff\"}}", 400, malformed("invalid UTF-8 around 14")},
		{"lone surrogate", jsonType, `{"data":{"a":"\ud800"}}`, 400, malformed("lone surrogate around 14")},
	} {
		var headers []string
		if c.mediaType != "" {
			headers = []string{"Content-Type", c.mediaType}
		}
		a := sv.as("A", "POST", ipsOfA, c.body, headers...)
		if a.status != c.status || !sameJSON(t, a.data(), c.data) {
			t.Errorf("%s: %d %s\nwant %d %s", c.name, a.status, jsonText(a.data()), c.status, c.data)
		}
	}
}

// TestBodyIsReadFirst: a malformed body is answered on every method, before a token is asked for.
func TestBodyIsReadFirst(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		sv.want(sv.send(method, ipsOfA, `{`, "Content-Length", "1"), 400)
	}
}

func TestHugeBodies(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	token := sv.token("A")
	fill := func(n int) string {
		return `{"data":{"x":"` + strings.Repeat("1", n-len(`{"data":{"x":""}}`)) + `"}}`
	}
	long := sv.want(sv.as("A", "POST", ipsOfA, fill(8_000_000)), 400)
	sv.is(long.data(), `{"ips":{"required":{"message":"Field is required but missing","value":"ips"}}}`)
	const tooLong = `{"file":{"maxSize":{"target":8000000,
		"message":"Payload or Files must not be more than 8000000 bytes"}}}`
	sv.is(sv.want(sv.as("A", "POST", ipsOfA, fill(8_000_001)), 400).data(), tooLong)
	chunked := "POST " + ipsOfA + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Auth-Token: " + token +
		"\r\nTransfer-Encoding: chunked\r\n\r\n"
	sv.want(sv.raw("POST", chunked+"b\r\n{\"data\":{}}\r\n0\r\n\r\n"), 200)
	sv.is(sv.want(sv.raw("POST", chunked+"7a1201\r\n"+fill(8_000_001)+"\r\n0\r\n\r\n"), 400).data(), tooLong)
	bomb := `{"data":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`
	sv.want(sv.as("A", "POST", ipsOfA, bomb), 400)
	many := `{"data":{"ips":[` + strings.TrimSuffix(strings.Repeat(`"1.2.3.4",`, 20_000), ",") + `]}}`
	sv.want(sv.as("A", "POST", ipsOfA, many), 400)
	sv.want(sv.as("A", "GET", ipsOfA, "", "X-Padding", strings.Repeat("x", 80<<10)), 431)
}

// TestReleaseNeedsToBeMeant: everything is released where nothing is named, and only there.
func TestReleaseNeedsToBeMeant(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	sv.create("1.2.3.4", "1.2.3.5")
	const all = `{"data":{"ips":["1.2.3.4","1.2.3.5"]}}`
	for _, c := range []struct {
		name, query, body string
		headers           []string
		status            int
		released          bool
	}{
		{"something else named", "", `{"data":{"ip":"1.2.3.4"}}`, nil, 400, false},
		{"null", "", `{"data":{"ips":null}}`, nil, 400, false},
		{"empty list", "", `{"data":{"ips":[]}}`, nil, 400, false},
		{"empty bare list", "", `{"data":[]}`, nil, 400, false},
		{"no envelope", "", `{"ips":["1.2.3.4"]}`, nil, 400, false},
		{"in the query", "?ips=1.2.3.4", "", nil, 400, false},
		{"list in the query", "?ips%5B%5D=1.2.3.4", "", nil, 400, false},
		{"body that is not read", "", `{"data":{"ips":["1.2.3.4"]}}`, []string{"Content-Type", "text/plain"}, 415, false},
		{"file", "", `{"data":{"ips":["1.2.3.4"]}}`, []string{"Content-Type", "text/csv"}, 415, false},
		{"Crossbar's format", "?response_format=crossbar", "", nil, 200, false},
		{"another revision", "", "", []string{"If-Match", `"1-x"`}, 412, false},
		{"nothing", "", "", nil, 200, true},
		{"nothing, labelled as text", "", "", []string{"Content-Type", "text/plain"}, 200, true},
		{"empty data", "", `{"data":{}}`, nil, 200, true},
		{"metadata", "", `{"data":{"ui_metadata":{"ui":"x"}}}`, nil, 200, true},
		{"list", "", all, nil, 200, true},
		{"bare list", "", `{"data":["1.2.3.4","1.2.3.5","1.2.3.4"]}`, nil, 200, true},
	} {
		if len(sv.list(sv.as("A", "GET", ipsOfA+"/assigned", ""))) == 0 {
			sv.want(sv.as("A", "POST", ipsOfA, all), 200)
		}
		a := sv.as("A", "DELETE", ipsOfA+c.query, c.body, c.headers...)
		left := len(sv.list(sv.as("A", "GET", ipsOfA+"/assigned", "")))
		if a.status != c.status || (left == 0) != c.released {
			t.Errorf("%s: %d, want %d, %d left: %s", c.name, a.status, c.status, left, a.text)
		}
	}
}
