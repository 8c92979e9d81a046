package notify

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rs/zerolog"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/kazoo"
	"junctor/pkg/notify/brokertest"
	"junctor/pkg/store"
)

// victimVariable makes the test program a process that is killed at the point its value names. It works in its working
// directory and publishes to the broker at brokerVariable.
const (
	victimVariable = "JUNCTOR_NOTIFY_VICTIM"
	brokerVariable = "JUNCTOR_NOTIFY_BROKER"
	nodeVariable   = "JUNCTOR_NOTIFY_NODE"
)

// The points of death: before a document is written, after that but before its notice is queued, with notices waiting
// for a broker that is not there, and under writers, by the test.
const (
	beforeWrite = "before write"
	afterWrite  = "after write"
	waiting     = "waiting"
	writing     = "writing"
)

// TestKilled: what a killed process wrote and did not publish is published by the next one, as it is then.
func TestKilled(t *testing.T) {
	t.Parallel()
	b := brokertest.Require(t, shared)
	db := accountDB(accountA)
	for _, c := range []struct {
		point string
		want  []string
	}{
		{beforeWrite, []string{"dedicated_ips dedicated_ip 10.0.0.1 doc_created 1-"}},
		{afterWrite, []string{"dedicated_ips dedicated_ip 10.0.0.1 doc_edited 2-"}},
		{waiting, []string{
			"account dedicated_ip 10.0.0.1 doc_deleted ", // it has no revision
			"account resource 10.0.0.1 doc_edited ",
			"dedicated_ips dedicated_ip 10.0.0.1 doc_deleted 3-",
		}},
	} {
		t.Run(c.point, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			end := startVictim(t, c.point, dir, unreachable)
			_, _ = io.ReadAll(end.output)
			end.wait(t)
			l := listen(t, b)
			p := openPublisher(t, stateOf(t, dir, b), openStore(t, filepath.Join(dir, "data")), quick)
			run(t, p)
			idle(t, p)
			var got []string
			for _, h := range l.others(b) {
				if h.text("Database") != "dedicated_ips" && h.text("Database") != strings.ReplaceAll(db, "/", "%2F") {
					t.Errorf("unexpected %v", h.Payload)
				}
				rev, _, _ := strings.Cut(h.text("Rev"), "-")
				got = append(got, h.says()+" "+rev+strings.Repeat("-", min(1, len(rev))))
			}
			slices.Sort(got) // stale copies are looked up twice
			if got = slices.Compact(got); !slices.Equal(got, c.want) {
				t.Errorf("heard %q\nwant %q", got, c.want)
			}
		})
	}
}

func stateOf(t *testing.T, dir string, b *brokertest.Broker) Options {
	o := options(t, brokertest.URL(b.Address()))
	o.Dir = filepath.Join(dir, "state")
	return o
}

// TestKilledUnderWriters kills a process again and again, whose writers make and remove copies, too: of every document
// that it said to have written, that revision or a later one is published, and none after a later one.
func TestKilledUnderWriters(t *testing.T) {
	t.Parallel()
	b := brokertest.Require(t, shared)
	dir := t.TempDir()
	l := listen(t, b)
	written := map[string]int{} // by document: the last revision that was acknowledged; for the account, of any copy
	var all []heard
	for round := range 4 {
		victim := startVictim(t, writing, dir, brokertest.URL(b.Address()))
		lines := bufio.NewScanner(victim.output)
		for range 100 + 37*round {
			if !lines.Scan() {
				t.Fatal("it ended by itself")
			}
			read(t, lines.Text(), written)
		}
		ok(t, victim.Process.Kill())
		for lines.Scan() {
			read(t, lines.Text(), written)
		}
		victim.wait(t)
	}
	p := openPublisher(t, stateOf(t, dir, b), openStore(t, filepath.Join(dir, "data")), quick)
	run(t, p)
	idle(t, p)
	all = l.others(b)
	last, flushed, removed := map[string]int{}, 0, map[string]int{}
	for i, h := range all {
		name := h.text("Database") + " " + h.text("ID")
		made := kazoo.Generation(h.text("Rev"))
		switch {
		case h.text("Type") == "resource":
			flushed = i
		case made == 0 && h.text("Event-Name") == deleted: // by a replay
			removed[name] = i
		case made < last[name]:
			t.Errorf("%s: revision %d comes after %d", name, made, last[name])
		default:
			last[name] = made
		}
	}
	for name, made := range written {
		if _, gone := removed[name]; last[name] < made && !gone {
			t.Errorf("%s: heard of revision %d, but %d was written", name, last[name], made)
		}
	}
	if len(written) < 8 || flushed < len(all)-20 {
		t.Errorf("%d documents, the last message about proxies is %d of %d", len(written), flushed, len(all))
	}
	t.Logf("%d documents, %d messages", len(written), len(all))
}

