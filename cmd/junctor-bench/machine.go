package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"junctor/pkg/store"
)

// header says what was measured, on what, and when.
func (b *bench) header(ctx context.Context) (string, error) {
	version, err := exec.CommandContext(ctx, b.program, "version").Output()
	if err != nil {
		return "", fmt.Errorf("%s version: %w", b.program, err)
	}
	parts := []string{strings.TrimSpace(string(version)), runtime.Version()}
	for _, module := range []string{"go.etcd.io/bbolt", "github.com/gorilla/mux", "github.com/go-kivik/kivik/v4"} {
		parts = append(parts, module[strings.Index(module, "/")+1:]+" "+moduleVersion(module))
	}
	if b.couchdb != "" {
		couch, err := store.Ask(ctx, b.couchdb)
		if err != nil {
			return "", err
		}
		parts = append(parts, strings.TrimSpace(couch.Vendor+" CouchDB "+couch.Version))
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s; %d processors, %s; %s\n",
		time.Now().UTC().Format("2006-01-02 15:04 UTC"), runtime.NumCPU(), processor(), kernel())
	fmt.Fprintf(&text, "%s\n", strings.Join(parts, "; "))
	fmt.Fprintf(&text, "medians of %d rounds, a turn of %s each; reads on %d connections; client, server and "+
		"baseline on the same machine\n", b.rounds, b.turn, readers)
	return text.String(), nil
}

func moduleVersion(path string) string {
	info, _ := debug.ReadBuildInfo()
	if info != nil {
		for _, module := range info.Deps {
			if module.Path == path {
				return module.Version
			}
		}
	}
	return "of unknown version"
}

// processor is what the kernel calls the processor, where it tells.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.Trim(name, " \t\n:")
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return strings.TrimSpace(runtime.GOOS + " " + string(release))
}
