package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"junctor/pkg/account"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
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
	return outcome{code, stdout.String(), busyLine.ReplaceAllString(stderr.String(), "")}
}

// announcement is what a command says that had to create a store.
var announcement = regexp.MustCompile(`(?m)^junctor: created a new store in /.*\n`)

// busyLine is what a command says on a busy machine: how far it is after a second, and that a CouchDB took more than three
// to write the history.
var busyLine = regexp.MustCompile(`(?m)^((\d+% )?\d+ (rows|addresses|events compared|documents, \d+ attachments, .*)|` +
	`.*"message":"the history lacks what was changed here.*)\n`)

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
	process   *exec.Cmd // nil for a server in this process
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

// program returns this test binary as the program.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.WaitDelay = patience // for the rest of what it has written
	return cmd
}

// startProcess starts a server in a process of its own, and waits until it is ready. env are variables of it.
func startProcess(t *testing.T, env []string, args ...string) *served {
	t.Helper()
	s := beginProcess(t, env, args...)
	s.await()
	return s
}

// beginProcess is startProcess without the wait.
func beginProcess(t *testing.T, env []string, args ...string) *served {
	t.Helper()
	s := &served{T: t, readyFile: filepath.Join(t.TempDir(), "ready.json"), stderr: &testutil.Log{}}
	s.process = program(t, append([]string{"serve", "--listen", "127.0.0.1:0", "--ready-file", s.readyFile}, args...)...)
	s.process.Env = append(s.process.Env, env...)
	s.process.Stderr = s.stderr
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.process.ProcessState == nil {
			s.end(syscall.SIGKILL)
		}
		if t.Failed() {
			t.Logf("log:\n%s", s.stderr)
		}
	})
	return s
}

// end sends a signal to the process and waits for its end. It returns the exit code, -1 if the signal ended it.
func (s *served) end(signal os.Signal) (code int) {
	s.Helper()
	if err := s.process.Process.Signal(signal); err != nil {
		s.Errorf("%s: %v", signal, err)
	}
	_ = s.process.Wait() // the exit code tells
	return s.process.ProcessState.ExitCode()
}

// await waits for the ready file.
func (s *served) await() {
	s.Helper()
	testutil.Eventually(s.T, "the ready file", func() bool { return exists(s.readyFile) }, s.stderr)
	var ready readyInfo
	readJSON(s.T, s.readyFile, &ready)
	pid := os.Getpid()
	if s.process != nil {
		pid = s.process.Process.Pid
	}
	if s.url = ready.URL; ready.PID != pid || !strings.Contains(ready.URL, "://127.0.0.1:") {
		s.Fatalf("ready: %+v", ready)
	}
}

// awaitListening waits until a server listens that may never be ready.
func (s *served) awaitListening() {
	s.Helper()
	testutil.Eventually(s.T, "the server to listen", func() bool {
		_, rest, found := strings.Cut(s.stderr.String(), `"url":"`)
		s.url, _, _ = strings.Cut(rest, `"`)
		return found
	}, s.stderr)
}

// logged returns how often a text is in the log.
func (s *served) logged(text string) int { return strings.Count(s.stderr.String(), text) }

func (s *served) logs(text string) bool { return s.logged(text) > 0 }

