// Package packaging_test builds the packages, unpacks them, and runs what is in them as their service does.
package packaging_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// need skips a test on a machine that lacks a program. In CI that is a failure.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
}

func output(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s%s", name, args, err, text, &stderr)
	}
	return string(text)
}

// only returns the one file that a pattern matches.
func only(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %q, %v", pattern, found, err)
	}
	return found[0]
}

// installed are some of the files that a package must have.
var installed = []string{
	"/usr/bin/junctor", "/usr/lib/systemd/system/junctor.service", "/usr/lib/sysusers.d/junctor.conf",
	"/etc/junctor/junctor.yaml", "/usr/share/man/man1/junctor-serve.1.gz",
	"/usr/share/bash-completion/completions/junctor", "/usr/share/fish/vendor_completions.d/junctor.fish",
	"/usr/share/doc/junctor/docs/operations.md", "/usr/share/doc/junctor/copyright",
	"/usr/share/doc/junctor/examples/couchdb.conf", "/usr/share/doc/junctor/examples/haproxy.cfg",
	"/usr/share/doc/junctor/examples/nginx.conf",
}

// TestPackages builds the packages for this machine and looks at what is in them.
func TestPackages(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds packages")
	}
	need(t, "dpkg-deb", "rpm2cpio", "cpio")
	out := t.TempDir()
	build := exec.CommandContext(t.Context(), "./build.sh", "packages")
	build.Env = append(os.Environ(), "OUT="+out, "ARCHES="+runtime.GOARCH, "VERSION=v1.2.3",
		"COMMIT=0123abc", "DATE=2026-11-27T12:00:00Z")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	deb, rpm, root := only(t, out+"/*.deb"), only(t, out+"/*.rpm"), t.TempDir()
	output(t, ".", "dpkg-deb", "-x", deb, root)

	t.Run("content", func(t *testing.T) {
		rpmFiles := output(t, ".", "sh", "-c", `rpm2cpio "$0" | cpio -t --quiet`, rpm)
		for _, name := range installed {
			if _, err := os.Stat(root + name); err != nil {
				t.Errorf(".deb: %v", err)
			}
			if !strings.Contains("\n"+rpmFiles, "\n"+name+"\n") {
				t.Errorf(".rpm: %s is missing", name)
			}
		}
		if got := output(t, ".", "dpkg-deb", "-f", deb, "Version"); got != "1.2.3\n" {
			t.Errorf("version %q", got)
		}
		if got := output(t, ".", "dpkg-deb", "-I", deb, "conffiles"); got != "/etc/junctor/junctor.yaml\n" {
			t.Errorf("files that an upgrade must not overwrite: %q", got)
		}
		var version struct{ Version, Commit, Date, Go string }
		text := output(t, ".", root+"/usr/bin/junctor", "version", "--json")
		if err := json.Unmarshal([]byte(text), &version); err != nil || version.Version != "v1.2.3" ||
			version.Commit != "0123abc" || version.Date != "2026-11-27T12:00:00Z" || version.Go != runtime.Version() {
			t.Errorf("version --json: %s, %v", text, err)
		}
	})
	t.Run("links", func(t *testing.T) { testLinks(t, root+"/usr/share/doc/junctor") })
	t.Run("unit", func(t *testing.T) { testUnit(t, root) })
	t.Run("service", func(t *testing.T) { testService(t, root) })
}

