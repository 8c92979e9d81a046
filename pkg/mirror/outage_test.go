package mirror_test

import (
	"bytes"
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/mirror"
	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

// unreachable is a store that does not respond while it is down.
type unreachable struct {
	*store.Store
	down  atomic.Bool
	calls atomic.Int64
}

func (u *unreachable) Position(ctx context.Context, db string) (seq, epoch string, err error) {
	if u.calls.Add(1); u.down.Load() {
		return "", "", fault.New(fault.DatastoreUnreachable, "")
	}
	return u.Store.Position(ctx, db)
}

// TestAnOutageIsTwoLines: of an outage the log has the beginning and the end, however often the mirror has tried.
func TestAnOutageIsTwoLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open("memory:", store.Options{})
		testutil.OK(t, err)
		defer s.Close()
		testutil.OK(t, s.CreateDatabase(t.Context(), "db"))
		u, log := &unreachable{Store: s}, &bytes.Buffer{}
		u.down.Store(true)
		m := mirror.New(u, "db", &index{docs: map[string]document.Document{}}, mirror.Options{Log: zerolog.New(log)})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); m.Run(ctx) }()
		time.Sleep(5 * time.Minute) // the bubble's
		tried := u.calls.Load()
		u.down.Store(false)
		time.Sleep(time.Minute)
		cancel()
		<-done
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if tried < 30 || len(lines) != 2 || !strings.Contains(lines[0], "broke off") || !strings.Contains(lines[1], "followed again") {
			t.Errorf("after %d attempts: %q", tried, lines)
		}
	})
}
