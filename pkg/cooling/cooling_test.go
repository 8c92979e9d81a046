package cooling

import "testing"

func TestRule(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ seconds, now, released, until int64 }{
		{60, 1000, 1000, 1060},
		{60, 1059, 1000, 1060},
		{60, 1060, 1000, 0},
		{60, 990, 1000, 1060}, // another server's clock is ahead
		{0, 1000, 1000, 0},
		{-60, 1000, 1000, 0},
		{0, 1000, 2000, 0},
	} {
		if until := (Rule{Seconds: test.seconds, Now: test.now}).Until(test.released); until != test.until {
			t.Errorf("%+v: %d", test, until)
		}
	}
}
