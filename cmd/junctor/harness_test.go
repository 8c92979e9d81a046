package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"junctor/pkg/account"
	"junctor/pkg/testutil"
	"junctor/pkg/testutil/leak"
)

// asProgram makes the test binary the program itself, for tests that need a process of its own.
const asProgram = "JUNCTOR_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		if os.Getenv(noWrites) != "" {
			forbidWrites()
		}
		main()
	}
	syscall.Umask(0o022) // folders of tests that others can write to would be refused
	os.Exit(leak.RunShort(m))
}

// patience is how long a condition may take to come true.
const patience = testutil.Patience

type environment map[string]string

func (e environment) get(name string) string { return e[name] }

// outcome is what a call of the program came to.
type outcome struct {
	code           int
	stdout, stderr string
}

// call runs the program to its end, with nothing on standard input.
func call(t *testing.T, env environment, args ...string) outcome {
	t.Helper()
	return tell(t, env, "", args...)
}

// tell runs the program to its end, with stdin on standard input.
func tell(t *testing.T, env environment, stdin string, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	args = append([]string{"junctor"}, args...)
	code := run(t.Context(), args, env.get, strings.NewReader(stdin), &stdout, &stderr)
	return outcome{code, stdout.String(), progressLine.ReplaceAllString(stderr.String(), "")}
}

// announcement is what a command says that had to create a store.
var announcement = regexp.MustCompile(`(?m)^junctor: created a new store in /.*\n`)

// progressLine is what a command says that takes more than a second, as on a busy machine.
var progressLine = regexp.MustCompile(`(?m)^(\d+% )?\d+ (rows|addresses)\n`)

// ok runs the program, which has to succeed, and answers what it printed.
func ok(t *testing.T, args ...string) string {
	t.Helper()
	o := call(t, nil, args...)
	if o.code != 0 || announcement.ReplaceAllString(o.stderr, "") != "" {
		t.Fatalf("%v: exit code %d, %s", args, o.code, o.stderr)
	}
	return o.stdout
}

// served is a running "junctor serve".
type served struct {
	*testing.T
	url       string
	readyFile string
	stdout    *testutil.Log
	stderr    *testutil.Log
	stop      func() (code int)
	kill      func() // of a process of its own: with SIGKILL
}

// begin starts a server and does not wait for it.
func begin(t *testing.T, env environment, args ...string) *served {
	t.Helper()
	s := &served{T: t, readyFile: filepath.Join(t.TempDir(), "ready.json"), stdout: &testutil.Log{}, stderr: &testutil.Log{}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	args = append([]string{"junctor", "serve", "--listen", "127.0.0.1:0", "--ready-file", s.readyFile}, args...)
	go func() { ended <- run(ctx, args, env.get, strings.NewReader(""), s.stdout, s.stderr) }()
	s.stop = sync.OnceValue(func() int {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		if code := s.stop(); code != 0 || t.Failed() {
			t.Errorf("exit code %d, log:\n%s", code, s.stderr)
		}
	})
	return s
}

// start starts a server and waits until it says that it is ready.
func start(t *testing.T, args ...string) *served {
	t.Helper()
	return startWith(t, nil, args...)
}

func startWith(t *testing.T, env environment, args ...string) *served {
	t.Helper()
	s := begin(t, env, args...)
	s.await()
	return s
}

func (s *served) await() {
	s.Helper()
	testutil.Eventually(s.T, "the ready file", func() bool { return exists(s.readyFile) })
	var ready readyInfo
	readJSON(s.T, s.readyFile, &ready)
	if s.url = ready.URL; ready.PID != os.Getpid() || !strings.HasPrefix(ready.URL, "http://127.0.0.1:") {
		s.Fatalf("ready: %+v", ready)
	}
}

// findURL finds out where a server listens that is not ready yet.
func (s *served) findURL() {
	_, rest, _ := strings.Cut(s.stderr.String(), `"url":"`)
	s.url, _, _ = strings.Cut(rest, `"`)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	decode(t, string(text), into)
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

func readAdmin(t *testing.T, home string) account.Bootstrapped {
	t.Helper()
	var admin account.Bootstrapped
	readJSON(t, adminFile(home), &admin)
	return admin
}

// request returns the status of one request, and the body where it is JSON.
func (s *served) request(method, path, token, body string) (status int, envelope map[string]any) {
	s.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	r.Close = true
	if token != "" {
		r.Header.Set("X-Auth-Token", token)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	_ = json.Unmarshal(text, &envelope)
	return resp.StatusCode, envelope
}

// login fetches a token with an API key.
func (s *served) login(apiKey string) string {
	s.Helper()
	status, envelope := s.request("PUT", "/v2/api_auth", "", `{"data":{"api_key":"`+apiKey+`"}}`)
	token, _ := envelope["auth_token"].(string)
	if status != http.StatusCreated || token == "" {
		s.Fatalf("api_auth: %d %v", status, envelope)
	}
	return token
}
