package main

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/history"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// listings returns what a server lists to an administrator and to an account.
func (s *served) listings(admin account.Bootstrapped, holder account.Created) map[string]any {
	s.Helper()
	found := map[string]any{}
	list := func(token, path string) {
		s.Helper()
		found[path] = s.must("GET", path, token, "")
	}
	token := s.login(admin.APIKey)
	for _, path := range []string{"ips", "ips/assigned", "ips/zones", "ips/hosts", "ips/192.0.2.1", "routing/customer_clusters"} {
		list(token, "/v2/"+path)
	}
	own := s.login(holder.APIKey)
	for _, path := range []string{"", "/assigned", "/zones", "/hosts", "/192.0.2.2"} {
		list(own, "/v2/accounts/"+holder.ID+"/ips"+path)
	}
	return found
}

// TestMove: issue 14, proof 7. A store is moved from a folder into a CouchDB, and back into a folder: with the same
// listings, logins and documents. The servers of the folder and of the CouchDB do the work, if there are any.
func TestMove(t *testing.T) {
	t.Parallel()
	dsn, home, files := storetest.FreshCouch(t), t.TempDir(), t.TempDir()
	old := storetest.Open(t, home)
	err := old.CreateDatabase(t.Context(), kazoo.DedicatedIPs)
	if err == nil { // as Kazoo writes it, without a record
		_, err = old.Put(t.Context(), kazoo.DedicatedIPs, document.Document{"_id": "192.0.2.9", "pvt_type": "dedicated_ip",
			"pvt_status": "assigned", "pvt_assigned_to": "20d27928305e257782655b7896c79f14", "pvt_zone": "east", "pvt_host": "h1"})
	}
	if err = errors.Join(err, old.Close()); err != nil {
		t.Fatal(err)
	}
	s := start(t, "--store", home)
	admin := readAdmin(t, home)
	holder := newAccount(t, "A", "--store", home)
	for _, args := range []string{
		"add 192.0.2.1 east h1", "add 192.0.2.2 east h1", "add 192.0.2.3 west h2", "add 192.0.2.4 west h2",
		"assign 192.0.2.2 " + holder.ID, "assign 192.0.2.3 " + holder.ID, "delete 192.0.2.4",
	} {
		ok(t, append(strings.Fields("sup kazoo_ips_maintenance "+args), "--store", home)...)
	}
	token := s.login(admin.APIKey)
	cluster := `{"data":{"owner":"o","name":"n","ips":{"inbound":{"east":["192.0.2.1"]},"outbound":{}}}}`
	s.must("PUT", "/v2/routing/customer_cluster", token, cluster)
	want := s.listings(admin, holder)

	first := filepath.Join(files, "first")
	move := func(from, to, file string) {
		t.Helper()
		state := t.TempDir()
		var written outputFile
		o := call(t, nil, "export", file, "--store", from, "--state-dir", state, "--json")
		if decode(t, o.stdout, &written); o.code != 0 || !strings.Contains(o.stderr, "exported ") {
			t.Fatalf("export: %+v", o)
		}
		if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 || info.Size() != written.Bytes {
			t.Errorf("%+v, file %v, %v", written, info, err)
		}
		for _, want := range []string{", 0 were there", ": 0 documents written"} {
			o := call(t, nil, "import", file, "--store", to, "--state-dir", state)
			if o.code != 0 || !strings.Contains(o.stdout, want) {
				t.Fatalf("import: %+v", o)
			}
		}
	}
	move(home, dsn, first)
	s.stop()
	past := events(t, home)
	if len(past) < 8 {
		t.Errorf("%d events", len(past))
	}
	p := &place{dsn: dsn, stateDir: t.TempDir()}
	if got := p.serve(t).listings(admin, holder); !reflect.DeepEqual(got, want) {
		t.Errorf("the CouchDB lists\n%v\nand the folder listed\n%v", got, want)
	}
	testutil.Eventually(t, "the history in the CouchDB", func() bool { return len(events(t, dsn)) >= len(past) })
	p.server.stop()
	if got := events(t, dsn); !reflect.DeepEqual(got, past) {
		t.Errorf("the history in the CouchDB is\n%v\nand was\n%v", got, past)
	}
	if os.Getenv("JUNCTOR_TEST_COUCHDB") == "" {
		return // PouchDB lists the names of databases without their slashes
	}
	back := filepath.Join(t.TempDir(), "back")
	move(dsn, back, filepath.Join(files, "second"))
	s = start(t, "--store", back)
	if got := s.listings(admin, holder); !reflect.DeepEqual(got, want) {
		t.Errorf("moved back, the folder lists\n%v\nand listed\n%v", got, want)
	}
	s.stop()
	if got := events(t, back); !reflect.DeepEqual(got, past) {
		t.Errorf("moved back, the history is\n%v\nand was\n%v", got, past)
	}
}

