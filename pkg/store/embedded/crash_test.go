package embedded

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"junctor/pkg/testutil/leak"

	"github.com/go-kivik/kivik/v4"
	"github.com/rs/zerolog"
)

const crashFolder = "JUNCTOR_TEST_CRASH_FOLDER"

// TestMain turns the test binary into the process that TestKill kills.
func TestMain(m *testing.M) {
	if folder := os.Getenv(crashFolder); folder != "" {
		fmt.Fprintln(os.Stderr, writeUntilKilled(folder))
		os.Exit(1)
	}
	os.Exit(leak.Run(m))
}

// writeUntilKilled writes from a few goroutines, and prints each write once it is answered.
func writeUntilKilled(folder string) error {
	client, err := Open(folder, zerolog.Nop())
	if err != nil {
		return err
	}
	ctx := context.Background()
	if err := client.CreateDB(ctx, "db"); err != nil && kivik.HTTPStatus(err) != 412 {
		return err
	}
	db := client.DB("db")
	failed := make(chan error)
	for range 4 {
		go func() {
			for {
				line, err := randomWrite(ctx, db)
				if err != nil {
					failed <- err
					return
				}
				fmt.Println(line) // one system call
			}
		}()
	}
	return <-failed
}

// randomWrite writes one of many documents, now and then a design document.
func randomWrite(ctx context.Context, db *kivik.DB) (string, error) {
	id, doc := fmt.Sprint("doc", rand.IntN(100_000)), randomDoc(rand.New(rand.NewPCG(rand.Uint64(), 0)))
	if rand.IntN(20) == 0 {
		id = fmt.Sprint("_design/d", rand.IntN(3))
		doc = map[string]any{"views": map[string]any{fmt.Sprint("v", rand.IntN(3)): map[string]any{
			"map": fmt.Sprintf("function (doc) { emit(doc.n %% %d, doc.words); }", 2+rand.IntN(3)),
		}}}
	}
	if rev, err := db.GetRev(ctx, id); err == nil {
		doc["_rev"] = rev
	}
	rev, err := db.Put(ctx, id, doc)
	if kivik.HTTPStatus(err) == 409 {
		return "", nil
	}
	return id + " " + rev, err
}

// TestKill kills a writing process again and again: all that was answered is there, and every index is in step.
func TestKill(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	answered := map[string]string{}
	rounds := 8
	if testing.Short() {
		rounds = 4
	}
	for round := range rounds {
		killAfter(t, folder, 40+5*round, answered)
		file, _, err := openBolt(File(folder), false)
		if err != nil {
			t.Fatal(err)
		}
		if err := prepareFile(file, zerolog.Nop(), false); err != nil {
			t.Fatal(err)
		}
		c := newClient(file, &storeFile{}, zerolog.Nop())
		db := kivikOver(t, &database{client: c, name: "db"})
		for id, rev := range answered {
			if got, err := db.GetRev(t.Context(), id); err != nil || generationOf(got) < generationOf(rev) {
				t.Errorf("round %d: %s is at %q (%v), answered was %q", round, id, got, err, rev)
			}
		}
		checkIndexes(t, c)
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func generationOf(rev string) int64 { return (&record{rev: rev}).generation() }

// killAfter lets a process write until it has printed so many lines, kills it, and notes what it answered.
func killAfter(t *testing.T, folder string, lines int, answered map[string]string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashFolder+"="+folder)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := sync.OnceFunc(func() { _ = cmd.Process.Kill() })
	defer kill()
	reader := bufio.NewReader(out)
	for n := 1; ; n++ {
		line, err := reader.ReadString('\n')
		if err == io.EOF {
			if n < lines {
				t.Fatalf("the process ended after %d writes", n)
			}
			break
		}
		if id, rev, ok := strings.Cut(strings.TrimSpace(line), " "); ok &&
			generationOf(rev) > generationOf(answered[id]) {
			answered[id] = rev
		}
		if n == lines {
			kill()
		}
	}
	_ = cmd.Wait() // killed
}
