package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/kazoo"
	"junctor/pkg/store/embedded"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// TestBackup: a backup of a store that is served, or is not, is restored and served: with its addresses, its
// administrator and its key.
func TestBackup(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"served", "not served"} {
		t.Run(name, func(t *testing.T) {
			home, file := t.TempDir(), filepath.Join(t.TempDir(), "backup")
			s := start(t, "--store", home)
			added := ok(t, "sup", "kazoo_ips_maintenance", "add", "192.0.2.1", "z", "h", "--store", home)
			if !strings.HasPrefix(added, "added") {
				t.Fatal(added)
			}
			write(t, keyFile(home), strings.Repeat("A", 43)+"=\n")
			if name != "served" {
				s.stop()
			}
			write(t, file, "what was there before")
			var done outputFile
			decode(t, ok(t, "backup", file, "--store", home, "--json"), &done)
			if log := s.stderr.String(); name == "served" && !strings.Contains(log, `"message":"backup"`) {
				t.Errorf("the backup is not in the log:\n%s", log)
			}
			info, err := os.Stat(file)
			if err != nil || info.Mode() != 0o600 || info.Size() != done.Bytes || done.Name != file || len(done.Sum) != 64 {
				t.Errorf("%+v, file %v, %v", done, info, err)
			}

			restored := filepath.Join(t.TempDir(), "restored")
			if text := ok(t, "restore", file, "--store", restored); !strings.Contains(text, "junctor.db") {
				t.Errorf("restore printed %s", text)
			}
			if readFile(t, keyFile(restored)) != readFile(t, keyFile(home)) {
				t.Error("the key differs")
			}
			admin := readAdmin(t, restored)
			again := start(t, "--store", restored)
			if status, envelope := again.request("GET", "/v2/ips/192.0.2.1", again.login(admin.APIKey), ""); status != 200 {
				t.Errorf("the address: %d %v", status, envelope)
			}
		})
	}
}

// TestBackupToStandardOutput: there the backup is alone, and what is said of it is on standard error.
func TestBackupToStandardOutput(t *testing.T) {
	t.Parallel()
	home, file := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	start(t, "--store", home)
	o := call(t, nil, "backup", "-", "--store", home)
	if o.code != 0 || !strings.Contains(o.stderr, "sha256") {
		t.Fatalf("%d %s", o.code, o.stderr)
	}
	write(t, file, o.stdout)
	ok(t, "restore", file, "--store", filepath.Join(t.TempDir(), "restored"))
}

// TestBackupRefused: what can't be done is refused before anything is written, and leaves nothing.
func TestBackupRefused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	home, file := filepath.Join(folder, "home"), filepath.Join(folder, "backup")
	ok(t, "bootstrap", "--store", home)
	ok(t, "backup", file, "--store", home)
	write(t, adminFile(home), "{}")
	before := filesIn(t, folder)
	for args, want := range map[string]string{
		"backup":                                            "an operand is missing",
		"backup F --store http://127.0.0.1:1":               "a CouchDB has its own tools",
		"backup F --store memory:":                          "has no folder",
		"backup F --store FOLDER/missing":                   "there is no store",
		"backup FOLDER --store FOLDER/home":                 "not a regular file",
		"backup FOLDER/no/f --store FOLDER/home":            "no such file",
		"backup FOLDER/home/junctor.db --store FOLDER/home": "is a file of the store itself",
		"backup FOLDER/home/admin.json --store FOLDER/home": "is a file of the store itself",
		"backup FOLDER/home/secret.key --store FOLDER/home": "is a file of the store itself", // which it does not have yet
		"restore F --store FOLDER/home":                     "there is a store in",
		"restore FOLDER/none --store FOLDER/r":              "no such file",
		"restore FOLDER/home/junctor.db --store FOLDER/r":   "copied junctor.db",
		"restore - --store FOLDER/r":                        "write it to a file first",
		"restore F --store memory:":                         "has no folder",
		"restore F --store http://127.0.0.1:1":              "a backup is of an embedded store",
	} {
		line := strings.NewReplacer("FOLDER", folder, " F ", " "+file+" ").Replace(args)
		if o := call(t, nil, strings.Fields(line)...); o.code == 0 || !strings.Contains(o.stderr, want) || o.stdout != "" {
			t.Errorf("%s: %+v", args, o)
		}
		sameFiles(t, args, before, filesIn(t, folder))
	}
}

// TestBackupsUnderWrites: issue 14, proof 7, with fewer backups.
func TestBackupsUnderWrites(t *testing.T) {
	t.Parallel()
	backupsUnderWrites(t, 3, 0)
}

// TestSoakBackupsUnderWrites is proof 7: fifty backups while 16 clients write. Every one is restored and has every
// change that was responded to before it began.
func TestSoakBackupsUnderWrites(t *testing.T) {
	if os.Getenv("JUNCTOR_SOAK") == "" {
		t.Skip("make soak")
	}
	backupsUnderWrites(t, 50, time.Second)
}

