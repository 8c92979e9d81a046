package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
)

// TestInputInterrupted: a command that waits for its standard input ends when it is interrupted, whatever it reads. For
// "ips import" see TestImportInterrupted.
func TestInputInterrupted(t *testing.T) {
	t.Parallel()
	store := "--store=" + t.TempDir()
	for _, command := range []string{
		"import -", "routing set 0123456789abcdef0123456789abcdef -", "user passwd A admin --password-stdin",
		"cluster add X http://a --api-key-stdin",
	} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			stdin, writer := io.Pipe()
			defer writer.Close()
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				_, _ = writer.Write([]byte("{")) // returns when it is read
				cancel()
			}()
			var stderr bytes.Buffer
			code := run(ctx, append([]string{"junctor"}, append(strings.Fields(command), store)...), environment{}.get, stdin,
				io.Discard, &stderr)
			if code != 1 || !strings.Contains(stderr.String(), "stopped: ") {
				t.Errorf("exit code %d: %s", code, stderr.String())
			}
		})
	}
}
