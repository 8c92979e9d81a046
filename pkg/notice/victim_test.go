package notice

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/rs/zerolog"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/notice/brokertest"
	"junctor/pkg/store"
)

// victimVariable makes the test program a process that kills itself at the point its value names, working in the
// folder that is its working directory.
const victimVariable = "JUNCTOR_NOTICE_VICTIM"

// The points of death: before a document is written, after that but before its outcome is noted, and with
// notices waiting for a broker that is not there.
const (
	beforeWrite = "before write"
	afterWrite  = "after write"
	waiting     = "waiting"
)

// TestKilled: what a killed process has noted goes out when the next one starts, if the document was written.
func TestKilled(t *testing.T) {
	b := brokertest.Require(t, shared)
	for _, c := range []struct {
		point string
		want  []string // about 10.0.0.1 to 10.0.0.3
	}{
		{beforeWrite, []string{"doc_created 1-"}},
		{afterWrite, []string{"doc_created 1-", "doc_edited 2-"}},
		{waiting, []string{"doc_created 1-", "doc_edited 2-", "doc_deleted 3-"}},
	} {
		t.Run(c.point, func(t *testing.T) {
			dir := t.TempDir()
			kill(t, c.point, dir)
			s := openStore(t, filepath.Join(dir, "data"))
			o := options(t, brokertest.URL(b.Address()))
			o.Dir = filepath.Join(dir, "state")
			box := openOutbox(t, o)
			l := listen(t, b)
			run(t, box, s)
			for i, h := range l.take(len(c.want)) {
				if got := h.text("Event-Name") + " " + h.text("Rev")[:2]; got != c.want[i] {
					t.Errorf("message %d is %s, want %s", i, got, c.want[i])
				}
			}
			idle(t, box)
			l.nothing(b)
		})
	}
}

// kill starts a process and waits for its end.
func kill(t *testing.T, point, dir string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), victimVariable+"="+point)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the process ended with %v: %s", err, out)
	}
}

func die() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL) }

func beVictim(point string) int {
	if err := victim(context.Background(), point); err != nil {
		fmt.Println(err)
	}
	return 1
}

func victim(ctx context.Context, point string) error {
	s, err := store.Open("data", store.Options{})
	if err != nil {
		return err
	}
	box, err := Open(Options{URL: unreachable, Dir: "state", Node: "victim", Log: zerolog.Nop()})
	if err := errors.Join(err, prepare(ctx, s)); err != nil {
		return err
	}
	go box.Run(ctx, s)
	rev, err := Wrap(s, box).Put(ctx, dedicatedip.Database, doc("10.0.0.1", ""))
	if err != nil {
		return err
	}
	box.noting.Wait()
	second := Wrap(mortal{s, point}, box)
	rev, err = second.Put(ctx, dedicatedip.Database, doc("10.0.0.1", rev))
	if err != nil {
		return err
	}
	if err := second.Delete(ctx, dedicatedip.Database, "10.0.0.1", rev); err != nil {
		return err
	}
	box.noting.Wait()
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
