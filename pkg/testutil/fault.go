package testutil

import (
	"testing"

	"junctor/pkg/fault"
)

// RequireFault ends the test unless err is a fault of a kind.
func RequireFault(t testing.TB, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Fatalf("want a fault of kind %q, got %v", kind, err)
	}
}
