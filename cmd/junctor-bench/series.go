package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// series is something that is measured, once in every round.
type series struct {
	what, where string
	unit        unit
	turn        func(ctx context.Context, turn time.Duration) (sample, error)
	samples     []sample
}

// unit is what a rate counts.
type unit struct {
	name string
	each float64 // so many of it in one operation
}

var (
	requests  = unit{"req/s", 1}
	reads     = unit{"reads/s", 1}
	documents = unit{"docs/s", changesEach}
)

// take gives the series its turn. What was measured has to be something.
func (s *series) take(ctx context.Context, turn time.Duration) error {
	got, err := s.turn(ctx, turn)
	if err == nil && (got.Done < 1 || got.Rate <= 0 || got.P50 <= 0 || got.P99 < got.P50) {
		err = fmt.Errorf("this can't be: %+v", got)
	}
	if err != nil {
		return fmt.Errorf("%s, %s: %w", s.what, s.where, err)
	}
	s.samples = append(s.samples, got)
	return nil
}

// median returns the middle one of a figure.
func (s *series) median(figure func(sample) float64) float64 {
	figures := make([]float64, len(s.samples))
	for i, got := range s.samples {
		figures[i] = figure(got)
	}
	return median(figures)
}

func (s *series) rate() float64 {
	return s.unit.each * s.median(func(got sample) float64 { return got.Rate })
}

// pair is a series and what stands beside it.
type pair struct {
	ours, beside *series
	target       float64 // what the ratio should be at least; 0 is nothing in particular
}

// ratio is the median of the rounds' ratios: the two were measured next to each other in each.
func (p pair) ratio() float64 {
	ratios := make([]float64, len(p.ours.samples))
	for i, got := range p.ours.samples {
		ratios[i] = got.Rate * p.ours.unit.each / (p.beside.samples[i].Rate * p.beside.unit.each)
	}
	return median(ratios)
}

// median returns the middle one, and of an even number the lower of the two there.
func median[T int64 | float64 | time.Duration](figures []T) T {
	sorted := slices.Sorted(slices.Values(figures))
	return sorted[(len(sorted)-1)/2]
}
