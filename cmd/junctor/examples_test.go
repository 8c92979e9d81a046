package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// example is a block of code in a document: indented, or between fences.
type example struct {
	document, text string
	line           int
}

func (e example) String() string { return fmt.Sprintf("%s:%d", e.document, e.line) }

// begins reports whether the code begins with a text.
func (e example) begins(text string) bool { return strings.HasPrefix(strings.TrimSpace(e.text), text) }

// row returns the index in otherExamples, or -1.
func (e example) row() int {
	return slices.IndexFunc(otherExamples, func(row otherExample) bool {
		return row.document == e.document && e.begins(row.begins)
	})
}

// isShell reports whether the code is a list of commands.
func (e example) isShell() bool {
	row := e.row()
	return row < 0 || otherExamples[row].tested != aPicture && otherExamples[row].tested != "TestPackagesAreNamed" &&
		otherExamples[row].tested != "TestCommandLineDocumented" && otherExamples[row].tested != "TestConfigurationExample" &&
		!e.begins("{")
}

type otherExample struct{ document, begins, tested string }

const aPicture = "a picture"

// otherExamples says of the examples that TestExamples does not paste into a shell what tests them, by the document and
// the beginning of the code. What begins with "Test" is the test that runs or compares them. All commands among them
// are parsed by TestCommandLines.
var otherExamples = []otherExample{
	{"README.md", "Monster UI, SDKs", aPicture},
	{"README.md", `{"level":"info","file"`, "TestReadmeStart"},
	{"README.md", "SERVER=", "TestReadmeTour"},
	{"README.md", `{"auth_token"`, "TestReadmeTour"},
	{"README.md", "# Let the pool choose", "TestReadmeTour"},
	{"CONTRIBUTING.md", "JUNCTOR_TEST_COUCHDB=", "parsed: it runs the tests of packages"},
	{"docs/architecture.md", "flowchart", aPicture},
	{"docs/architecture.md", "cmd/junctor ", "TestPackagesAreNamed"},
	{"docs/billing.md", `{"version":1,"event":"quote"`, "TestBillingExamples"},
	{"docs/billing.md", `{"version":1,"event":"reconcile"`, "TestBillingExamples"},
	{"docs/configuration.md", "# /etc/junctor.yaml", "TestConfigurationExample"},
	{"docs/configuration.md", "junctor serve ", "TestCommandLineDocumented"},
	{"docs/figures.md", "make bench", "parsed: it takes an hour; make bench-smoke is part of .ci/run"},
	{"docs/operations.md", "apt install", "parsed: it needs root and systemd; TestPackages"},
	{"docs/operations.md", "sudo -u junctor", "parsed: it needs the user of the package"},
	{"docs/operations.md", "curl -X PUT http://USER:OLD", "parsed: it needs a CouchDB of its own"},
	{"docs/operations.md", "junctor serve --store /var/lib/junctor", "parsed: it serves until it is stopped"},
	{"docs/operations.md", "junctor serve --store http", "parsed: it serves until it is stopped; TestNotReadyUntilBootstrapped"},
	{"docs/operations.md", "(umask 077", "parsed: it needs Docker; TestCompose"},
	{"docs/operations.md", `{"level":"info","request_id"`, "TestLogExample"},
	{"docs/sip.md", "apt install kamailio", "parsed: it needs root; TestSIP runs this configuration"},
	{"docs/take-over.md", "$ junctor doctor", "TestTakeOverExamples"},
	{"docs/take-over.md", "junctor serve", "TestTakeOverExamples"},
	{"docs/take-over.md", "TOKEN=", "TestTakeOverExamples"},
	{"pkg/console/web/README.md", "cd pkg/console/web", "parsed: \"make console\" and pkg/console run the same"},
}

// pages are the documents whose examples TestExamples pastes into a shell.
var pages = map[string]func(*testing.T, []example){
	"docs/api.md": pasteAPI, "docs/operations.md": pasteOperations,
}

// TestExamples pastes the examples of the documents into a shell, those of a page one after the other. Every example is
// pasted, or has a row in otherExamples.
func TestExamples(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil && os.Getenv("CI") != "true" {
		t.Skip("no curl to run the examples with")
	}
	tests, pasted, used := testNames(t), map[string][]example{}, map[int]bool{}
	for _, e := range examples(t) {
		row := e.row()
		switch {
		case row >= 0:
			used[row] = true
		case pages[e.document] != nil:
			pasted[e.document] = append(pasted[e.document], e)
		default:
			t.Errorf("%s: no test runs or compares this example", e)
		}
	}
	for i, row := range otherExamples {
		if !used[i] {
			t.Errorf("%s has no example that begins with %s", row.document, row.begins)
		}
		if strings.HasPrefix(row.tested, "Test") && !tests[row.tested] {
			t.Errorf("%s: there is no %s", row.document, row.tested)
		}
	}
	for document, paste := range pages {
		t.Run(filepath.Base(document), func(t *testing.T) {
			t.Parallel()
			paste(t, pasted[document])
		})
	}
}

