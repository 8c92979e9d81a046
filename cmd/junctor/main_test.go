package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// TestLogTimes: log lines tell milliseconds (N12).
func TestLogTimes(t *testing.T) {
	t.Parallel()
	s := start(t, "--store", "memory:")
	wanted := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)$`)
	for _, line := range strings.Split(strings.TrimSpace(s.stderr.String()), "\n") {
		var event struct{ Time string }
		if err := json.Unmarshal([]byte(line), &event); err != nil || !wanted.MatchString(event.Time) {
			t.Errorf("%s: %v", line, err)
		}
	}
}
