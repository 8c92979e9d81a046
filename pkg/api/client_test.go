package api_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

// answer is what came back.
type answer struct {
	status   int
	header   http.Header
	text     string
	envelope map[string]any // nil where the text is no JSON object
}

func (a answer) data() any { return a.envelope["data"] }

// send makes a request as it is: nothing is added to it but Host, Content-Length and Connection. Headers are
// pairs of a name and a value.
func (sv *service) send(method, path, body string, headers ...string) answer {
	sv.Helper()
	var b strings.Builder
	b.WriteString(method + " " + path + " HTTP/1.1\r\nHost: junctor\r\nConnection: close\r\n")
	for i := 0; i+1 < len(headers); i += 2 {
		b.WriteString(headers[i] + ": " + headers[i+1] + "\r\n")
	}
	if body != "" || method == http.MethodPost || method == http.MethodPut {
		b.WriteString("Content-Length: " + itoa(len(body)) + "\r\n")
	}
	b.WriteString("\r\n" + body)
	return sv.raw(method, b.String())
}

// raw sends the text of a request and reads the answer.
func (sv *service) raw(method, text string) answer {
	sv.Helper()
	conn, err := net.Dial("tcp", sv.addr)
	if err != nil {
		sv.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	go func() { _, _ = io.WriteString(conn, text) }() // the answer may come before all of it is read
	r := bufio.NewReader(conn)
	for {
		resp, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			sv.Fatalf("%s: %v", firstLine(text), err)
		}
		if resp.StatusCode == http.StatusContinue {
			continue
		}
		return readAnswer(sv, resp)
	}
}

func readAnswer(t testing.TB, resp *http.Response) answer {
	t.Helper()
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header, text: string(text)}
	_ = json.Unmarshal(text, &a.envelope)
	return a
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\r\n")
	return line[:min(len(line), 120)]
}

func itoa(n int) string { return json.Number(jsonText(n)).String() }

func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// key returns an account's API key, which is in its document.
func (sv *service) key(name string) string {
	sv.Helper()
	doc, err := sv.store.Get(sv.Context(), "accounts", accountIDs[name])
	if err != nil {
		sv.Fatal(err)
	}
	key := doc.String("pvt_api_key")
	keep(key)
	return key
}

// token returns a token of the account or user that the recordings call by that name, fetched with the account's API
// key or the user's password.
func (sv *service) token(name string) string {
	sv.Helper()
	if token, ok := sv.keys[name]; ok {
		return token
	}
	a := sv.logIn(name)
	token, _ := a.envelope["auth_token"].(string)
	if a.status != http.StatusCreated || token == "" {
		sv.Fatalf("login of %s: %d %s", name, a.status, a.text)
	}
	keep(token)
	sv.keys[name] = token
	return token
}

func (sv *service) logIn(name string) answer {
	sv.Helper()
	if user, ok := users[name]; ok {
		return sv.send("PUT", "/v2/user_auth", user.login())
	}
	return sv.send("PUT", "/v2/api_auth", `{"data":{"api_key":"`+sv.key(name)+`"}}`)
}

// as makes a request with the token of an account.
func (sv *service) as(name, method, path, body string, headers ...string) answer {
	sv.Helper()
	return sv.send(method, path, body, append([]string{"X-Auth-Token", sv.token(name)}, headers...)...)
}

// create puts addresses of zone us-east into the pool.
func (sv *service) create(addresses ...string) {
	sv.Helper()
	for _, address := range addresses {
		body := `{"data":{"ip":"` + address + `","zone":"us-east","host":"proxy1.us-east.myswitch.com"}}`
		sv.want(sv.as("M", "PUT", "/v2/ips", body), http.StatusCreated)
	}
}

// want checks the status of an answer, and hands it on.
func (sv *service) want(a answer, status int) answer {
	sv.Helper()
	if a.status != status {
		sv.Fatalf("status %d, want %d: %.300s %.500s", a.status, status, jsonText(a.data()), a.text)
	}
	return a
}

// is compares data with JSON.
func (sv *service) is(data any, want string) {
	sv.Helper()
	if !sameJSON(sv, data, want) {
		sv.Errorf("data\ngot  %s\nwant %s", jsonText(data), want)
	}
}

func sameJSON(t testing.TB, data any, text string) bool {
	t.Helper()
	var parsed any
	if err := json.Unmarshal([]byte(text), &parsed); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return reflect.DeepEqual(data, parsed)
}
