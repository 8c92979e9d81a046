package notify

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

// hiccup is a store that fails to read account databases so many times.
type hiccup struct {
	*store.Store
	left atomic.Int64
}

func (h *hiccup) GetMany(ctx context.Context, db string, ids []string) (map[string]document.Document, error) {
	if db != kazoo.DedicatedIPs && h.left.Add(-1) >= 0 {
		return nil, fault.New(fault.DatastoreUnreachable, "")
	}
	return h.Store.GetMany(ctx, db, ids)
}

// A replay that could not read a copy is made again. It publishes the copy then, too.
func TestAReplayThatFailsLosesNoCopy(t *testing.T) {
	t.Parallel()
	s := &hiccup{Store: openStore(t, "memory:")}
	held := doc("10.0.0.1", "")
	held[kazoo.FieldStatus], held[kazoo.FieldAssignedTo] = kazoo.Assigned, accountA
	for _, db := range []string{kazoo.DedicatedIPs, accountDB(accountA)} {
		_, err := s.Put(t.Context(), db, held)
		ok(t, err)
	}
	o := options(t, unreachable)
	ok(t, os.WriteFile(filepath.Join(o.Dir, CheckpointFile), []byte("unreadable"), 0o600))
	p := openPublisher(t, o, s, quick)
	s.left.Store(2)
	testutil.Eventually(t, "the replay is complete", func() bool {
		p.replayIfDue(t.Context())
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.due.IsZero()
	})
	var queued []subject
	for _, n := range p.queue {
		queued = append(queued, n.subject)
	}
	for _, want := range []subject{
		{kazoo.DedicatedIPs, "10.0.0.1"}, {accountDB(accountA), "10.0.0.1"}, {accountDB(accountA), ""},
	} {
		if !slices.Contains(queued, want) {
			t.Errorf("no notice of %v: %v", want, queued)
		}
	}
}
