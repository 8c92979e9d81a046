package main

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"junctor/pkg/store/embedded"
	"junctor/pkg/testutil"
)

// filesIn returns the content of all files in a folder, by name; those of sockets are empty.
func filesIn(t *testing.T, folder string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		found[path] = ""
		if err == nil && entry.Type().IsRegular() {
			found[path] = readFile(t, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func sameFiles(t *testing.T, what string, before, after map[string]string) {
	t.Helper()
	for path, text := range after {
		if old, there := before[path]; !there || old != text {
			t.Errorf("%s: %s was written", what, path)
		}
	}
	for path := range before {
		if _, there := after[path]; !there {
			t.Errorf("%s: %s is gone", what, path)
		}
	}
}

// TestLostStore: P6, P7. A store that was lost, emptied, cut off or replaced is refused in one line that says what to
// do, by every subcommand, and nothing is created or overwritten.
func TestLostStore(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(file string) error{
		"lost":    os.Remove,
		"empty":   func(file string) error { return os.Truncate(file, 0) },
		"cut off": func(file string) error { return os.Truncate(file, 20_000) },
		"foreign": func(file string) error { return os.WriteFile(file, []byte(strings.Repeat("x", 100_000)), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			start(t, "--store", home).stop()
			if err := damage(embedded.File(home)); err != nil {
				t.Fatal(err)
			}
			before := filesIn(t, home)
			for _, args := range [][]string{
				{"serve", "--listen", "127.0.0.1:0"}, {"bootstrap"}, {"account", "create", "A"}, {"doctor"}, {"cluster", "list"},
			} {
				o := call(t, nil, append(args, "--store", home)...)
				if o.code != 1 || o.stdout != "" || !strings.Contains(o.stderr, embedded.File(home)) ||
					!strings.Contains(o.stderr, "from a backup") || strings.Count(o.stderr, "\n") != 1 {
					t.Errorf("%v: %+v", args, o)
				}
			}
			sameFiles(t, name, before, filesIn(t, home))
		})
	}
}

// TestDamageWhileServing: P7. Damage that is found later is a 5xx, and the server lives.
func TestDamageWhileServing(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := start(t, "--store", home)
	token := s.loginAdmin(home)
	if err := os.Truncate(embedded.File(home), 20_000); err != nil {
		t.Fatal(err)
	}
	const account = "0123456789abcdef0123456789abcdef"
	for range 2 {
		status, envelope := s.request("PUT", "/v2/ips", token, `{"data":{"ip":"1.2.3.4","zone":"z","host":"h"}}`)
		if status < 500 {
			t.Errorf("PUT: %d %v", status, envelope)
		}
		if status, envelope = s.request("GET", "/v2/accounts/"+account+"/ips", token, ""); status < 500 {
			t.Errorf("GET: %d %v", status, envelope)
		}
	}
	if status, _ := s.request("GET", "/healthz", "", ""); status != 200 {
		t.Errorf("/healthz: %d", status)
	}
	if !s.logs("can't be used") {
		t.Errorf("the log does not name the file:\n%s", s.stderr)
	}
}

// noWrites makes the program one that can't write to any file, as on a full disk.
const noWrites = "JUNCTOR_TEST_NO_WRITES"

func forbidWrites() {
	limit := syscall.Rlimit{}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		panic(err)
	}
}

// TestFullDisk: P8. A server starts where nothing can be written, and serves what is in the store.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := start(t, "--store", home)
	admin := readAdmin(t, home)
	token := s.login(admin.APIKey)
	s.create(token, "1.2.3.4", "z")
	s.stop()
	before := filesIn(t, home)

	full := beginProcess(t, []string{noWrites + "=1"}, "--store", home, "--ready-file=")
	testutil.Eventually(t, "the server to serve", func() bool { return full.logs(`"serving"`) }, full.stderr)
	full.awaitListening()
	if status, _ := full.request("GET", "/v2/ips/1.2.3.4", full.login(admin.APIKey), ""); status != 200 {
		t.Errorf("GET: %d", status)
	}
	if status, _ := full.request("PUT", "/v2/ips", token, `{"data":{"ip":"1.2.3.5","zone":"z","host":"h"}}`); status < 500 {
		t.Errorf("PUT: %d", status)
	}
	if code := full.end(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
	sameFiles(t, "the server", before, filesIn(t, home))
}

// TestAdminFile: P8, B9. The file is written only if it differs.
func TestAdminFile(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	start(t, "--store", home).stop()
	first, err := os.Stat(adminFile(home))
	if err != nil {
		t.Fatal(err)
	}
	start(t, "--store", home).stop()
	if second, err := os.Stat(adminFile(home)); err != nil || !os.SameFile(first, second) {
		t.Errorf("it was written again: %v", err)
	}
	content := readFile(t, adminFile(home))
	write(t, adminFile(home), "{}")
	start(t, "--store", home).stop()
	if got := readFile(t, adminFile(home)); got != content {
		t.Errorf("it is %s, want %s", got, content)
	}
}

// TestOpenFolder: S14. A folder that others can write to is refused, as that of a store and of state.
func TestOpenFolder(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	ok(t, "bootstrap", "--store", home)
	if err := os.Chmod(home, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"serve", "--listen", "127.0.0.1:0", "--store", home}, {"account", "create", "A", "--store", home},
		{"serve", "--listen", "127.0.0.1:0", "--store", "memory:", "--state-dir", home},
		{"serve", "--listen", "127.0.0.1:0", "--store", "http://127.0.0.1:1", "--state-dir", home},
	} {
		o := call(t, nil, args...)
		if o.code != 1 || !strings.Contains(o.stderr, "chmod go-w "+home) {
			t.Errorf("%v: %+v", args, o)
		}
	}
}

// TestForeignSocket: S14. A password goes to no socket that another user may have made.
func TestForeignSocket(t *testing.T) {
	t.Parallel()
	heard := make(chan net.Conn, 10)
	listenOn := func(path string) {
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				heard <- conn
			}
		}()
	}
	home, state := t.TempDir(), t.TempDir()
	const dsn = "http://127.0.0.1:1"
	listenOn(socketFile(home))
	listenOn(couchSocketFile(state, dsn))
	for _, folder := range []string{home, state} {
		if err := os.Chmod(folder, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if os.Geteuid() == 0 { // a folder of ours, and a socket of somebody else
		other := t.TempDir()
		listenOn(couchSocketFile(other, dsn))
		if err := os.Chown(couchSocketFile(other, dsn), 65534, -1); err != nil {
			t.Fatal(err)
		}
		state = state + "," + other
	}
	var calls [][]string
	calls = append(calls, []string{"--store", home})
	for _, folder := range strings.Split(state, ",") {
		calls = append(calls, []string{"--store", dsn, "--state-dir", folder})
	}
	for _, at := range calls {
		args := slices.Concat([]string{"user", "passwd", "A", "admin"}, at)
		o := call(t, environment{"JUNCTOR_PASSWORD": "s3cret"}, args...)
		if o.code != 1 || !strings.Contains(o.stderr, "chmod") && !strings.Contains(o.stderr, "belongs to user") {
			t.Errorf("%v: %+v", args, o)
		}
	}
	if len(heard) > 0 {
		t.Error("somebody came to the socket")
	}
}
