package statefile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"junctor/pkg/statefile"
	"junctor/pkg/testutil"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	testutil.OK(t, err)
	return string(text)
}

func TestWriteReplacesWhole(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "f")
	for _, text := range []string{"a longer text", "short", ""} {
		testutil.OK(t, statefile.Write(path, 0o600, []byte(text)))
		if got := read(t, path); got != text {
			t.Errorf("read %q, want %q", got, text)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info, err)
	}
	onlyFile(t, folder)
}

func TestFailedWriteLeavesTheOldFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "f")
	if err := os.Mkdir(path, 0o700); err != nil { // which a rename does not replace
		t.Fatal(err)
	}
	if err := statefile.Write(path, 0o600, []byte("new")); err == nil {
		t.Error("a folder was replaced")
	}
	if err := statefile.Write(filepath.Join(folder, "missing", "f"), 0o600, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a missing folder: %v", err)
	}
	onlyFile(t, folder)
}

func TestCreateReplacesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "f")
	testutil.OK(t, statefile.Create(path, 0o600, []byte("first")))
	if err := statefile.Create(path, 0o600, []byte("second")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("second: %v", err)
	}
	if got := read(t, path); got != "first" {
		t.Errorf("read %q", got)
	}
	onlyFile(t, folder)
}

// TestDrafts: a draft that a killed process has left is removed with the next one, and one that is being written is not.
func TestDrafts(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "f*")
	draft := func() *statefile.Draft {
		d, err := statefile.NewDraft(path, 0o600)
		testutil.OK(t, err)
		if _, err := d.WriteString("text"); err != nil {
			t.Fatal(err)
		}
		return d
	}
	pipe := filepath.Join(folder, ".f*.junctor-pipe")
	testutil.OK(t, syscall.Mkfifo(pipe, 0o600))
	left := draft()
	if err := left.Close(); err != nil { // as a kill does
		t.Fatal(err)
	}
	first, second := draft(), draft()
	if _, err := os.Stat(left.Name()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the draft of a killed process: %v", err)
	}
	for _, d := range []*statefile.Draft{first, second} {
		if err := d.Publish(); err != nil {
			t.Error(err)
		}
		if got := read(t, path); got != "text" {
			t.Errorf("read %q", got)
		}
	}
	testutil.OK(t, os.Remove(pipe))
	onlyFile(t, folder)
}

// TestWritersAtOnce: none takes the draft of another for one that was left.
func TestWritersAtOnce(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "f")
	var writers sync.WaitGroup
	for range 50 {
		writers.Go(func() {
			if err := statefile.Write(path, 0o600, []byte("text")); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	onlyFile(t, folder)
}

// onlyFile checks that no draft is left.
func onlyFile(t *testing.T, folder string) {
	t.Helper()
	if files, err := os.ReadDir(folder); err != nil || len(files) != 1 {
		t.Errorf("the folder holds %v, %v", files, err)
	}
}

// TestCheckFolder: S14.
func TestCheckFolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for mode, want := range map[os.FileMode]string{
		0o700: "", 0o755: "", 0o770: "chmod go-w", 0o702: "chmod go-w",
		0o777 | os.ModeSticky: "is for all users: use a folder of its own", // as /tmp, which others need as it is
	} {
		testutil.OK(t, os.Chmod(folder, mode))
		wantError(t, statefile.CheckFolder(folder), want)
	}
	if err := statefile.CheckFolder(filepath.Join(folder, "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	file := filepath.Join(folder, "file")
	testutil.OK(t, os.WriteFile(file, nil, 0o600))
	wantError(t, statefile.CheckFolder(file), "not a folder")
}

func TestCheckOtherOwner(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if os.Geteuid() != 0 {
		folder = "/" // of root
	} else {
		testutil.OK(t, os.Chown(folder, 65534, -1))
	}
	wantError(t, statefile.CheckFolder(folder), "belongs to user")
}

func wantError(t *testing.T, err error, piece string) {
	t.Helper()
	if piece == "" && err != nil || piece != "" && (err == nil || !strings.Contains(err.Error(), piece)) {
		t.Errorf("got %v, want %q", err, piece)
	}
}
