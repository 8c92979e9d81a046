package crossbar

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestErrorsDocumented: docs/api.md has every status and message that a failure becomes.
func TestErrorsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range errorResponses {
		if row := fmt.Sprintf("\n| %d | `%s` | ", r.status, r.message); !strings.Contains(string(text), row) {
			t.Errorf("docs/api.md has no row that begins with %s", row)
		}
	}
}