// documentsWithCode returns the paths of the documents, from the top of the repository.
func documentsWithCode(t *testing.T) (paths []string) {
	t.Helper()
	for _, pattern := range []string{"*.md", "docs/*.md", "packaging/*.md", "packaging/*/*.md", "pkg/console/web/*.md"} {
		found, err := filepath.Glob("../../" + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			paths = append(paths, strings.TrimPrefix(path, "../../"))
		}
	}
	return paths
}

// examples returns the blocks of code in all documents.
func examples(t *testing.T) (all []example) {
	t.Helper()
	for _, document := range documentsWithCode(t) {
		var code *example
		fenced, blank := false, true
		for i, line := range strings.Split(readFile(t, "../../"+document), "\n") {
			fence := strings.HasPrefix(strings.TrimSpace(line), "```")
			indented := strings.HasPrefix(line, "    ")
			switch {
			case fence:
				fenced, code = !fenced, nil
				if fenced {
					all = append(all, example{document: document, line: i + 1})
					code = &all[len(all)-1]
				}
			case fenced:
				code.text += line + "\n"
			case code == nil && indented && blank:
				all = append(all, example{document: document, line: i + 1})
				code = &all[len(all)-1]
				code.text = strings.TrimPrefix(line, "    ") + "\n"
			case code != nil && (indented || line == ""):
				code.text += strings.TrimPrefix(line, "    ") + "\n"
			default:
				code = nil
			}
			blank = strings.TrimSpace(line) == ""
		}
	}
	if len(all) < 30 {
		t.Fatalf("%d examples", len(all))
	}
	return all
}

// theExample returns the one block of a document that begins with a text.
func theExample(t *testing.T, document, begins string) string {
	t.Helper()
	for _, e := range examples(t) {
		if e.document == document && e.begins(begins) {
			return e.text
		}
	}
	t.Fatalf("%s has no example that begins with %s", document, begins)
	return ""
}

