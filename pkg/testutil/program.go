package testutil

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// BuildJunctor builds the program and returns its path. It builds as "make build" does, which has compiled most of it.
func BuildJunctor(t testing.TB) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "junctor")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path,
		"junctor/cmd/junctor")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return path
}
