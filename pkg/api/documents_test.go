package api_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDifferencesDocumented: docs/differences.md has every deliberate difference that the replay of the recordings
// checks.
func TestDifferencesDocumented(t *testing.T) {
	t.Parallel()
	text := readDocument(t, "docs/differences.md")
	var rows []struct{ Difference, Reason string }
	if err := json.Unmarshal([]byte(readDocument(t, "pkg/api/testdata/differences.json")), &rows); err != nil || len(rows) == 0 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		if line := "| " + row.Difference + " | " + row.Reason + " |"; !strings.Contains(text, line) {
			t.Errorf("docs/differences.md lacks the line\n%s", line)
		}
	}
}

// readDocument returns the text of a file of the repository.
func readDocument(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile("../../" + path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestSecurityTables: every row of SECURITY.md about what a request costs names tests, and they exist.
func TestSecurityTables(t *testing.T) {
	t.Parallel()
	text := readDocument(t, "SECURITY.md")
	tests := map[string]bool{}
	err := fs.WalkDir(os.DirFS("../.."), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile("../../" + path)
		for _, match := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(source, -1) {
			tests[string(match[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, line := range strings.Split(text, "\n") {
		named := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(line, -1)
		for _, name := range named {
			if !tests[name[1]] {
				t.Errorf("there is no %s", name[1])
			}
		}
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| request |") {
			if rows++; len(named) == 0 {
				t.Errorf("no test: %s", line)
			}
		}
	}
	if rows < 15 {
		t.Errorf("%d rows", rows)
	}
}
