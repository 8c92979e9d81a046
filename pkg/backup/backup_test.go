package backup_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"junctor/pkg/backup"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/store/embedded"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

const db = "account/ab/cd/ef"

// source returns an open store with some documents, and its folder, which has the files beside a store.
func source(t *testing.T) (s *store.Store, folder string) {
	t.Helper()
	folder = t.TempDir()
	s = storetest.Open(t, folder)
	testutil.OK(t, s.CreateDatabase(t.Context(), db))
	for n := range 50 {
		doc := document.Document{"_id": fmt.Sprint("document ", n), "text": strings.Repeat("x", 1000)}
		if _, err := s.Put(t.Context(), db, doc); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(folder, backup.KeyName), []byte("key\n"))
	write(t, filepath.Join(folder, backup.AdminName), []byte("{}\n"))
	return s, folder
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	testutil.OK(t, os.WriteFile(path, text, 0o600))
}

// made returns a backup of such a store.
func made(t *testing.T) []byte {
	t.Helper()
	s, folder := source(t)
	var b bytes.Buffer
	if err := backup.Write(t.Context(), &b, s, backup.Options{Folder: folder, Version: "1.2", Now: time.Now()}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// restore restores a backup.
func restore(path, folder string) error {
	b, err := backup.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(b.Restore(folder), b.Close())
}

// members returns the members of an archive.
func members(t *testing.T, raw []byte) (names []string, contents map[string][]byte) {
	t.Helper()
	contents = map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(raw)); ; {
		header, err := r.Next()
		if err == io.EOF {
			return names, contents
		}
		testutil.OK(t, err)
		if header.ModTime.After(time.Now()) {
			t.Errorf("%s is of the future, which tar warns of: %s", header.Name, header.ModTime)
		}
		text, err := io.ReadAll(r)
		testutil.OK(t, err)
		names, contents[header.Name] = append(names, header.Name), text
	}
}

// pack makes an archive, with the right check sums if there is no member for them.
func pack(t *testing.T, names []string, contents map[string][]byte) []byte {
	t.Helper()
	var b, sums bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range names {
		text, given := contents[name]
		if name == "SHA256SUMS" && !given {
			text = sums.Bytes()
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(text), name)
		err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(text))})
		if err == nil {
			_, err = w.Write(text)
		}
		testutil.OK(t, err)
	}
	testutil.OK(t, w.Close())
	return b.Bytes()
}

func TestRestored(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "backup")
	write(t, path, made(t))
	for _, folder := range []string{t.TempDir(), filepath.Join(t.TempDir(), "new", "folder")} {
		testutil.OK(t, restore(path, folder))
		for name, want := range map[string]string{backup.KeyName: "key\n", backup.AdminName: "{}\n"} {
			text, err := os.ReadFile(filepath.Join(folder, name))
			if err != nil || string(text) != want {
				t.Errorf("%s: %q, %v", name, text, err)
			}
		}
		files, err := os.ReadDir(folder)
		if err != nil || len(files) != 3 {
			t.Errorf("the folder has %v, %v", files, err)
		}
		for _, file := range files {
			if info, err := file.Info(); err != nil || info.Mode() != 0o600 {
				t.Errorf("%s: %v, %v", file.Name(), info, err)
			}
		}
		if _, err := storetest.Open(t, folder).Get(t.Context(), db, "document 49"); err != nil {
			t.Error(err)
		}
		if err := restore(path, folder); err == nil || !strings.Contains(err.Error(), "there is a store in") {
			t.Errorf("restored over a store: %v", err)
		}
	}
}

// TestDamagedBackup: a backup that is cut off anywhere, or of which a byte is changed, is refused before anything is
// written. What a byte changes that nothing reads, as the padding, changes nothing.
func TestDamagedBackup(t *testing.T) {
	t.Parallel()
	raw, folder := made(t), t.TempDir()
	path, target := filepath.Join(folder, "backup"), filepath.Join(folder, "store")
	_, whole := members(t, raw)
	try := func(text []byte) error {
		t.Helper()
		write(t, path, text)
		err := restore(path, target)
		if err != nil {
			if _, statErr := os.Lstat(target); !errors.Is(statErr, os.ErrNotExist) {
				t.Fatalf("refused with %v, and the folder is there: %v", err, statErr)
			}
			if !strings.Contains(err.Error(), path) {
				t.Errorf("the error does not name the file: %v", err)
			}
			return err
		}
		restored, err := os.ReadFile(embedded.File(target))
		if err != nil || !bytes.Equal(restored, whole["junctor.db"]) {
			t.Fatalf("a damaged store was restored, %v", err)
		}
		testutil.OK(t, os.RemoveAll(target))
		return nil
	}
	end := bytes.LastIndex(raw, []byte("  admin.json\n")) // what is behind is padding
	for n := 0; n < end; n += 1 + end/80 {
		if err := try(raw[:n]); err == nil {
			t.Errorf("%d of %d bytes were restored", n, len(raw))
		}
	}
	random, refused := rand.New(rand.NewPCG(1, 2)), 0
	for range 80 {
		damaged := bytes.Clone(raw)
		damaged[random.IntN(end)] ^= byte(1 + random.IntN(255))
		if try(damaged) != nil {
			refused++
		}
	}
	if refused < 64 {
		t.Errorf("%d of 80 were refused", refused)
	}
	if err := try(raw); err != nil {
		t.Error(err)
	}
}