// events returns the history of the pool in a store that is not served: a server that stops has moved all of it.
func events(t *testing.T, dsn string) map[string]document.Document {
	t.Helper()
	s, found := storetest.Open(t, dsn), map[string]document.Document{}
	err := s.All(t.Context(), history.Database, store.Query{IncludeDocs: true}, func(row store.Row) error {
		doc, err := row.Doc()
		delete(doc, "_rev")
		if doc["ip"] != nil {
			found[row.ID()] = doc
		}
		return err
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Error(err)
	}
	return found
}

// TestExportThroughPipes: the standard output of one command is the standard input of the other.
func TestExportThroughPipes(t *testing.T) {
	t.Parallel()
	home, copied := t.TempDir(), filepath.Join(t.TempDir(), "copied")
	start(t, "--store", home)
	o := call(t, nil, "export", "-", "--store", home)
	if o.code != 0 || !strings.Contains(o.stderr, "sha256") {
		t.Fatalf("%+v", o)
	}
	done := tell(t, nil, o.stdout, "import", "-", "--store", copied, "--json")
	var result imported
	if decode(t, done.stdout, &result); done.code != 0 || result.Written == 0 || result.Refused != 0 {
		t.Fatalf("%+v", done)
	}
	half := tell(t, nil, o.stdout[:len(o.stdout)-10], "import", "-", "--store", copied)
	if half.code != 1 || !strings.Contains(half.stderr, "cut off") || half.stdout != "" {
		t.Errorf("half of it: %+v", half)
	}
}

// TestImportIntoAnother: a store that has an administrator and keys of its own keeps them. What is not imported is
// listed, and the exit code is 1.
func TestImportIntoAnother(t *testing.T) {
	t.Parallel()
	home, other, file := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "export")
	ok(t, "bootstrap", "--store", home)
	ok(t, "bootstrap", "--store", other)
	if o := call(t, nil, "export", file, "--store", home); o.code != 0 {
		t.Fatalf("%+v", o)
	}
	start(t, "--store", other)
	admin := readAdmin(t, other)
	o := call(t, nil, "import", file, "--store", other)
	if o.code != 1 || !strings.Contains(o.stderr, "documents were not imported") ||
		!strings.Contains(o.stdout, "refused  system_config  accounts  the store has a different document\n") {
		t.Errorf("%+v", o)
	}
	if now := ok(t, "bootstrap", "--store", other); !strings.Contains(now, admin.APIKey) {
		t.Errorf("another administrator: %s", now)
	}
	o = call(t, nil, "import", file, "--store", other, "--json")
	var result imported
	if decode(t, o.stdout, &result); o.code != 1 || result.Refused != len(result.Refusals) || result.Written != 0 {
		t.Errorf("%+v", o)
	}
	o = call(t, nil, "import", file, "--store", other, "--overwrite")
	if o.code != 0 || !strings.Contains(o.stdout, ", 0 refused") {
		t.Errorf("%+v", o)
	}
}

// TestImportRefused: what can't be imported is refused before a store is opened or made.
func TestImportRefused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	home, file := filepath.Join(folder, "home"), filepath.Join(folder, "export")
	ok(t, "bootstrap", "--store", home)
	if o := call(t, nil, "export", file, "--store", home); o.code != 0 {
		t.Fatalf("%+v", o)
	}
	text := readFile(t, file)
	write(t, file+".half", text[:len(text)/2])
	write(t, file+".changed", strings.Replace(text, "Master Account", "Another Master", 1))
	before := filesIn(t, folder)
	for args, want := range map[string]string{
		"import":                                            "an operand is missing",
		"import FILE --store memory:":                       "is gone when the command ends",
		"import FILE.half --store FOLDER/new":               "cut off",
		"import FILE.changed --store FOLDER/new":            "check sum is wrong",
		"import FOLDER/none --store FOLDER/new":             "no such file",
		"import FOLDER/home/junctor.db --store FOLDER/new":  "not an export",
		"export FOLDER/new --store FOLDER/none":             "there is no store",
		"export FOLDER --store FOLDER/home":                 "not a regular file",
		"export FOLDER/home/junctor.db --store FOLDER/home": "is a file of the store itself",
		"export FOLDER/home/secret.key --store FOLDER/home": "is a file of the store itself", // which it does not have yet
	} {
		line := strings.NewReplacer("FOLDER", folder, "FILE", file).Replace(args)
		if o := call(t, nil, strings.Fields(line)...); o.code == 0 || !strings.Contains(o.stderr, want) || o.stdout != "" {
			t.Errorf("%s: %+v", args, o)
		}
		sameFiles(t, args, before, filesIn(t, folder))
	}
}
