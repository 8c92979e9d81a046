package fresh_test

import (
	"testing"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fresh"
)

// TestInquiryBasis: a decision stands until one of its documents changes, appears or goes.
func TestInquiryBasis(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(t *testing.T, w *fresh.Writer)
		stands bool
	}{
		"nothing": {func(*testing.T, *fresh.Writer) {}, true},
		"changed": {func(t *testing.T, w *fresh.Writer) { set(t, w, 1) }, false},
		"made":    {func(t *testing.T, w *fresh.Writer) { put(t, w, document.Document{"_id": "nobody"}) }, false},
		"another": {func(t *testing.T, w *fresh.Writer) { put(t, w, document.Document{"_id": "another"}) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, "memory:")
			d := fresh.New(s, fresh.Options{Staleness: time.Hour})
			q := d.Inquire()
			is(t, q, 0)
			if _, err := q.Get(t.Context(), db, "nobody"); err == nil {
				t.Fatal("there is nobody")
			}
			c.change(t, d.Writing(s))
			if got := d.Stands(q.Basis()); got != c.stands {
				t.Errorf("stands: %v", got)
			}
			if _, err := d.Get(t.Context(), db, "nobody"); err == nil && c.stands {
				t.Error("there is somebody")
			}
			got(t, d)
			if got := d.Stands(q.Basis()); got != c.stands {
				t.Errorf("stands, read again: %v", got)
			}
		})
	}
}

// TestInquiryAgain: what was only remembered can be read again, once in a while.
func TestInquiryAgain(t *testing.T) {
	t.Parallel()
	c := &counting{Store: open(t, "memory:")}
	d := fresh.New(c, fresh.Options{Staleness: time.Hour})
	first := d.Inquire()
	is(t, first, 0)
	if first.Again() {
		t.Error("nothing was remembered")
	}
	second := d.Inquire()
	is(t, second, 0)
	set(t, c.Store, 1)
	is(t, d, 0)
	if !second.Again() {
		t.Error("it was remembered")
	}
	third := d.Inquire()
	is(t, third, 1)
	fourth := d.Inquire()
	is(t, fourth, 1)
	if third.Again() || fourth.Again() {
		t.Error("again, a moment later")
	}
	if reads := c.reads.Load(); reads != 2 {
		t.Errorf("%d reads", reads)
	}
}
