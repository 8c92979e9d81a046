package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// given is a series that takes these samples, one after the other.
func given(what string, u unit, samples ...sample) *series {
	return &series{what: what, where: "here", unit: u, turn: func(context.Context, time.Duration) (sample, error) {
		next := samples[0]
		samples = samples[1:]
		return next, nil
	}}
}

func rates(perSecond ...float64) (samples []sample) {
	for _, rate := range perSecond {
		samples = append(samples, sample{Done: 1, Rate: rate, P50: time.Millisecond, P99: 2 * time.Millisecond})
	}
	return samples
}

// TestRatioIsOfPairs: a round in which both were slow counts as any other, which the ratio of medians would not show.
func TestRatioIsOfPairs(t *testing.T) {
	t.Parallel()
	ours := given("ours", requests, rates(100, 10, 90)...)
	bare := given("bare", requests, rates(200, 20, 900)...)
	for range 3 {
		for _, s := range []*series{ours, bare} {
			if err := s.take(t.Context(), time.Second); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := pair{ours: ours, beside: bare, target: 0.6}.line()
	want := line{what: "ours", where: "here", figure: "90 req/s", p50: "1.00 ms", p99: "2.00 ms",
		beside: "bare", other: "200 req/s", ratio: "0.50", target: "≥ 0.6, missed"}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestRatioOfUnits(t *testing.T) {
	t.Parallel()
	ours, bare := given("ours", documents), given("bare", reads)
	ours.samples, bare.samples = rates(1000), rates(1000)
	if got := (pair{ours: ours, beside: bare, target: 4}).line(); got.ratio != "4.00" || got.target != "≥ 4, met" ||
		got.figure != "4,000 docs/s" {
		t.Errorf("%+v", got)
	}
}

// TestNothingIsNoSample: what measured nothing does not get into the table.
func TestNothingIsNoSample(t *testing.T) {
	t.Parallel()
	for _, bad := range []sample{
		{}, {Done: 1, Rate: 1}, {Done: 1, P50: 1, P99: 1}, {Done: 1, Rate: 1, P50: 2, P99: 1}, {Rate: 1, P50: 1, P99: 1},
	} {
		s := given("something", requests, bad)
		if err := s.take(t.Context(), time.Second); err == nil || !strings.HasPrefix(err.Error(), "something, here: ") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestRepeat(t *testing.T) {
	t.Parallel()
	const turn = 20 * time.Millisecond
	counts := make([]int, 3)
	got, err := repeat(t.Context(), len(counts), turn, func(_ context.Context, client int) error {
		counts[client]++
		time.Sleep(time.Millisecond)
		return nil
	})
	if err != nil || got.Done != counts[0]+counts[1]+counts[2] || slices.Min(counts) < 1 {
		t.Errorf("%+v of %d, %v", got, counts, err)
	}
	if got.P50 < time.Millisecond || got.P99 < got.P50 || got.Rate > 3000 || got.Rate <= 0 {
		t.Errorf("%+v", got)
	}
}

func TestRepeatEndsWithAFailure(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	_, err := repeat(t.Context(), 2, time.Hour, func(ctx context.Context, client int) error {
		if client == 1 {
			return broken
		}
		<-ctx.Done()
		return ctx.Err()
	})
	if !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	text := format([]line{{what: "a", target: "≥ 0.6, met"}, {what: "bcde"}})
	rows := strings.Split(strings.TrimSpace(text), "\n")
	for _, row := range rows {
		if len([]rune(row)) != len([]rune(rows[0])) || strings.Count(row, "|") != 10 {
			t.Fatalf("ragged:\n%s", text)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	none := func(string) string { return "" }
	s, err := parse([]string{"--sizes", "100000, 1000,1000"}, none, t.Output())
	if err != nil || len(s.sizes) != 2 || s.sizes[0] != 1000 || s.sizes[1] != 100_000 {
		t.Errorf("%+v, %v", s, err)
	}
	for _, bad := range [][]string{
		{"--sizes", "10"}, {"--sizes", "1000,"}, {"--sizes", "99999999"}, {"--rounds", "0"}, {"--turn", "0s"}, {"more"},
	} {
		if _, err := parse(bad, none, t.Output()); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
