package embedded

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-kivik/kivik/v4"
	"github.com/rs/zerolog"
)

// logBuffer is a log that may be read while it is written to.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logBuffer) count(text string) int { return strings.Count(l.String(), text) }

// waitForLog waits until text was logged so often.
func (l *logBuffer) waitForLog(t *testing.T, text string, times int) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); l.count(text) < times; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%q was not logged %d times", text, times)
		}
	}
}

// TestDeletedFile is about R6: a store whose file was deleted or replaced refuses writes, which would be lost, says so
// though nobody writes, and goes on when the file is back.
func TestDeletedFile(t *testing.T) {
	t.Parallel()
	for name, remove := range map[string]func(file string) error{
		"deleted": func(file string) error { return os.Rename(file, file+".away") },
		"replaced": func(file string) error {
			text, err := os.ReadFile(file)
			if err == nil {
				err = os.Rename(file, file+".away")
			}
			return errors.Join(err, os.WriteFile(file, text, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log logBuffer
			folder := t.TempDir()
			client, err := Open(folder, zerolog.New(&log))
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			db := createDB(t, client.Client, "db")
			put(t, db, "a", `{}`)
			wantPing(t, client.Client, true)

			path := filepath.Join(folder, fileName)
			if err := remove(path); err != nil {
				t.Fatal(err)
			}
			wantPing(t, client.Client, false)
			log.waitForLog(t, "writes are refused", 1)
			for range 2 {
				_, err := db.Put(t.Context(), "b", map[string]any{})
				wantError(t, err, http.StatusServiceUnavailable, "was deleted or replaced")
			}
			wantError(t, client.CreateDB(t.Context(), "c"), http.StatusServiceUnavailable, "was deleted or replaced")
			get(t, db, "a")

			if err := os.Rename(path+".away", path); err != nil {
				t.Fatal(err)
			}
			put(t, db, "b", `{}`)
			wantPing(t, client.Client, true)
			if n := log.count("writes are refused"); n != 1 {
				t.Errorf("logged %d times", n)
			}
			log.waitForLog(t, "accepted again", 1)
		})
	}
}

func wantPing(t *testing.T, client *kivik.Client, want bool) {
	t.Helper()
	if up, err := client.Ping(t.Context()); up != want || (err == nil) != want {
		t.Errorf("ping: %t, %v; want %t", up, err, want)
	}
}
