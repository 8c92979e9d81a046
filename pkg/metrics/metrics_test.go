package metrics_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestMetricsDocumented: docs/operations.md has every metric.
func TestMetricsDocumented(t *testing.T) {
	t.Parallel()
	text, source := read(t, "../../docs/operations.md"), read(t, "metrics.go")+read(t, "watch.go")
	names := regexp.MustCompile(`"(junctor_[a-z_]+)"`).FindAllStringSubmatch(source, -1)
	if len(names) < 20 {
		t.Fatalf("%d metrics", len(names))
	}
	for _, name := range names {
		if !strings.Contains(text, "`"+name[1]+"`") {
			t.Errorf("docs/operations.md has no %s", name[1])
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
