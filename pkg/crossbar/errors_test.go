package crossbar

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"junctor/pkg/fault"
)

// TestEveryKindHasAResponse: no kind of failure is without a status.
func TestEveryKindHasAResponse(t *testing.T) {
	t.Parallel()
	kinds := 0
	for k := fault.Internal; !strings.HasPrefix(k.String(), "kind "); k++ {
		if kinds++; errorResponses[k].status == 0 {
			t.Errorf("no response for %s", k)
		}
	}
	if kinds != len(errorResponses) {
		t.Errorf("%d kinds, %d responses", kinds, len(errorResponses))
	}
}

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
