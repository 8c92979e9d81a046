package main

import (
	"path/filepath"
	"strings"
	"testing"

	"junctor/pkg/account"
	"junctor/pkg/store/embedded"
)

// TestSecretFromEnvironment: P13. One newline at the end of a secret is removed, and a secret can come from a file.
func TestSecretFromEnvironment(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		write(t, path, text)
		return path
	}
	for want, env := range map[string]environment{
		"plain":      {"S": "plain"},
		"newline":    {"S": "newline\n"},
		"CRLF":       {"S": "CRLF\r\n"},
		"one\n":      {"S": "one\n\n"},
		" spaces \r": {"S": " spaces \r"},
		"file":       {"S_FILE": file("file", "file")},
		"file line":  {"S_FILE": file("line", "file line\r\n")},
		"":           {"S_FILE": ""},
	} {
		if got, err := secretVariable(env.get, "S"); err != nil || got != want {
			t.Errorf("%q: got %q, %v", env, got, err)
		}
	}
	for name, env := range map[string]environment{
		"are both set":   {"S": "s3cret", "S_FILE": file("both", "s3cret")},
		"no such file":   {"S_FILE": folder + "/missing"},
		"is a directory": {"S_FILE": folder},
		"one line of":    {"S_FILE": file("lines", "s3cret\ns3cret\n")},
		"of 1 to 4096":   {"S_FILE": file("long", strings.Repeat("s3cret", 1000))},
		"does not hold":  {"S_FILE": file("empty", "\n")},
	} {
		if _, err := secretVariable(env.get, "S"); err == nil || !strings.Contains(err.Error(), name) ||
			strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v: %v", env, err)
		}
	}
}

// TestSecretsWithNewline: P13, from the command line to the login.
func TestSecretsWithNewline(t *testing.T) {
	t.Parallel()
	home, folder := filepath.Join(t.TempDir(), "store"), t.TempDir()
	storeFile, passwordFile := filepath.Join(folder, "store"), filepath.Join(folder, "password")
	write(t, storeFile, home+"\n")
	write(t, passwordFile, "from a file\n")
	s := startWith(t, environment{"JUNCTOR_STORE": home + "\n", "JUNCTOR_ZONE": "z\n"})
	if !exists(embedded.File(home)) {
		t.Fatal("the store is elsewhere")
	}
	var created account.Created
	o := call(t, environment{"JUNCTOR_STORE_FILE": storeFile}, "account", "create", "A", "--json")
	decode(t, o.stdout, &created)
	for name, env := range map[string]environment{
		"jane": {"JUNCTOR_PASSWORD": "from a variable\n"}, "john": {"JUNCTOR_PASSWORD_FILE": passwordFile},
	} {
		env["JUNCTOR_STORE"] = home
		if o := call(t, env, "user", "create", created.ID, name); o.code != 0 {
			t.Fatalf("%s: %+v", name, o)
		}
	}
	for name, password := range map[string]string{"jane": "from a variable", "john": "from a file"} {
		if status, _ := s.logInUser("A", name, password); status != 201 {
			t.Errorf("%s: %d", name, status)
		}
	}
}
