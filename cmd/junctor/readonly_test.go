package main

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"junctor/pkg/store/storetest"
)

// readingCalls are the calls of the program that must not change anything: all that only show something, and mistakes
// in the call of each subcommand.
var readingCalls = []string{
	"cluster list", "cluster list --json", "routing show", "routing show --json", "routing show " + otherCluster,
	"routing lookup 192.0.2.1", "routing lookup 192.0.2.1 --direction inbound --json", "doctor", "doctor --json",
	"ips list", "ips list --zone z --json", "ips show 192.0.2.1", "ips summary", "ips export", "ips export --format json",
	"ips add 192.0.2.0/24 --zone z --host h --dry-run", "ips import FILE --dry-run",
	"account list", "account list --search a --json", "account show nobody", "user list nobody", "lookup-key list",
	"token --account nobody", "version", "help",

	"bootstrap now", "bootstrap --frobnicate", "account", "account list all", "account show", "account create", "account create A B",
	"account create A --user admin", "account create A --user a:b --password x", "lookup-key", "lookup-key create", "lookup-key create A", "lookup-key remove", "token --for 0s", "user", "user create",
	"user create A", "user create A jane", "user create A a:b --password x", "user passwd A jane", "user remove A jane",
	"user create A jane --level root", "cluster", "cluster add", "cluster add x http://192.0.2.1",
	"cluster add " + otherCluster + " ftp://192.0.2.1", "cluster list all", "cluster remove", "routing", "routing show a b",
	"routing set", "routing set a FILE", "routing lookup", "routing lookup localhost",
	"routing lookup 192.0.2.1 --direction up", "ips", "ips list all", "ips list --status x", "ips show",
	"ips show x", "ips add 192.0.2.1", "ips add x --zone z --host h", "ips import", "ips import FILE.none", "ips export all", "ips list --cidr x",
	"ips assign A", "ips assign A x", "ips allocate A", "ips allocate A 0", "ips release A", "ips delete", "ips delete x",
	"ips edit 192.0.2.1", "ips edit x --zone z", "ips move 192.0.2.1", "ips move x A",
	"ips rebuild", "ips repair all", "sup", "sup kazoo_ips_maintenance",
	"sup kazoo_ips_maintenance add", "sup kazoo_ips_maintenance add 192.0.2.1", "sup kazoo_ips_maintenance frobnicate",
	"sup kazoo_maintenance x", "sup kapps_maintenance refresh", "doctor now", "doctor --amqp-url http://b", "serve now",
	"serve --listen nowhere", "backup", "backup - now", "backup -", "restore", "restore FILE", "restore FILE now",
	"export", "export -", "export - now", "import", "import FILE", "import FILE now", "import MISSING",
}

// TestReadingWritesNothing: B6. No database, no document, no folder and no file comes from a call that only reads, or
// that is a mistake.
func TestReadingWritesNothing(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "192.0.2.1,z,h\n")
	var calls [][]string
	for _, text := range readingCalls {
		calls = append(calls, strings.Fields(strings.Replace(text, "FILE", file, 1)))
	}
	for name, fill := range map[string]func(dsn string){
		"empty CouchDB": func(string) {},
		"CouchDB of a Kazoo": func(dsn string) {
			loadKazoo(t, dsn)
			ok(t, "bootstrap", "--store", dsn, "--state-dir", t.TempDir())
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, state := newFaultyCouch(t), filepath.Join(t.TempDir(), "state")
			fill(f.direct)
			for _, args := range calls {
				call(t, nil, slices.Concat(args, []string{"--store", f.url, "--state-dir", state})...)
				if wrote := append(f.requests(isChange), f.requests(isProbe)...); len(wrote) > 0 || exists(state) {
					t.Fatalf("%q wrote: %v", args, wrote)
				}
			}
		})
	}
	t.Run("folders", func(t *testing.T) {
		home, missing, bare := t.TempDir(), filepath.Join(t.TempDir(), "missing"), t.TempDir()
		ok(t, "bootstrap", "--store", home)
		for _, args := range calls {
			for _, folder := range []string{home, bare} {
				before := filesIn(t, folder)
				call(t, nil, slices.Concat(args, []string{"--store", folder})...)
				sameFiles(t, strings.Join(args, " "), before, filesIn(t, folder))
			}
			if call(t, nil, slices.Concat(args, []string{"--store", missing})...); exists(missing) {
				t.Fatalf("%q made a folder", args)
			}
		}
	})
}

// TestReadingAnEmptyStore: B6. On a CouchDB without anything of junctor's there is nothing to list, which is no error.
func TestReadingAnEmptyStore(t *testing.T) {
	t.Parallel()
	dsn := storetest.FreshCouch(t)
	for args, want := range map[string]string{
		"cluster list --json":             "[]\n",
		"routing show --json":             "[]\n",
		"routing lookup 192.0.2.1 --json": "[]\n",
		"routing lookup 192.0.2.1":        "no cluster has 192.0.2.1\n",
	} {
		if got := ok(t, append(strings.Fields(args), "--store", dsn)...); got != want {
			t.Errorf("%s: %s", args, got)
		}
	}
	o := call(t, nil, "routing", "show", otherCluster, "--store", dsn)
	if o.code != 1 || !strings.Contains(o.stderr, "there is no routing cluster") {
		t.Errorf("%+v", o)
	}
}

// TestCouchDBErrors: N11. An error of a CouchDB says which one it is and what to do, without the password.
func TestCouchDBErrors(t *testing.T) {
	t.Parallel()
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { wrongPassword(w, r) }))
	t.Cleanup(front.Close)
	address := strings.TrimPrefix(front.URL, "http://")
	for host, want := range map[string]string{
		address:       "refuses the user and password in --store, or does not let that user write: correct them",
		"127.0.0.1:1": "does not respond: check that it runs",
	} {
		for _, args := range []string{"bootstrap", "cluster list", "account create A"} {
			o := call(t, nil, append(strings.Fields(args), "--store", "http://kazoo:s3cret@"+host)...)
			if o.code != 1 || !strings.Contains(o.stderr, want) || !strings.Contains(o.stderr, "kazoo") ||
				!strings.Contains(o.stderr, host) || strings.Contains(o.stderr, "s3cret") || strings.Count(o.stderr, "\n") != 1 {
				t.Errorf("%s at %s: %+v", args, host, o)
			}
		}
	}
}

// TestOnlyServeConverts: no command converts a store of an older format, which earlier versions refuse from then on. The
// server does, and says so.
func TestOnlyServeConverts(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "junctor.db")
	before := format1(t)
	write(t, file, before)
	for _, args := range []string{"doctor", "ips list", "bootstrap", "backup " + filepath.Join(t.TempDir(), "backup")} {
		o := call(t, nil, append(strings.Fields(args), "--store", folder)...)
		if o.code != 1 || !strings.Contains(o.stderr, "junctor.db has format 1") || !strings.Contains(o.stderr, "serve") {
			t.Errorf("%s: %+v", args, o)
		}
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != before {
		t.Errorf("the store was changed: %v", err)
	}
	s := start(t, "--store", folder)
	if s.stop(); !s.logs("converted the store") {
		t.Errorf("log:\n%s", s.stderr)
	}
	ok(t, "ips", "list", "--store", folder)
}

// format1 returns a store of format 1.
func format1(t *testing.T) string {
	t.Helper()
	packed, err := os.Open("../../pkg/store/embedded/testdata/format1.db.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	var content []byte
	reader, err := gzip.NewReader(packed)
	if err == nil {
		content, err = io.ReadAll(reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
