package main

import (
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// commandsBelow returns a command and all below it that help shows.
func commandsBelow(cmd *cobra.Command) (all []*cobra.Command) {
	all = append(all, cmd)
	for _, sub := range cmd.Commands() {
		if !sub.Hidden {
			all = append(all, commandsBelow(sub)...)
		}
	}
	return all
}

func TestHelp(t *testing.T) {
	t.Parallel()
	overview := ok(t, "--help")
	for _, args := range [][]string{{"help"}, {"-h"}, {"frobnicate", "--help"}} {
		if got := ok(t, args...); got != overview {
			t.Errorf("%v differs from --help: %s", args, got)
		}
	}
	commands := commandsBelow((&cli{}).rootCommand())
	if len(commands) < 25 {
		t.Fatalf("there are %d commands", len(commands))
	}
	for _, cmd := range commands {
		words := strings.Fields(cmd.CommandPath())[1:]
		if len(words) == 1 && !strings.Contains(overview, "  "+words[0]+" ") {
			t.Errorf("%s is not in the overview", words[0])
		}
		first := ok(t, append([]string{"help"}, words...)...)
		if !strings.HasPrefix(first, "Usage: "+cmd.CommandPath()) {
			t.Errorf("help %s: %s", words, first)
		}
		for _, args := range [][]string{append(words, "--help"), append(words, "x", "-h")} {
			if got := ok(t, args...); got != first {
				t.Errorf("%v differs from help: %s", args, got)
			}
		}
		for line := range strings.Lines(first) {
			if width := len([]rune(strings.ReplaceAll(strings.TrimRight(line, "\n"), "\t", "        "))); width > helpWidth {
				t.Errorf("help %s: %d columns: %s", words, width, line)
			}
		}
	}
	for _, text := range []string{"JUNCTOR_TRUSTED_PROXIES", "--issue-tokens", `(default "127.0.0.1:8000")`} {
		if got := ok(t, "serve", "--help"); !strings.Contains(got, text) {
			t.Errorf("serve --help does not have %s: %s", text, got)
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{"version": "dev\n", "--version": "junctor version dev\n"} {
		if got := ok(t, strings.Fields(args)...); got != want {
			t.Errorf("%s: %s", args, got)
		}
	}
	got := buildOf(&debug.BuildInfo{
		GoVersion: "go1.26.8",
		Deps:      []*debug.Module{{Path: "example.org/a", Version: "v1.2.3", Sum: "h1:x="}},
		Settings: []debug.BuildSetting{
			{Key: "vcs.modified", Value: "true"}, {Key: "vcs.revision", Value: "0123"}, {Key: "vcs.time", Value: "2026-11-27T12:00:00Z"},
		},
	}, true)
	want := build{
		Version: "dev", Commit: "0123-dirty", Date: "2026-11-27T12:00:00Z", Go: "go1.26.8",
		Modules: []module{{"example.org/a", "v1.2.3", "h1:x="}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	var printed build
	decode(t, ok(t, "version", "--json"), &printed)
	if printed.Version != "dev" || printed.Go != runtime.Version() || printed.Modules == nil {
		t.Errorf("version --json: %+v", printed)
	}
}

// TestCompletion: there is a script for each shell, and what it asks for is there.
func TestCompletion(t *testing.T) {
	t.Parallel()
	for shell, want := range map[string]string{
		"bash": "__start_junctor", "zsh": "#compdef junctor", "fish": "complete -c junctor",
	} {
		if got := ok(t, "completion", shell); !strings.Contains(got, want) {
			t.Errorf("%s: %.200s", shell, got)
		}
	}
	for typed, want := range map[string]string{
		"us": "user\t", "user p": "passwd\t", "serve --lis": "--listen\t", "help user en": "enable\t",
		"ips list --status a": "available\nassigned\n:4\n", "ips list --statu": "--status\tSTATUS of the addresses: ",
		"sup kapps_c": ":4\n", "ips assign A": ":4\n",
		"ips import A": ":0\n", "serve --store A": ":0\n", "ips list --zone A": ":4\n",
	} {
		words := strings.Fields(typed)
		o := call(t, nil, append([]string{"__complete"}, words...)...)
		if o.code != 0 || !strings.HasPrefix(o.stdout, want) {
			t.Errorf("%s: %+v", typed, o)
		}
	}
}

// TestMan: there is a page for each command.
func TestMan(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "man")
	ok(t, "man", folder)
	for name, want := range map[string]string{
		"junctor.1": "junctor-serve(1)", "junctor-serve.1": "JUNCTOR_LISTEN", "junctor-user-enable.1": "ACCOUNT USERNAME",
	} {
		if text := readFile(t, filepath.Join(folder, name)); !strings.Contains(text, want) {
			t.Errorf("%s does not have %s:\n%s", name, want, text)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "junctor-man.1")); err == nil {
		t.Error("a hidden command has a page")
	}
}
