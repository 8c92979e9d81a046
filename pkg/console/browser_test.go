package console_test

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"junctor/pkg/console"
	"junctor/pkg/testutil"
)

// unavailable ends a test that lacks something that this machine does not have. In CI that is a failure.
func unavailable(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// web runs a program of the console's source folder, which has to succeed.
func web(t *testing.T, limit time.Duration, environment []string, program string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		unavailable(t, "no "+program+": install Node 20.19 or later with npm, and run make console")
	}
	if _, err := os.Stat("web/node_modules"); err != nil {
		unavailable(t, "no packages from npm: make console")
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	command := exec.CommandContext(ctx, path, args...)
	command.Dir = "web"
	command.Env = append(os.Environ(), environment...)
	// Servers and browsers that the program has started end with it.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = 10 * time.Second
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	t.Logf("%s", output)
}

// TestTypes checks the types of the console's source.
func TestTypes(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("not short")
	}
	web(t, 3*time.Minute, nil, "node", "node_modules/typescript/bin/tsc", "--noEmit")
}

// chromium returns a browser to test in.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	unavailable(t, "no Chromium for the tests of the console: apt-get install chromium")
	return ""
}

// inBrowser runs a script of web/test, with a junctor of this source and a browser.
func inBrowser(t *testing.T, limit time.Duration, script string, environment ...string) {
	t.Helper()
	browser := chromium(t)
	if !console.Built() {
		unavailable(t, "the console is not built: make console")
	}
	web(t, limit, append(environment, "JUNCTOR_PROGRAM="+testutil.BuildJunctor(t), "JUNCTOR_CHROMIUM="+browser),
		"node", "--test-reporter=spec", script)
}

// TestInBrowser is all of web/test, against servers of its own.
func TestInBrowser(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("not short")
	}
	inBrowser(t, 8*time.Minute, "test/all.mjs")
}

// TestPicturesSoak makes the pictures of docs/console.md again, in the folder that JUNCTOR_PICTURES names.
func TestPictures(t *testing.T) {
	folder := os.Getenv("JUNCTOR_PICTURES")
	if folder == "" {
		t.Skip("JUNCTOR_PICTURES names no folder")
	}
	inBrowser(t, 5*time.Minute, "test/pictures.mjs")
}

// TestLargePoolSoak measures the console on JUNCTOR_ADDRESSES (100000) addresses, and fails on what is beyond its goals
// by far.
func TestLargePoolSoak(t *testing.T) {
	if os.Getenv("JUNCTOR_SOAK") == "" {
		t.Skip("set JUNCTOR_SOAK=1")
	}
	inBrowser(t, 10*time.Minute, "test/large.mjs", "JUNCTOR_ADDRESSES="+cmp.Or(os.Getenv("JUNCTOR_ADDRESSES"), "100000"))
}
