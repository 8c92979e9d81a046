package embedded

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestFullDisk is about R9: a store on a full disk is not ready, and is again once there is room.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := syscall.Mount("none", folder, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("can't mount a small disk: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(folder, syscall.MNT_DETACH) })
	client := openStore(t, folder)
	put(t, createDB(t, client, "db"), "a", `{}`)
	wantPing(t, client, true)

	filler := filepath.Join(folder, "filler")
	if err := os.WriteFile(filler, make([]byte, 8<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	_, err := client.Ping(t.Context())
	wantError(t, err, http.StatusInsufficientStorage, "no space left on device")
	get(t, client.DB("db"), "a")

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	wantPing(t, client, true)
	left, err := filepath.Glob(filepath.Join(folder, ".junctor*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
