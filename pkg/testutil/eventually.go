package testutil

import (
	"testing"
	"time"
)

// Patience is how long a test waits for something that has to happen.
const Patience = time.Minute

// Eventually waits until a condition holds, and ends the test if it does not within Patience. what names the condition;
// details, such as a Log, are printed as they are by then.
func Eventually(t testing.TB, what string, condition func() bool, details ...any) {
	t.Helper()
	for end := time.Now().Add(Patience); !condition(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s %v", Patience, what, details)
		}
	}
}
