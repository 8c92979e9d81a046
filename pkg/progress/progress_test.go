package progress

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// show shows the progress of a command of ten seconds, a hundred times a second.
func show(terminal bool) string {
	var b bytes.Buffer
	p := New(&b, terminal)
	for n := range int64(1000) {
		time.Sleep(10 * time.Millisecond)
		p.Show(n+1, 1000, fmt.Sprintf("%d documents", n+1))
	}
	p.End()
	return b.String()
}

func TestElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lines := strings.SplitAfter(show(false), "\n")
		if len(lines) != 11 || lines[0] != "10% 100 documents\n" || lines[9] != "100% 1000 documents\n" {
			t.Errorf("shown %q", lines)
		}
	})
}

func TestTerminal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		steps := strings.Split(show(true), "\r\x1b[K")
		if len(steps) != 102 || steps[50] != "[##########..........]  50% 500 documents" || steps[101] != "" {
			t.Errorf("shown %q", steps)
		}
		for _, step := range steps {
			if strings.Contains(step, "\n") {
				t.Errorf("a line ends: %q", step)
			}
		}
	})
}

func TestUnknownTotal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		p := New(&b, true)
		time.Sleep(time.Second)
		p.Show(5, 0, strings.Repeat("ä", 100))
		if want := "\r\x1b[K" + strings.Repeat("ä", 78) + "…"; b.String() != want {
			t.Errorf("shown %q", b.String())
		}
	})
}