// testNames returns the names of all tests in the repository.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names, test := map[string]bool{}, regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, folder := range []string{"cmd", "docs", "packaging", "pkg"} {
		err := filepath.WalkDir("../../"+folder, func(path string, _ os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			for _, match := range test.FindAllStringSubmatch(readFile(t, path), -1) {
				names[match[1]] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// terminal is a shell in a folder, in which junctor is a command.
type terminal struct {
	*testing.T
	folder string
	env    []string
	here   *strings.Replacer // from what a page says to what there is
}

func openTerminal(t *testing.T, replace ...string) *terminal {
	t.Helper()
	folder := t.TempDir()
	if err := errors.Join(os.Mkdir(folder+"/bin", 0o700), os.Symlink(program(t).Path, folder+"/bin/junctor")); err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), asProgram+"=1", "PATH="+folder+"/bin:"+os.Getenv("PATH"))
	return &terminal{T: t, folder: folder, env: env, here: strings.NewReplacer(replace...)}
}

// paste executes an example, which has to succeed, and returns its standard output.
func (s *terminal) paste(e example) string {
	s.Helper()
	shell := exec.CommandContext(s.Context(), "bash", "-e", "-o", "pipefail")
	shell.Dir = s.folder
	shell.Stdin = strings.NewReader(s.here.Replace(e.text))
	shell.Env = s.env
	var stderr strings.Builder
	shell.Stderr = &stderr
	output, err := shell.Output()
	if err != nil {
		s.Fatalf("%s: %v\n%s%s", e, err, output, &stderr)
	}
	return string(output)
}

// pasteAPI pastes the examples of docs/api.md, whose responses have to be successes.
func pasteAPI(t *testing.T, all []example) {
	home := t.TempDir()
	s := start(t, "--store", home)
	admin := readAdmin(t, home)
	holder := newAccount(t, "Holder", "--user", "jane", "--password", "correct horse", "--store", home)
	token := s.login(admin.APIKey)
	shell := openTerminal(t, "$SERVER", s.url, "$TOKEN", token, "API_KEY", admin.APIKey, "USERNAME:PASSWORD",
		"jane:correct horse", "ACCOUNT_NAME", "Holder", "ACCOUNT_ID", admin.AccountID, "$ACCOUNT", holder.ID)
	for _, e := range all {
		decoder, responses := json.NewDecoder(strings.NewReader(shell.paste(e))), 0
		for {
			var envelope struct{ Status string }
			if err := decoder.Decode(&envelope); errors.Is(err, io.EOF) {
				break
			} else if err != nil || envelope.Status != "success" {
				t.Fatalf("%s: %v, %+v", e, err, envelope)
			}
			responses++
		}
		if want := strings.Count(e.text, "curl "); responses != want {
			t.Errorf("%s: %d responses to %d requests", e, responses, want)
		}
	}
}

// pasteOperations pastes the examples of docs/operations.md. What it says of stopping is done before they are pasted.
func pasteOperations(t *testing.T, all []example) {
	home := t.TempDir()
	s := start(t, "--store", home)
	s.assign(home)
	shell := openTerminal(t, "http://127.0.0.1:8000", s.url, "--store STORE", "--store "+home, "/var/lib/junctor", home,
		"/backup/", "", "http://USER:PASSWORD@127.0.0.1:5984", "moved", "ACCOUNT", "Customer")
	shell.env = append(shell.env, "JUNCTOR_STORE="+home) // which the page says to set once
	ok(t, "account", "create", "Customer", "--store", home)
	write(t, shell.folder+"/addresses.csv", "ip,zone,host\n192.0.2.10,us-east,proxy1.example.com\n")
	write(t, shell.folder+"/bin/ssh", "#!/bin/sh\nshift\nexec sh -c \"$@\"\n")
	if err := os.Chmod(shell.folder+"/bin/ssh", 0o700); err != nil {
		t.Fatal(err)
	}
	printed := map[string]string{ // among other things, by how an example begins
		"curl -s":             `{"status":"ok"}`,
		"junctor ips import":  "created, 0 were there already, 0 refused",
		"junctor ips history": "created  192.0.2.10",
		"junctor backup /":    "junctor.backup",
		"junctor restore":     "made by",
		"junctor export":      "junctor.jsonl",
		"junctor ips rebuild": "1 were in the pool",
	}
	for _, e := range all {
		if e.begins("junctor restore") { // "Stop the server. Move junctor.db away."
			s.stop()
			if err := os.Rename(home+"/junctor.db", home+"/away.db"); err != nil {
				t.Fatal(err)
			}
		}
		text := shell.paste(e)
		for begins, want := range printed {
			if e.begins(begins) {
				delete(printed, begins)
				if !strings.Contains(text, want) {
					t.Errorf("%s: it does not print %s:\n%s", e, want, text)
				}
			}
		}
	}
	for begins := range printed {
		t.Errorf("no example begins with %s", begins)
	}
}

// TestCommandLines: commands in the documents are ones that there are, in blocks with valid flags and operands, and in
// the text with flags that they have.
func TestCommandLines(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, e := range examples(t) {
		if !e.isShell() {
			continue
		}
		for line := range strings.Lines(strings.ReplaceAll(e.text, "\\\n", " ")) {
			for _, command := range commandsOf(line) {
				checked++
				checkCommand(t, e.String(), strings.Fields(command)[1:], true)
			}
			checkCompose(t, e, line)
		}
	}
	if checked < 20 {
		t.Errorf("%d commands in blocks", checked)
	}
	checked = 0
	for _, document := range documentsWithCode(t) {
		for _, match := range regexp.MustCompile("`((?:bin/)?(?:junctor|ips) [a-z][^`]*)`").
			FindAllStringSubmatch(readFile(t, "../../"+document), -1) {
			words := strings.Fields(strings.NewReplacer("[", "", "]", "").Replace(match[1]))
			if checked++; words[0] != "ips" {
				words = words[1:]
			}
			checkCommand(t, document, words, false)
		}
	}
	if checked < 60 {
		t.Errorf("%d commands in the text", checked)
	}
}

// TestMakeAndGoCommands: the targets of make, the packages and the tests that the documents name are there.
func TestMakeAndGoCommands(t *testing.T) {
	t.Parallel()
	makefile, checked := readFile(t, "../../Makefile"), 0
	target, command := regexp.MustCompile("`make ([a-z-]+)"), regexp.MustCompile("`([^`]*go test [^`]*)`")
	folder := regexp.MustCompile(`\./((?:cmd|pkg|packaging)/[a-z/]+)`)
	test := regexp.MustCompile(`-(run|bench) '?(\w[^/ ']*)`)
	for _, document := range documentsWithCode(t) {
		text := prose(readFile(t, "../../"+document))
		for _, match := range target.FindAllStringSubmatch(text, -1) {
			if checked++; !strings.Contains(makefile, "\n"+match[1]+":") {
				t.Errorf("%s: there is no make %s", document, match[1])
			}
		}
		for _, match := range command.FindAllStringSubmatch(text, -1) {
			checked++
			in := folder.FindStringSubmatch(match[1])
			if in == nil {
				t.Errorf("%s: %s names no package", document, match[1])
				continue
			}
			files, _ := filepath.Glob("../../" + in[1] + "/*_test.go")
			for _, named := range test.FindAllStringSubmatch(match[1], -1) {
				kind := map[string]string{"run": "Test", "bench": "Benchmark"}[named[1]]
				declared := regexp.MustCompile(`(?m)^func ` + kind + `\w*` + strings.TrimPrefix(named[2], kind))
				if !slices.ContainsFunc(files, func(file string) bool { return declared.MatchString(readFile(t, file)) }) {
					t.Errorf("%s: %s has no %s", document, in[1], named[2])
				}
			}
			if len(files) == 0 {
				t.Errorf("%s: there are no tests in %s", document, in[1])
			}
		}
	}
	if checked < 30 {
		t.Errorf("%d commands", checked)
	}
}

// commandsOf returns the calls of junctor in a line of a shell.
func commandsOf(line string) (commands []string) {
	line, _, _ = strings.Cut(line, " # ")
	for _, part := range regexp.MustCompile(`\||&&|;|\$\(`).Split(strings.TrimPrefix(line, "$ "), -1) {
		part = regexp.MustCompile(`^.*\bexec [a-z-]+ |^sudo -u junctor |^bin/`).ReplaceAllString(strings.TrimSpace(part), "")
		if part, _, _ = strings.Cut(part, " >"); strings.HasPrefix(part, "junctor ") {
			commands = append(commands, part)
		}
	}
	return commands
}

// checkCommand fails if there is no such command, or it has not all of its flags. Those of a whole command line have
// to have valid values, and so do its operands.
func checkCommand(t *testing.T, where string, words []string, whole bool) {
	t.Helper()
	for i, word := range words {
		words[i], _, _ = strings.Cut(word, `\|`) // one of several commands
	}
	cmd, rest, err := (&cli{}).rootCommand().Find(words)
	switch {
	case err != nil || !cmd.HasParent():
		t.Errorf("%s: there is no command %q: %v", where, words, err)
	case cmd.HasSubCommands() && len(rest) > 0:
		t.Errorf("%s: %s has no command %s", where, cmd.CommandPath(), rest[0])
	case whole && cmd.Name() == "serve":
		var flags serveFlags
		operands, err := flags.parse(nil, rest...)
		if err = errors.Join(err, flags.check(environment{}.get)); err != nil || len(operands) > 0 {
			t.Errorf("%s: %q: %v, %q", where, words, err, operands)
		}
	case whole:
		err := cmd.ParseFlags(rest)
		if err == nil {
			err = cmd.ValidateArgs(cmd.Flags().Args())
		}
		if err != nil {
			t.Errorf("%s: %q: %v", where, words, err)
		}
	default:
		checkFlagNames(t, where, cmd, rest)
	}
}

func checkFlagNames(t *testing.T, where string, cmd *cobra.Command, words []string) {
	t.Helper()
	for _, word := range words {
		name, isFlag := strings.CutPrefix(word, "--")
		name, _, _ = strings.Cut(name, "=")
		if isFlag && cmd.Flags().Lookup(name) == nil && cmd.InheritedFlags().Lookup(name) == nil {
			t.Errorf("%s: %s has no flag --%s", where, cmd.CommandPath(), name)
		}
	}
}

// checkCompose: the profiles and services that a line names are in docker-compose.yml.
func checkCompose(t *testing.T, e example, line string) {
	t.Helper()
	if !strings.Contains(line, "docker compose") {
		return
	}
	services := readCompose(t).Services
	for _, match := range regexp.MustCompile(`(--profile|exec|up -d) ([a-z-]+)`).FindAllStringSubmatch(line, -1) {
		known := has(services, match[2])
		if match[1] == "--profile" {
			for _, s := range services {
				known = known || slices.Contains(s.Profiles, match[2])
			}
		}
		if !known {
			t.Errorf("%s: docker-compose.yml has no %s", e, match[2])
		}
	}
}

// TestShellSyntax: what of the documents is for a shell is right by its grammar.
func TestShellSyntax(t *testing.T) {
	t.Parallel()
	found := 0
	for _, e := range examples(t) {
		if !e.isShell() || e.begins("$ ") {
			continue
		}
		found++
		bash := exec.CommandContext(t.Context(), "bash", "-n")
		bash.Stdin = strings.NewReader(e.text)
		if output, err := bash.CombinedOutput(); err != nil {
			t.Errorf("%s: %v %s", e, err, output)
		}
	}
	if found < 20 {
		t.Errorf("%d examples for a shell", found)
	}
}
