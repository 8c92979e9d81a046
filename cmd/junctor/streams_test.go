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

// TestOutputInterrupted: a command ends when it is interrupted, though nobody reads what it writes.
func TestOutputInterrupted(t *testing.T) {
	t.Parallel()
	alone, served := t.TempDir(), t.TempDir()
	ok(t, "bootstrap", "--store", alone)
	start(t, "--store", served)
	for _, home := range []string{alone, served} {
		ok(t, "ips", "add", "10.0.0.0/22", "--zone=z", "--host=h", "--store", home)
	}
	for name, args := range map[string][]string{
		"alone":         {"--store", alone},
		"by the server": {"--store", served},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reader, output := io.Pipe()
			defer reader.Close()
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				_, _ = reader.Read(make([]byte, 1)) // of a command under way
				cancel()
			}()
			if code := run(ctx, append([]string{"junctor", "ips", "export"}, args...), environment{}.get, nil, output, output); code != 1 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}
