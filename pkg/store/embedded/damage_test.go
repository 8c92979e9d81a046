package embedded

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-kivik/kivik/v4"
	"github.com/rs/zerolog"
)

// wholeStore returns the content of a store with documents, a view and a deleted document.
func wholeStore(t *testing.T) []byte {
	t.Helper()
	folder := t.TempDir()
	client, err := Open(folder, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	db := createDB(t, client.Client, "db")
	put(t, db, "_design/d", wordsDesign)
	for n := range 60 {
		rev := put(t, db, fmt.Sprintf("doc%02d", n), `{"text":"some words `+strings.Repeat("x", 50)+`"}`)
		if n%10 == 0 {
			if _, err := db.Delete(t.Context(), fmt.Sprintf("doc%02d", n), rev); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(File(folder))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// useStore reads and writes a store in every way. Errors are fine, the process has to live.
func useStore(ctx context.Context, client *kivik.Client) {
	db := client.DB("db")
	for _, rows := range []*kivik.ResultSet{db.AllDocs(ctx, kivik.IncludeDocs()), db.Query(ctx, "d", "words")} {
		for rows.Next() {
			_, _ = rows.Key()
		}
		_ = rows.Close()
	}
	changes := db.Changes(ctx)
	for changes.Next() {
		_ = changes.ID()
	}
	_ = changes.Close()
	_, _ = db.Put(ctx, "new", map[string]any{"text": "new"})
	_ = client.CreateDB(ctx, "other")
}

// TestDamagedStoreIsRefusedOrWorks: P6 and P7. Whatever is wrong with the file, it is opened or refused in one line.
func TestDamagedStoreIsRefusedOrWorks(t *testing.T) {
	t.Parallel()
	raw, folder := wholeStore(t), t.TempDir()
	try := func(damaged []byte, what string) (refused bool) {
		_ = os.Remove(File(folder)) // a damaged store may keep its file locked until the process ends
		if err := os.WriteFile(File(folder), damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		client, err := Open(folder, zerolog.Nop())
		if err == nil {
			useStore(t.Context(), client.Client)
			_ = client.Close()
			return false
		}
		text := err.Error()
		if !strings.Contains(text, File(folder)) || strings.Contains(text, "\n") {
			t.Errorf("%s: %s", what, text)
		}
		if after, _ := os.ReadFile(File(folder)); !bytes.Equal(after, damaged) {
			t.Errorf("%s: it was refused and changed", what)
		}
		return true
	}
	if try(raw, "whole") {
		t.Error("the whole file is refused")
	}
	used := len(bytes.TrimRight(raw, "\x00")) // the file grows ahead of what is in it
	random := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		size := random.IntN(used)
		if !try(raw[:size], fmt.Sprintf("cut off after %d bytes", size)) {
			t.Errorf("a store that is cut off after %d bytes is opened", size)
		}
	}
	rounds, refused := 200, 0
	if testing.Short() {
		rounds = 40
	}
	for range rounds {
		damaged := bytes.Clone(raw)
		at := random.IntN(used)
		if random.IntN(2) == 0 {
			at -= at%os.Getpagesize() - random.IntN(128) // what steers bbolt
		}
		damaged[at] ^= byte(1 << random.IntN(8))
		if try(damaged, fmt.Sprintf("byte %d is %#x", at, damaged[at])) {
			refused++
		}
	}
	if refused == 0 {
		t.Error("no file was refused: this test damages nothing that matters")
	}
}

// TestDamagedSequence: a query ends though the update sequence of a damaged file is beyond all changes.
func TestDamagedSequence(t *testing.T) {
	t.Parallel()
	d := driverDB(t)
	db := kivikOver(t, d)
	put(t, db, "_design/d", wordsDesign)
	put(t, db, "a", `{"words":["b"]}`)
	for range 2 {
		if got := listing(t, db.Query(t.Context(), "d", "words")); len(got) != 1 {
			t.Errorf("the view has %q", got)
		}
		err := d.update(t.Context(), 1, func(c contents) error { return c.part(changesBucket).SetSequence(99) })
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestStoreCutOffWhileOpen: P7. Damage that is found while the store is open is an error of the call, and Close returns.
func TestStoreCutOffWhileOpen(t *testing.T) {
	t.Parallel()
	for _, left := range []int64{0, 3 * int64(os.Getpagesize())} {
		folder := t.TempDir()
		if err := os.WriteFile(File(folder), wholeStore(t), 0o600); err != nil {
			t.Fatal(err)
		}
		client, err := Open(folder, zerolog.Nop())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(File(folder), left); err != nil {
			t.Fatal(err)
		}
		db := client.DB("db")
		for range 2 {
			wantError(t, db.Get(t.Context(), "doc01").Err(), http.StatusInternalServerError, "junctor.db can't be used")
			_, err = db.Put(t.Context(), "doc01", map[string]any{})
			wantError(t, err, http.StatusInternalServerError, "junctor.db can't be used")
			wantError(t, client.CreateDB(t.Context(), "x"), http.StatusInternalServerError, "junctor.db can't be used")
		}
		if err := client.Close(); err == nil {
			t.Error("Close does not report the damage")
		}
	}
}

// TestOpenSaysWhetherItCreated: P6.
func TestOpenSaysWhetherItCreated(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "store")
	for _, want := range []string{"created a new store", "opened the store"} {
		var log bytes.Buffer
		client, err := Open(folder, zerolog.New(&log))
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Close(); err != nil {
			t.Fatal(err)
		}
		if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, want) ||
			!strings.Contains(got, File(folder)) {
			t.Errorf("logged %s, want %q", got, want)
		}
	}
}

// TestOpenWritesNothing: P8.
func TestOpenWritesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	raw := wholeStore(t)
	if err := os.WriteFile(File(folder), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	client, err := Open(folder, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(File(folder)); err != nil || !bytes.Equal(after, raw) {
		t.Errorf("opening a store changed its file (%v)", err)
	}
}
