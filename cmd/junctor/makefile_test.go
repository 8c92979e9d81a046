package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMakeInstall: N4. The link sup is made only when asked for, and never over another file.
func TestMakeInstall(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("there is no make")
	}
	makefile, err := filepath.Abs("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	if err := os.MkdirAll(filepath.Join(work, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(work, "bin", "junctor"), "the program")
	install := func(dest string, with ...string) (output string, err error) {
		args := append([]string{"-f", makefile, "-o", "build", "install", "PREFIX=/p", "DESTDIR=" + dest}, with...)
		command := exec.Command("make", args...)
		command.Dir = work
		text, err := command.CombinedOutput()
		if got := readFile(t, filepath.Join(dest, "p", "bin", "junctor")); got != "the program" {
			t.Errorf("installed %q", got)
		}
		return string(text), err
	}

	dest := t.TempDir()
	sup := filepath.Join(dest, "p", "bin", "sup")
	if output, err := install(dest); err != nil || exists(sup) {
		t.Errorf("without WITH_SUP: %v, %s", err, output)
	}
	for range 2 {
		output, err := install(dest, "WITH_SUP=1")
		if target, _ := os.Readlink(sup); err != nil || target != "junctor" {
			t.Errorf("with WITH_SUP: %v, link to %q, %s", err, target, output)
		}
	}
	if err := os.Remove(sup); err != nil {
		t.Fatal(err)
	}
	write(t, sup, "Kazoo's")
	for _, with := range []string{"WITH_SUP=1", "WITH_SUP="} {
		output, err := install(dest, with)
		if failed := err != nil; readFile(t, sup) != "Kazoo's" || failed != (with == "WITH_SUP=1") ||
			failed && !strings.Contains(output, sup+" is there already") {
			t.Errorf("over a sup, %s: %v, %s", with, err, output)
		}
	}
}