// client gives up at some time. Clients that make a load share connections, of which a machine has not enough otherwise.
var client = &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// send sends a request with a token, if that is not empty, and other headers: names and values by turns. It fails if the
// server closes the connection, as one that stops does.
func (s *served) send(method, path, token, body string, headers ...string) (status int, text []byte, err error) {
	r, err := http.NewRequestWithContext(context.WithoutCancel(s.Context()), method, s.url+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if token != "" {
		r.Header.Set("X-Auth-Token", token)
	}
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	resp, err := client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	text, err = io.ReadAll(resp.Body)
	return resp.StatusCode, text, err
}

// sendApart is send on a connection of its own.
func (s *served) sendApart(method, path, token, body string, headers ...string) (status int, text []byte, err error) {
	return s.send(method, path, token, body, append(headers, "Connection", "close")...)
}

// request is sendApart for when there has to be a response. It returns the body if that is JSON.
func (s *served) request(method, path, token, body string, headers ...string) (status int, envelope map[string]any) {
	s.Helper()
	status, text, err := s.sendApart(method, path, token, body, headers...)
	if err != nil {
		s.Fatal(err)
	}
	_ = json.Unmarshal(text, &envelope)
	return status, envelope
}

// must is request for when the status has to be one of success. It returns the data.
func (s *served) must(method, path, token, body string) (data any) {
	s.Helper()
	status, envelope := s.request(method, path, token, body)
	if status/100 != 2 {
		s.Fatalf("%s %s: %d %v", method, path, status, envelope)
	}
	return envelope["data"]
}

// create adds an address to the pool.
func (s *served) create(token, ip, zone string) {
	s.Helper()
	s.must("PUT", "/v2/ips", token, `{"data":{"ip":"`+ip+`","zone":"`+zone+`","host":"h"}}`)
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

// loginAdmin returns a token of the administrator of the store in a folder.
func (s *served) loginAdmin(home string) string {
	s.Helper()
	return s.login(readAdmin(s.T, home).APIKey)
}

// assign creates the address 1.2.3.4 and assigns it to a new account, whose id it returns.
func (s *served) assign(home string) (accountID string) {
	s.Helper()
	token := s.loginAdmin(home)
	created := newAccount(s.T, "A", "--store", home)
	s.create(token, "1.2.3.4", "z")
	s.must("POST", "/v2/accounts/"+created.ID+assignedAddress, token, `{"data":{}}`)
	return created.ID
}

const assignedAddress = "/ips/1.2.3.4"

func (s *served) metrics() string {
	s.Helper()
	_, text, err := s.sendApart("GET", "/metrics", "", "")
	if err != nil {
		s.Fatal(err)
	}
	return string(text)
}

// shows reports whether /metrics has a line.
func (s *served) shows(line string) bool {
	s.Helper()
	return strings.Contains("\n"+s.metrics(), "\n"+line+"\n")
}

// metric returns the value of a series of /metrics, empty if it has none.
func (s *served) metric(series string) string {
	s.Helper()
	_, rest, _ := strings.Cut("\n"+s.metrics(), "\n"+series+" ")
	value, _, _ := strings.Cut(rest, "\n")
	return value
}

// awaitFullPass waits until the server has compared the copies of all accounts.
func (s *served) awaitFullPass() {
	s.Helper()
	testutil.Eventually(s.T, "a full pass", func() bool { return s.metric(fullPasses("completed")) >= "1" }, s.stderr)
}

func fullPasses(result string) string { return `junctor_full_passes_total{result="` + result + `"}` }

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

// bootstrapped bootstraps the store that flags name, and returns its administrator.
func bootstrapped(t *testing.T, at ...string) (admin account.Bootstrapped) {
	t.Helper()
	decode(t, ok(t, append([]string{"bootstrap", "--json"}, at...)...), &admin)
	return admin
}

// newAccount creates an account in the store that flags name.
func newAccount(t *testing.T, name string, at ...string) (created account.Created) {
	t.Helper()
	decode(t, ok(t, append([]string{"account", "create", name, "--json"}, at...)...), &created)
	return created
}

func readAdmin(t *testing.T, home string) (admin account.Bootstrapped) {
	t.Helper()
	readJSON(t, adminFile(home), &admin)
	return admin
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// place is a store to try commands on.
type place struct {
	dsn      string
	stateDir string
	keyFile  string  // where its secret key has to be
	server   *served // nil if there is none yet
}

// places returns a new store of each kind: served, and a CouchDB that is not.
func places(t *testing.T) map[string]*place {
	t.Helper()
	home, state := t.TempDir(), filepath.Join(t.TempDir(), "state")
	return map[string]*place{
		"served":  {dsn: home, keyFile: keyFile(home), server: start(t, "--store", home)},
		"CouchDB": {dsn: storetest.FreshCouch(t), stateDir: state, keyFile: keyFile(state)},
	}
}

// args adds to the arguments of a command which store it is about.
func (p *place) args(text string) []string {
	return append(strings.Fields(text), "--store", p.dsn, "--state-dir", p.stateDir)
}

// serve returns the server of the store, and starts it if there is none.
func (p *place) serve(t *testing.T) *served {
	t.Helper()
	if p.server == nil {
		p.server = start(t, p.args("")...)
	}
	return p.server
}

// open opens the store, for which its server has to stop.
func (p *place) open(t *testing.T) *store.Store {
	t.Helper()
	if p.server != nil {
		p.server.stop()
		p.server = nil
	}
	return storetest.Open(t, p.dsn)
}

// task is a command, and what it has to come to.
type task struct {
	args, stdin string
	env         environment
	want        outcome
}

// does has tasks done, one after the other. names are names in them and what they stand for, by turns. What matches
// volatile, which may be nil, is X in an outcome.
func (p *place) does(t *testing.T, tasks []task, volatile *regexp.Regexp, names ...string) {
	t.Helper()
	words := strings.NewReplacer(names...)
	for i := 0; i < len(names); i += 2 {
		names[i], names[i+1] = names[i+1], names[i]
	}
	mask := strings.NewReplacer(names...)
	for _, task := range tasks {
		got := tell(t, task.env, words.Replace(task.stdin), p.args(words.Replace(task.args))...)
		got.stdout, got.stderr = mask.Replace(got.stdout), announcement.ReplaceAllString(mask.Replace(got.stderr), "")
		if volatile != nil {
			got.stdout = volatile.ReplaceAllString(got.stdout, "X")
		}
		if got != task.want {
			t.Errorf("%s:\ngot  %+v\nwant %+v", task.args, got, task.want)
		}
	}
}

// prints, fails and misuses are outcomes: a text on standard output, and errors with exit codes 1 and 2.
func prints(lines ...string) outcome { return outcome{stdout: strings.Join(lines, "\n") + "\n"} }
func fails(text string) outcome      { return outcome{code: 1, stderr: "junctor: " + text + "\n"} }
func misuses(text string) outcome    { return outcome{code: 2, stderr: "junctor: " + text + "\n"} }

// volatile is what differs from store to store: ids, keys and random realms.
var volatile = regexp.MustCompile(`[0-9a-f]{32,}|[0-9a-f]{6}\.sip`)
