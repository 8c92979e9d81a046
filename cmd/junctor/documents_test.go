package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// TestCommandLineDocumented: docs/configuration.md has a line for each command, and names flags that there are.
func TestCommandLineDocumented(t *testing.T) {
	t.Parallel()
	section := sectionOf(t, "docs/configuration.md", "## Command line")
	root := (&cli{}).rootCommand()
	flag := regexp.MustCompile(`--[a-z-]+`)
	lines := map[string]string{} // of the commands below junctor
	for line := range strings.Lines(section) {
		words := strings.Fields(line)
		if !strings.HasPrefix(line, "    junctor ") {
			continue
		}
		cmd, _, err := root.Find(words[1:2])
		if err != nil || cmd == root && words[1] != "COMMAND" {
			t.Errorf("there is no command %s", words[1])
			continue
		}
		lines[cmd.Name()] += line
		for _, name := range flag.FindAllString(line, -1) {
			known := name == "--help" || name == "--version"
			for _, below := range commandsBelow(cmd) {
				known = known || below.Flag(strings.TrimPrefix(name, "--")) != nil
			}
			if !known {
				t.Errorf("%s has no flag %s", cmd.Name(), name)
			}
		}
	}
	for _, cmd := range root.Commands() {
		if cmd.Hidden {
			continue
		}
		for _, below := range commandsBelow(cmd) {
			if !strings.Contains(lines[cmd.Name()], below.Name()) && below.Name() != "powershell" {
				t.Errorf("%s is not documented", below.CommandPath())
			}
		}
	}
}

// TestFlagsDocumented: docs/configuration.md has a row for each flag of serve, with its variable and default.
func TestFlagsDocumented(t *testing.T) {
	t.Parallel()
	section := sectionOf(t, "docs/configuration.md", "## Flags of serve")
	var flags serveFlags
	set := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	flags.define(set)
	rows := 0
	set.VisitAll(func(f *pflag.Flag) {
		rows++
		value := "`" + f.DefValue + "`"
		if f.DefValue == "" {
			value = ""
		}
		row := fmt.Sprintf("| `--%s` | `%s` | %s", f.Name, variable(f.Name), value)
		if !strings.Contains(section, "\n"+row) {
			t.Errorf("there is no row that begins with %s", row)
		}
	})
	if documented := strings.Count(section, "\n| `--"); documented != rows {
		t.Errorf("%d flags are documented, and there are %d", documented, rows)
	}
}

// TestReadmeTour pastes the examples of the README into a shell. Each line of its output is what the README shows.
func TestReadmeTour(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil && os.Getenv("CI") != "true" {
		t.Skip("no curl to run the tour with")
	}
	home := filepath.Join(t.TempDir(), "junctor-data")
	s := start(t, "--store", home)
	tour, next, _ := strings.Cut(sectionOf(t, "README.md", "## A tour"), "What to do next")
	here := strings.NewReplacer("http://127.0.0.1:8000", s.url, "./junctor-data", home, "junctor-data/admin.json",
		adminFile(home), "bin/junctor", program(t).Path)
	paste := func(text string) []string {
		shell := exec.CommandContext(t.Context(), "sh", "-e")
		shell.Stdin = strings.NewReader(here.Replace(text))
		shell.Env = append(os.Environ(), asProgram+"=1")
		output, err := shell.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, output)
		}
		return strings.Split(strings.TrimSpace(string(output)), "\n")
	}
	got := paste(indented(tour))
	_, output, _ := strings.Cut(tour, "```json\n")
	output, _, _ = strings.Cut(output, "\n```")
	shown := strings.Split(output, "\n")
	if len(got) != len(shown) {
		t.Fatalf("%d lines: %s", len(got), strings.Join(got, "\n"))
	}
	for i, line := range shown {
		pattern := strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".+")
		if !regexp.MustCompile("^" + pattern + "$").MatchString(got[i]) {
			t.Errorf("the README shows\n%s\nand it is\n%s", line, got[i])
		}
	}

	variables, _, _ := strings.Cut(indented(tour), "# Create")
	got = paste(variables + indented(next))
	for _, want := range []string{`"data":{"ips":["192.0.2.1`, `"direction":"inbound"`, `{"status":"ok"}`,
		`junctor_dedicated_ips{status="assigned",zone="us-west"} 2`, "192.0.2.13", "databases"} {
		if !slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, want) }) {
			t.Errorf("there is no %s in\n%s", want, strings.Join(got, "\n"))
		}
	}
	for _, line := range got {
		if strings.Contains(line, `"status":"error"`) || strings.Contains(line, "broken") {
			t.Error(line)
		}
	}
}

// sectionOf returns a section of a document in the repository, with its heading.
func sectionOf(t *testing.T, path, heading string) string {
	t.Helper()
	_, section, found := strings.Cut(readFile(t, filepath.Join("../..", path)), "\n"+heading+"\n")
	if !found {
		t.Fatalf("%s has no section %s", path, heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	return section
}

// indented returns the lines of code of a document.
func indented(text string) (code string) {
	for line := range strings.Lines(text) {
		if after, ok := strings.CutPrefix(line, "    "); ok {
			code += after
		}
	}
	return code
}
