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
	"sync"
	"testing"
	"time"

	"github.com/go-kivik/kivik/v4"
	"github.com/rs/zerolog"

	"junctor/pkg/boltfile"
)

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
		var size int64
		w := &writingCopy{t: t, db: db, text: strings.Repeat("y", 2000)}
		err = client.Snapshot(t.Context(), func(n int64) (io.Writer, error) {
			size = n
			return w, nil
		})
		if err != nil || int64(w.copied.Len()) != size || w.parts < 3 {
			t.Errorf("%s: %d of %d bytes in %d parts, %v", path, w.copied.Len(), size, w.parts, err)
		}
		if err := client.Close(); err != nil {
			t.Fatal(err)
		}
		if err := boltfile.Verify(bytes.NewReader(w.copied.Bytes()), size); err != nil {
			t.Error(err)
		}
		folder := t.TempDir()
		if err := os.WriteFile(File(folder), w.copied.Bytes(), 0o600); err != nil {
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

// writingCopy takes a snapshot, and writes to the store with each part of it.
type writingCopy struct {
	t      *testing.T
	db     *kivik.DB
	text   string
	copied bytes.Buffer
	parts  int
}

func (w *writingCopy) Write(p []byte) (int, error) {
	w.parts++
	put(w.t, w.db, fmt.Sprintf("after %d", w.parts), `{"text":"`+w.text+`"}`)
	return w.copied.Write(p)
}

// TestSnapshotEnds: a snapshot ends when its context does, when its writer fails, and when the file has grown too much.
func TestSnapshotEnds(t *testing.T) {
	t.Parallel()
	client, err := Open(t.TempDir(), zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	db := createDB(t, client.Client, "db")
	ctx, cancel := context.WithCancelCause(t.Context())
	gone, full := errors.New("gone"), errors.New("full")
	err = client.Snapshot(ctx, func(int64) (io.Writer, error) {
		cancel(gone)
		return io.Discard, nil
	})
	if !errors.Is(err, gone) {
		t.Errorf("cancelled: %v", err)
	}
	err = client.Snapshot(t.Context(), func(int64) (io.Writer, error) { return nil, full })
	if !errors.Is(err, full) {
		t.Errorf("refused: %v", err)
	}
	err = client.own.snapshot(t.Context(), 1<<20, func(int64) (io.Writer, error) {
		return writeFunc(func([]byte) (int, error) {
			for n := 0; client.own.bolt.Stats().OpenTxN > 0; n++ { // it ends although nothing is read
				put(t, db, fmt.Sprintf("meanwhile %d", n), `{"text":"`+strings.Repeat("x", 1<<18)+`"}`)
			}
			return 0, io.ErrShortWrite
		}), nil
	})
	if err == nil || !strings.Contains(err.Error(), "taken too slowly") {
		t.Errorf("grown: %v", err)
	}
	if n := client.own.bolt.Stats().OpenTxN; n != 0 {
		t.Errorf("%d transactions are open", n)
	}
}

type writeFunc func(p []byte) (int, error)

func (f writeFunc) Write(p []byte) (int, error) { return f(p) }

// TestSnapshotAndClose: a store that is closed waits for a snapshot, which comes to its end.
func TestSnapshotAndClose(t *testing.T) {
	t.Parallel()
	client, err := Open(t.TempDir(), zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	var closing sync.Once
	closed := make(chan error, 1)
	err = client.Snapshot(t.Context(), func(int64) (io.Writer, error) {
		return writeFunc(func(p []byte) (int, error) {
			closing.Do(func() {
				go func() { closed <- client.Close() }()
				time.Sleep(100 * time.Millisecond) // Close is likely to wait then
			})
			return len(p), nil
		}), nil
	})
	if err := errors.Join(err, <-closed); err != nil {
		t.Error(err)
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
