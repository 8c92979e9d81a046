package kazoo_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"junctor/pkg/kazoo"
)

const someID = "aa2b36ac6a5edb290159cd1298283322"

func TestIsID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		someID: true, strings.ToUpper(someID): false, someID[1:]: false, someID + "0": false, "": false,
		someID + "\n": false, "\n" + someID[1:]: false, strings.Repeat("g", 32): false, strings.Repeat("a", 1<<20): false,
		"_design/" + someID[8:]: false, "../" + someID[3:]: false, "%2e%2e%2f" + someID[9:]: false,
		strings.Repeat("а", 16): false, strings.Repeat("０", 32): false, someID[:31] + "\x00": false,
	} {
		if got := kazoo.IsID(id); got != want {
			t.Errorf("%.80q: %v", id, got)
		}
	}
}

// FuzzIsID holds that an id that is taken is one segment of any path, as it is.
func FuzzIsID(f *testing.F) {
	f.Add(someID)
	f.Add("_design/junctor")
	f.Add("..%2f..%2f" + someID)
	f.Fuzz(func(t *testing.T, id string) {
		if kazoo.IsID(id) != (len(id) == 32 && strings.Trim(id, "0123456789abcdef") == "") {
			t.Errorf("%q", id)
		}
		if kazoo.IsID(id) && url.PathEscape(id) != id {
			t.Errorf("%q is not the same in a path", id)
		}
	})
}

func TestAlphanumeric(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"": "", "Müller & Söhne 2": "mllershne2", "a-B_c": "abc", "\u212a": ""} {
		if got := kazoo.Alphanumeric(name); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
}

func TestGregorian(t *testing.T) {
	t.Parallel()
	// The moment a recorded document of Kazoo was created, and the ends of its calendar.
	for seconds, want := range map[int64]string{
		63962540387: "2026-11-22T04:19:47Z",
		62167219200: "1970-01-01T00:00:00Z",
		0:           "0000-01-01T00:00:00Z",
	} {
		at := kazoo.FromGregorian(seconds)
		if at.Format(time.RFC3339) != want || kazoo.Gregorian(at) != seconds {
			t.Errorf("%d is %s", seconds, at.Format(time.RFC3339))
		}
	}
}