// read takes in a line of a victim: a document and the generation of its revision.
func read(t *testing.T, line string, written map[string]int) {
	var db, id string
	var made int
	if _, err := fmt.Sscan(line, &db, &id, &made); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	name := strings.ReplaceAll(db, "/", "%2F") + " " + id
	written[name] = max(written[name], made)
}

type victim struct {
	*exec.Cmd
	output io.Reader
}

func startVictim(t *testing.T, point, dir, broker string) victim {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), victimVariable+"="+point, brokerVariable+"="+broker,
		nodeVariable+"=junctor@"+t.Name())
	cmd.Stderr = os.Stderr
	output, err := cmd.StdoutPipe()
	ok(t, err)
	ok(t, cmd.Start())
	return victim{cmd, output}
}

func (v victim) wait(t *testing.T) {
	t.Helper()
	err := v.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the process ended with %v", err)
	}
}

func die() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL) }

func beVictim(point string) int {
	if err := suffer(context.Background(), point); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return 1
}

func suffer(ctx context.Context, point string) error {
	s, err := store.Open("data", store.Options{})
	if err != nil {
		return err
	}
	if err := prepare(ctx, s); err != nil {
		return err
	}
	o := Options{URL: os.Getenv(brokerVariable), Dir: "state", Node: os.Getenv(nodeVariable), Log: zerolog.Nop()}
	p, err := open(o, s, quick)
	if err != nil {
		return err
	}
	go p.Run(ctx)
	if point == writing {
		return writeForever(ctx, Wrap(s, p))
	}
	w := Wrap(s, p)
	rev, err := w.Put(ctx, dedicatedip.Database, doc("10.0.0.1", ""))
	if err != nil {
		return err
	}
	if point == waiting {
		copied, err := w.Put(ctx, accountDB(accountA), doc("10.0.0.1", ""))
		if err = errors.Join(err, remove(ctx, w, accountDB(accountA), "10.0.0.1", copied)); err != nil {
			return err
		}
	}
	w = Wrap(mortal{s, point}, p)
	rev, err = w.Put(ctx, dedicatedip.Database, doc("10.0.0.1", rev))
	if err != nil {
		return err
	}
	if err := remove(ctx, w, dedicatedip.Database, "10.0.0.1", rev); err != nil {
		return err
	}
	die()
	return nil
}

// mortal is a store whose process dies at a write.
type mortal struct {
	dedicatedip.Store
	point string
}

func (m mortal) Put(ctx context.Context, db string, d document.Document) (string, error) {
	if m.point == beforeWrite {
		die()
	}
	rev, err := m.Store.Put(ctx, db, d)
	if m.point == afterWrite {
		die()
	}
	return rev, err
}

// writeForever edits documents of the pool, and makes and removes a copy of each, and prints what it has written.
func writeForever(ctx context.Context, w *Store) error {
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			id := fmt.Sprintf("10.0.7.%d", i)
			for ctx.Err() == nil {
				for _, db := range []string{dedicatedip.Database, accountDB(accountA)} {
					if err := writeOn(ctx, w, db, id); err != nil {
						fmt.Fprintln(os.Stderr, err)
						return
					}
				}
			}
		})
	}
	group.Wait()
	return nil
}

func writeOn(ctx context.Context, w *Store, db, id string) error {
	found, err := w.GetMany(ctx, db, []string{id})
	if err != nil {
		return err
	}
	next := doc(id, found[id].Rev())
	if db != dedicatedip.Database && next.Rev() != "" {
		next["_deleted"] = true
	}
	rev, err := w.Put(ctx, db, next)
	if err == nil {
		fmt.Println(db, id, kazoo.Generation(rev))
	}
	return err
}