// changes are the changes of addresses that a server has responded to, in the order of the responses. Address n is
// first created, and then assigned and never released.
type changes struct {
	mu   sync.Mutex
	list []change
}

type change struct {
	id       string
	assigned bool
}

func (c *changes) add(one change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, one)
}

func (c *changes) made() []change {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.list)
}

// backupsUnderWrites makes backups, with pauses between them, while a server writes, and examines each.
func backupsUnderWrites(t *testing.T, backups int, pause time.Duration) {
	home := t.TempDir()
	s := start(t, "--store", home)
	admin := readAdmin(t, home)
	holder := newAccount(t, "A", "--store", home)
	var made changes
	ctx, cancel := context.WithCancel(t.Context())
	stopWriters := writeOn(ctx, s, s.login(admin.APIKey), holder.ID, &made)
	defer stopWriters()
	defer cancel()
	began := time.Now()
	for n := range backups {
		testutil.Eventually(t, "more changes", func() bool { return len(made.made()) > 50*(n+1) })
		time.Sleep(pause) // what is written meanwhile is part of the load
		before := made.made()
		file, restored := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "restored")
		ok(t, "backup", file, "--store", home)
		after := len(made.made())
		ok(t, "restore", file, "--store", restored)
		checkBackup(t, restored, holder.ID, before)
		t.Logf("backup %d: %d changes before, %d during", n+1, len(before), after-len(before))
		_ = os.Remove(file)
	}
	t.Logf("%.0f writes a second", float64(len(made.made()))/time.Since(began).Seconds())
}

// writeOn creates addresses and assigns each, until ctx ends. stop waits for the writers.
func writeOn(ctx context.Context, s *served, token, accountID string, made *changes) (stop func()) {
	const writers = 16
	write := func(method, path, body string, want int) bool {
		status, text, err := s.send(method, path, token, body)
		if err != nil || status != want && status != http.StatusServiceUnavailable { // of a machine that is too busy
			s.Errorf("%s %s: %d %s, %v", method, path, status, text, err)
		}
		return err == nil && status == want
	}
	var all sync.WaitGroup
	var last atomic.Int64
	for range writers {
		all.Go(func() {
			for ctx.Err() == nil && !s.Failed() {
				n := last.Add(1)
				id := fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255)
				if !write("PUT", "/v2/ips", `{"data":{"ip":"`+id+`","zone":"z","host":"h"}}`, 201) {
					continue
				}
				made.add(change{id, false})
				if write("POST", "/v2/accounts/"+accountID+"/ips/"+id, "", 200) {
					made.add(change{id, true})
				}
			}
		})
	}
	return all.Wait
}

// checkBackup checks that a restored store has changes.
func checkBackup(t *testing.T, folder, accountID string, made []change) {
	t.Helper()
	assigned := map[string]bool{}
	var ids []string
	for _, one := range made {
		if !one.assigned {
			ids = append(ids, one.id)
		}
		assigned[one.id] = one.assigned
	}
	s := storetest.Open(t, folder)
	for chunk := range slices.Chunk(ids, 500) {
		docs, err := s.GetMany(t.Context(), dedicatedip.Database, chunk)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range chunk {
			if docs[id] == nil || assigned[id] && docs[id].String(kazoo.FieldAssignedTo) != accountID {
				t.Fatalf("%s, assigned: %t: the backup has %v", id, assigned[id], docs[id])
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestRestoreKilled: a restore that is killed leaves no half store, and the next one completes it.
func TestRestoreKilled(t *testing.T) {
	t.Parallel()
	home, file, restored := t.TempDir(), filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "restored")
	s := storetest.Open(t, home)
	err := s.CreateDatabase(t.Context(), "db")
	var docs []document.Document
	for n := range 1500 {
		docs = append(docs, document.Document{"_id": fmt.Sprint(n), "text": strings.Repeat("x", 8000)})
	}
	if err == nil {
		_, err = s.PutMany(t.Context(), "db", docs)
	}
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	ok(t, "backup", file, "--store", home)
	killed := 0
	for n := range 8 {
		restore := program(t, "restore", file, "--store", restored)
		if err := restore.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(n) * 40 * time.Millisecond) // into the start, the check and the writing
		_ = restore.Process.Kill()
		_ = restore.Wait()
		if exists(embedded.File(restored)) {
			break
		}
		killed++
	}
	if !exists(embedded.File(restored)) {
		ok(t, "restore", file, "--store", restored)
	}
	t.Logf("%d restores were killed before the store was there", killed)
	if err := embedded.CheckFile(embedded.File(restored)); err != nil {
		t.Error(err)
	}
	found, err := storetest.Open(t, restored).GetMany(t.Context(), "db", []string{"0", "1499"})
	if err != nil || len(found) != 2 {
		t.Errorf("the store has %d of two documents, %v", len(found), err)
	}
}
