package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/boltfile"
)

// openLogged opens a store in a folder, with its log.
func openLogged(t *testing.T) (client *Client, log *bytes.Buffer) {
	t.Helper()
	log = &bytes.Buffer{}
	client, err := Open(t.TempDir(), zerolog.New(log).Level(zerolog.WarnLevel))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client, log
}

// TestSnapshot: a snapshot is the store at one moment, however much is written while it is read.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	for _, path := range []string{Memory, t.TempDir()} {
		client, err := Open(path, zerolog.Nop())
		if err != nil {
			t.Fatal(err)
		}
		db := createDB(t, client.Client, "db")
		for n := range 60 {
			put(t, db, fmt.Sprintf("before %d", n), `{"text":"`+strings.Repeat("x", 2000)+`"}`)
		}
		s, err := client.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var copied bytes.Buffer
		for n := 0; ; n++ {
			put(t, db, fmt.Sprintf("after %d", n), `{"text":"`+strings.Repeat("y", 2000)+`"}`)
			if _, err := io.CopyN(&copied, s, s.Size/20); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil || int64(copied.Len()) != s.Size || s.Grown() == 0 {
			t.Errorf("%s: %d of %d bytes, grown by %d, %v", path, copied.Len(), s.Size, s.Grown(), err)
		}
		if err := client.Close(); err != nil {
			t.Fatal(err)
		}
		if err := boltfile.Verify(bytes.NewReader(copied.Bytes()), s.Size); err != nil {
			t.Error(err)
		}
		folder := t.TempDir()
		if err := os.WriteFile(File(folder), copied.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := CheckFile(File(folder)); err != nil {
			t.Error(err)
		}
		again := openStore(t, folder).DB("db")
		if got := listing(t, again.AllDocs(t.Context())); len(got) != 60 {
			t.Errorf("%s: the copy has %d documents", path, len(got))
		}
	}
}

// TestSnapshotEnds: a snapshot that nobody reads holds nothing once its context ends or the file has grown too much.
// The log says so.
func TestSnapshotEnds(t *testing.T) {
	t.Parallel()
	client, log := openLogged(t)
	db := createDB(t, client.Client, "db")
	put(t, db, "x", `{}`)

	ctx, cancel := context.WithCancelCause(t.Context())
	s, err := client.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	gone := errors.New("gone")
	cancel(gone)
	for err = nil; err == nil; time.Sleep(time.Millisecond) { // the context ends it in a goroutine of its own
		_, err = s.Read(make([]byte, 1))
	}
	if !errors.Is(err, gone) {
		t.Errorf("cancelled: %v", err)
	}
	<-s.ended
	if err := s.Close(); err != nil {
		t.Error(err)
	}

	s, err = client.own.snapshot(t.Context(), func(int64) int64 { return 1 << 20 })
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("x", 1<<20)
	for n := 0; client.own.bolt.Stats().OpenTxN > 0; n++ {
		put(t, db, fmt.Sprint(n), `{"text":"`+text+`"}`)
		time.Sleep(10 * time.Millisecond)
	}
	var grown errGrown
	if _, err := io.Copy(io.Discard, s); !errors.As(err, &grown) || grown.grown < 1<<20 {
		t.Errorf("grown: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "a backup was given up") {
		t.Errorf("logged %s", log)
	}
}

// TestCheckFile: a file that is no store of this version is refused and stays as it is.
func TestCheckFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "text")
	if err := os.WriteFile(path, []byte("no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := CheckFile(path); !errors.Is(err, boltfile.ErrDamaged) {
		t.Errorf("text: %v", err)
	}
	if err := CheckFile(filepath.Join(folder, "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
		t.Errorf("left %v, %v", left, err)
	}
}
