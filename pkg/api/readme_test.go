package api_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestReadme: people read of every deliberate difference what the replay of the recordings checks.
func TestReadme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile("testdata/differences.json")
	if err != nil {
		t.Fatal(err)
	}
	var rows []struct{ Difference, Reason string }
	if err := json.Unmarshal(table, &rows); err != nil || len(rows) == 0 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		if line := "| " + row.Difference + " | " + row.Reason + " |"; !strings.Contains(string(readme), line) {
			t.Errorf("README.md lacks the line\n%s", line)
		}
	}
}