// TestPostinstall runs the script after an upgrade, where the configuration file is there and where it was removed.
func TestPostinstall(t *testing.T) {
	t.Parallel()
	programs := t.TempDir()
	for name, script := range map[string]string{
		"systemd-sysusers": "exit 0",
		"chgrp":            `[ -e "$2" ] && echo "$2"`, // there is no such group here
	} {
		if err := os.WriteFile(filepath.Join(programs, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, files := range [][]string{{"/etc/junctor", "/etc/junctor/junctor.yaml"}, {"/etc/junctor"}, nil} {
		root := t.TempDir()
		var want strings.Builder
		for _, name := range files {
			if err := os.MkdirAll(root+name, 0o700); err != nil {
				t.Fatal(err)
			}
			want.WriteString(root + name + "\n")
		}
		install := exec.CommandContext(t.Context(), "/bin/sh", "postinstall.sh", "configure")
		install.Env = []string{"PATH=" + programs, "DPKG_ROOT=" + root}
		if got, err := install.CombinedOutput(); err != nil || string(got) != want.String() {
			t.Errorf("with %q: the group was set of %q, %v", files, got, err)
		}
	}
}

// testLinks follows the links of the documents in a folder to files.
func testLinks(t *testing.T, folder string) {
	link, found := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`), 0
	for _, pattern := range []string{"/*.md", "/docs/*.md"} {
		documents, err := filepath.Glob(folder + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range documents {
			text, err := os.ReadFile(document)
			if err != nil {
				t.Fatal(err)
			}
			for _, match := range link.FindAllSubmatch(text, -1) {
				found++
				if _, err := os.Stat(filepath.Join(filepath.Dir(document), string(match[1]))); err != nil {
					t.Errorf("%s: %v", filepath.Base(document), err)
				}
			}
		}
	}
	if found < 30 {
		t.Errorf("%d links", found)
	}
}

// testUnit has systemd examine the unit, with the example of a CouchDB beside it.
func testUnit(t *testing.T, root string) {
	need(t, "systemd-analyze")
	text, err := os.ReadFile(root + "/usr/lib/systemd/system/junctor.service")
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "junctor.service")
	here := strings.ReplaceAll(string(text), "/usr/bin/junctor", root+"/usr/bin/junctor")
	couchdb, err := os.ReadFile(root + "/usr/share/doc/junctor/examples/couchdb.conf")
	if err == nil {
		err = os.Mkdir(unit+".d", 0o700)
	}
	if err == nil {
		err = os.WriteFile(unit, []byte(here), 0o600)
	}
	if err == nil {
		err = os.WriteFile(unit+".d/couchdb.conf", couchdb, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	verify := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--man=no", unit)
	complaints, err := verify.CombinedOutput()
	if err != nil || strings.Contains(string(complaints), unit) { // it succeeds with a key that systemd does not know
		t.Errorf("verify: %v\n%s", err, complaints)
	}
	for _, line := range []string{"Type=notify", "User=junctor", "StateDirectory=junctor", "UMask=0077"} {
		if !strings.Contains(here, "\n"+line+"\n") {
			t.Errorf("there is no %s", line)
		}
	}
	output(t, ".", "systemd-analyze", "security", "--offline=true", "--threshold=15", unit)
}

// testService starts the unit's command line in the unpacked tree, serves, and stops. What it writes is traced.
func testService(t *testing.T, root string) {
	need(t, "strace")
	text, err := os.ReadFile(root + "/usr/lib/systemd/system/junctor.service")
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile(`(?m)^ExecStart=(.*)$`).FindStringSubmatch(string(text))
	if command == nil {
		t.Fatal("the unit has no command line")
	}
	state, config := root+"/var/lib/junctor", root+"/etc/junctor/junctor.yaml"
	if err := os.MkdirAll(state, 0o700); err != nil { // systemd makes it: StateDirectory=
		t.Fatal(err)
	}
	settings, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	here := strings.NewReplacer("/var/lib/junctor", state, "127.0.0.1:8000", "127.0.0.1:0").Replace(string(settings))
	if err := os.WriteFile(config, []byte(here), 0o600); err != nil {
		t.Fatal(err)
	}
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()

	trace, log := filepath.Join(t.TempDir(), "trace"), filepath.Join(t.TempDir(), "log")
	logFile, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer logFile.Close()
	args := []string{"-f", "-qq", "-y", "-o", trace, "-e", "trace=" + strings.Join(writing, ",")}
	for _, word := range strings.Fields(command[1]) {
		if strings.HasPrefix(word, "/") {
			word = root + word
		}
		args = append(args, word)
	}
	cmd := exec.CommandContext(t.Context(), "strace", args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "NOTIFY_SOCKET=" + socket.LocalAddr().String()}
	cmd.Stderr = logFile
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	_ = socket.SetReadDeadline(time.Now().Add(time.Minute))
	ready := make([]byte, 100)
	if n, err := socket.Read(ready); err != nil || string(ready[:n]) != "READY=1" {
		t.Fatalf("%q, %v", ready[:n], err)
	}
	lines, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	url := regexp.MustCompile(`"url":"([^"]+)"`).FindSubmatch(lines)
	if url == nil {
		t.Fatalf("log: %s", lines)
	}
	deadline := time.Now().Add(time.Minute)
	for !isReady(string(url[1])) {
		if time.Now().After(deadline) {
			t.Fatal("not ready")
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		lines, _ := os.ReadFile(log)
		t.Fatalf("%v\n%s", err, lines)
	}
	checkTrace(t, trace, state)
}

func isReady(url string) bool {
	resp, err := http.Get(url + "/readyz")
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// writing are the system calls that create, open, change or remove files.
var writing = []string{
	"open", "openat", "creat", "mkdir", "mkdirat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir",
	"link", "linkat", "symlink", "symlinkat", "truncate", "chmod", "fchmodat", "chown", "fchownat", "mknod", "mknodat",
}

// checkTrace fails if a file outside the state folder was opened for writing, or changed.
func checkTrace(t *testing.T, trace, state string) {
	t.Helper()
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	opens := regexp.MustCompile(`\b(open|openat|creat)\(`)
	path := regexp.MustCompile(`"([^"]*)"`)
	var within, outside []string
	for line := range strings.Lines(string(text)) {
		if opens.MatchString(line) && !strings.Contains(line, "O_WRONLY") && !strings.Contains(line, "O_RDWR") &&
			!strings.Contains(line, "O_CREAT") {
			continue
		}
		for _, match := range path.FindAllStringSubmatch(line, -1) {
			switch name := match[1]; {
			case strings.HasPrefix(name, state+"/"):
				within = append(within, name)
			case name != "/dev/null" && name != state:
				outside = append(outside, strings.TrimSpace(line))
			}
		}
	}
	if len(within) == 0 {
		t.Errorf("the trace has no write to %s:\n%s", state, text)
	}
	if len(outside) > 0 {
		slices.Sort(outside)
		t.Errorf("written outside the state folder:\n%s", fmt.Sprint(strings.Join(slices.Compact(outside), "\n")))
	}
}
