package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"junctor/pkg/adminsocket"
	"junctor/pkg/fault"
	"junctor/pkg/ipbatch"
)

// csvRows returns so many rows of a CSV file, from a number on.
func csvRows(from, n int) string {
	var text strings.Builder
	for i := from; i < from+n; i++ {
		fmt.Fprintf(&text, "10.%d.%d.%d,us-east,proxy1.example.com,note %d\n", i>>16, i>>8&0xff, i&0xff, i)
	}
	return text.String()
}

// TestImportInterrupted: an import that is interrupted says what it has done, and run again it completes; through the
// server, which is told, and without one.
func TestImportInterrupted(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	for rows, place := range map[int]*place{
		pieceEntries + 100: {dsn: home, server: start(t, "--store", home)},
		100:                {dsn: t.TempDir()}, // which reads the store for each row
	} {
		t.Run(fmt.Sprint(rows, " rows"), func(t *testing.T) {
			ok(t, place.args("bootstrap")...)
			stdin, writer := io.Pipe()
			defer writer.Close()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan outcome, 1)
			go func() {
				var stdout, stderr bytes.Buffer
				args := append([]string{"junctor"}, place.args("ips import -")...)
				code := run(ctx, args, environment{}.get, stdin, &stdout, &stderr)
				ended <- outcome{code, stdout.String(), stderr.String()}
			}()
			go func() { // ends when the pipe is closed
				_, _ = io.WriteString(writer, csvRows(0, rows))
				cancel() // all of it is read, or in a buffer
			}()
			o := <-ended
			if o.code != 1 || !strings.Contains(o.stderr, "stopped: ") {
				t.Errorf("%+v", o)
			}
			done := -1 // unknown: nothing is printed of what a server had not ended soon enough
			if _, err := fmt.Sscanf(o.stdout, "addresses: %d created", &done); o.stdout != "" && err != nil {
				t.Errorf("printed %q: %v", o.stdout, err)
			}
			again, created, there := tell(t, nil, csvRows(0, rows), place.args("ips import -")...), 0, 0
			_, err := fmt.Sscanf(again.stdout, "addresses: %d created, %d were there already, 0 refused", &created, &there)
			if err != nil || again.code != 0 || created+there != rows || done >= 0 && there != done {
				t.Errorf("again, after %d: %+v", done, again)
			}
		})
	}
}

// TestDryRun: a dry run writes nothing, whatever the file holds, and says what a real run does, also on a CouchDB that
// has no pool yet.
func TestDryRun(t *testing.T) {
	t.Parallel()
	f := newFaultyCouch(t)
	wroteNothing := func() {
		t.Helper()
		if wrote := f.requests(isChange); len(wrote) > 0 {
			t.Errorf("requests that write: %v", wrote)
		}
	}
	add := []string{"ips", "add", "192.0.2.0/28", "--zone", "z", "--host", "h", "--store", f.url}
	if got := ok(t, append(add, "--dry-run")...); got != "addresses: 14 would be created, 0 were there already, 0 refused\n" {
		t.Errorf("without a pool: %s", got)
	}
	wroteNothing()
	if got := ok(t, add...); got != "addresses: 14 created, 0 were there already, 0 refused\n" {
		t.Errorf("in earnest: %s", got)
	}
	f.forget()
	file := filepath.Join(t.TempDir(), "ips.csv")
	write(t, file, csvRows(0, 100)+"192.0.2.0/27,z,h\nnonsense\n")
	o := call(t, nil, "ips", "import", file, "--dry-run", "--store", f.url)
	const want = "addresses: 116 would be created, 14 were there already, 1 refused\n"
	if o.code != 1 || !strings.HasPrefix(o.stdout, want) {
		t.Errorf("%+v, want %s", o, want)
	}
	wroteNothing()
}

// TestLargeNetwork: a network that is larger than a request is created in pieces, which are all of it.
func TestLargeNetwork(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	ok(t, "bootstrap", "--store", home)
	got := ok(t, "ips", "add", "10.1.0.0/18", "--zone", "z", "--host", "h", "--dry-run", "--store", home)
	if !strings.HasPrefix(got, "addresses: 16382 would be created") {
		t.Errorf("printed %s", got)
	}
	for text, want := range map[string]string{
		"10.1.0.0/18": "[10.1.0.1-10.1.19.136 10.1.19.137-10.1.39.16 10.1.39.17-10.1.58.152 10.1.58.153-10.1.63.254]",
		"::/115":      "[::-::1387 ::1388-::1fff]",
	} {
		block, err := ipbatch.Entry{CIDR: text}.Block()
		if got := fmt.Sprint(slices.Collect(parts(block))); err != nil || got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// TestStopped: the error of a command that was stopped says so, and not where it was at that moment.
func TestStopped(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	full := errors.New("the disk is full")
	cancelled := fault.Wrap(fault.DatastoreUnreachable, fmt.Errorf("put dedicated_ips: %w", context.Canceled))
	if err := stopped(ctx, full); err != full {
		t.Error(err)
	}
	cancel(adminsocket.ErrCancelled)
	const rest = "2 of 3 addresses are deleted"
	for want, err := range map[string]error{
		"stopped: it was interrupted":                                  cancelled,
		"stopped: it was interrupted (the disk is full)":               full,
		"stopped: it was interrupted; " + rest:                         partial{cancelled, rest},
		"stopped: it was interrupted (the disk is full; " + rest + ")": partial{full, rest},
	} {
		if got := stopped(ctx, err); got.Error() != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
