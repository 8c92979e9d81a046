package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"junctor/pkg/account"
	"junctor/pkg/testutil"
)

// TestTour pastes what --tour prints into a shell: every line works, and the last leaves nothing behind, so that all
// of it works again.
func TestTour(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil && os.Getenv("CI") != "true" {
		t.Skip("no curl to run the tour with")
	}
	home := t.TempDir()
	s := start(t, "--store", home, "--tour")
	testutil.Eventually(t, "the tour", func() bool { return strings.Contains(s.stdout.String(), "delete it") })
	want := []string{"available", "", "assigned", "assigned", "", "available", "available"}
	for range 2 {
		shell := exec.CommandContext(t.Context(), "sh", "-e")
		shell.Stdin = strings.NewReader(s.stdout.String())
		shell.Env = append(os.Environ(), asProgram+"=1")
		output, err := shell.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, output)
		}
		lines := strings.Split(strings.TrimSpace(string(output)), "\n")
		if len(lines) != len(want) {
			t.Fatalf("%d answers: %s", len(lines), output)
		}
		for i, line := range lines {
			checkAnswer(t, line, want[i])
		}
	}
}

// checkAnswer checks that an answer is a success, about an address of that status or a list with one.
func checkAnswer(t *testing.T, line, status string) {
	t.Helper()
	var answer struct {
		Status string
		Data   json.RawMessage
	}
	if err := json.Unmarshal([]byte(line), &answer); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	want := `"status":"` + status + `"`
	if status == "" {
		want = `[{"ip":"192.0.2.10","zone":"us-east"}]`
	}
	if answer.Status != "success" || !strings.Contains(string(answer.Data), want) {
		t.Errorf("want %s in %s", want, line)
	}
}

// TestSecrets: no key, no password and no token is logged, whatever is asked for and however chatty the log.
func TestSecrets(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := startProcess(t, nil, "--store", home, "--log-level", "debug", "--tour") // the level is that of a process
	admin := readAdmin(t, home)
	created := newAccount(t, "A", "--store", home)
	token := s.login(admin.APIKey)
	ok(t, "bootstrap", "--store", home)
	const password, apiKey = "correct horse battery staple", "0123456789abcdef0123456789abcdef0123456789"
	env := environment{"JUNCTOR_STORE": home, "JUNCTOR_PASSWORD": password, "JUNCTOR_CLUSTER_API_KEY": apiKey}
	for range 2 { // the second time each fails
		call(t, env, "account", "create", "B", "--user", "admin", "--realm", "b.example.com")
		call(t, env, "user", "create", created.ID, "admin")
		call(t, env, "cluster", "add", otherCluster, "https://other.example.com/v2")
	}
	call(t, env, "user", "passwd", created.ID, "nobody")
	credentials := account.HashPassword(account.MD5, "admin", password).Value
	for _, name := range []string{"A", "B", "C"} {
		s.logInUser(name, "admin", password)
	}

	s.request("GET", "/v2/ips?auth_token="+token, "", "")
	s.request("GET", "/v2/"+token, token, "")
	s.request("GET", "/v2/accounts/"+token+"/ips", token, "")
	s.request("POST", "/v2/ips", token, `{"auth_token":"`+token+`","data":{"api_key":"`+admin.APIKey+`"`)
	s.request("GET", "/v2/ips", token+"x", "")
	s.request("PUT", "/v2/api_auth", "", `{"data":{"api_key":"`+admin.APIKey+`x"}}`)
	if code := s.end(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
	log := s.stderr.String()
	if strings.Count(log, `"message":"request"`) < 7 {
		t.Errorf("the requests are not logged:\n%s", log)
	}
	for _, secret := range []string{admin.APIKey, created.APIKey, token, password, apiKey, credentials} {
		if strings.Contains(log, secret[:24]) {
			t.Errorf("%s is in the log:\n%s", secret, log)
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(log), "\n") {
		if !json.Valid([]byte(line)) {
			t.Errorf("not a line of JSON: %s", line)
		}
	}
}