// TestForeignBackup: what is whole and not a backup that this program can restore is refused, and the error says why.
func TestForeignBackup(t *testing.T) {
	t.Parallel()
	names, contents := members(t, made(t))
	manifest := func(format int) []byte {
		return fmt.Appendf(nil, `{"junctor_backup":1,"version":"9.9","format":%d,"bytes":%d}`, format,
			len(contents["junctor.db"]))
	}
	with := func(name string, text []byte) map[string][]byte {
		other := map[string][]byte{}
		for n, c := range contents {
			other[n] = c
		}
		delete(other, "SHA256SUMS")
		other[name] = text
		return other
	}
	broken := bytes.Clone(contents["junctor.db"])
	for page := 2; page < len(broken)/os.Getpagesize(); page++ {
		copy(broken[page*os.Getpagesize():], make([]byte, 16)) // of which the check sums are right
	}
	for name, test := range map[string]struct {
		raw  []byte
		want string
	}{
		"newer":     {pack(t, names, with("manifest.json", manifest(3))), "junctor 9.9 has made it"},
		"older":     {pack(t, names, with("manifest.json", manifest(0))), "restore it with junctor 9.9"},
		"structure": {pack(t, names, with("junctor.db", broken)), "page"},
		"member":    {pack(t, append([]string{"manifest.json", "other"}, names[1:]...), with("other", nil)), `"other"`},
		"twice":     {pack(t, append([]string{"manifest.json"}, names...), with("x", nil)), "unexpected member"},
		"no store":  {pack(t, []string{"manifest.json", "SHA256SUMS"}, with("x", nil)), "missing"},
		"text":      {[]byte(strings.Repeat("text ", 1000)), "not a backup"},
		"empty":     {nil, "not a backup"},
		"tar":       {pack(t, []string{"x"}, with("x", nil)), "not a backup"},
		"store":     {contents["junctor.db"], "copied junctor.db"},
	} {
		path := filepath.Join(t.TempDir(), "backup")
		write(t, path, test.raw)
		if _, err := backup.Open(path); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := backup.Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("folder: %v", err)
	}
}

// TestRefusedFolder: a folder with something that would be replaced, or that others can write to, stays as it is. What a
// restore that was interrupted has left is no hindrance.
func TestRefusedFolder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "backup")
	write(t, path, made(t))

	folder := t.TempDir()
	write(t, filepath.Join(folder, backup.KeyName), []byte("another\n"))
	if err := restore(path, folder); err == nil || !strings.Contains(err.Error(), "differs from that of the backup") {
		t.Errorf("another key: %v", err)
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 1 {
		t.Errorf("the folder has %v, %v", files, err)
	}

	folder = t.TempDir()
	testutil.OK(t, os.Chmod(folder, 0o777))
	if err := restore(path, folder); err == nil || !strings.Contains(err.Error(), "chmod go-w") {
		t.Errorf("open to others: %v", err)
	}

	folder = t.TempDir()
	drafts := filepath.Join(folder, ".junctor-restore")
	testutil.OK(t, os.Mkdir(drafts, 0o700))
	write(t, filepath.Join(drafts, "junctor.db"), []byte("half"))
	write(t, filepath.Join(folder, backup.AdminName), []byte("old"))
	write(t, filepath.Join(folder, backup.KeyName), []byte("key\n"))
	if err := restore(path, folder); err != nil {
		t.Errorf("after an interrupted one: %v", err)
	}
	if text, err := os.ReadFile(filepath.Join(folder, backup.AdminName)); err != nil || string(text) != "{}\n" {
		t.Errorf("%s: %q, %v", backup.AdminName, text, err)
	}
}

// TestWriteFails: an error of the reader, or the end of the context, is the error of the backup.
func TestWriteFails(t *testing.T) {
	t.Parallel()
	s, folder := source(t)
	full := errors.New("full")
	err := backup.Write(t.Context(), &failing{20_000, full}, s, backup.Options{Folder: folder})
	if !errors.Is(err, full) {
		t.Errorf("a full disk: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := backup.Write(ctx, io.Discard, s, backup.Options{Folder: folder}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	write(t, filepath.Join(folder, backup.KeyName), make([]byte, 1<<20))
	if err := backup.Write(t.Context(), io.Discard, s, backup.Options{Folder: folder}); err == nil {
		t.Error("a secret.key of a megabyte was backed up")
	}
	couch, err := store.Open("http://127.0.0.1:1", store.Options{})
	testutil.OK(t, err)
	defer couch.Close()
	err = backup.Write(t.Context(), io.Discard, couch, backup.Options{Folder: t.TempDir()})
	if !fault.Is(err, fault.NotImplemented) {
		t.Errorf("a CouchDB: %v", err)
	}
}

type failing struct {
	left int
	err  error
}

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, f.err
	}
	return len(p), nil
}
