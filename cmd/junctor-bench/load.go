package main

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// operation is what is done over and over, by one of several clients. Every client has its own number.
type operation func(ctx context.Context, client int) error

// sample is what one turn gave.
type sample struct {
	Done     int           `json:"done"`
	Rate     float64       `json:"rate"` // operations a second
	P50      time.Duration `json:"p50"`
	P99      time.Duration `json:"p99"`
	Attempts float64       `json:"attempts"` // writes to the pool for each address that was allocated; else 0
}

// repeat has so many clients do an operation, each one after the other, until the turn is over. The first failure
// ends it.
func repeat(ctx context.Context, clients int, turn time.Duration, do operation) (sample, error) {
	took := make([][]time.Duration, clients)
	crew, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	for client := range clients {
		crew.Go(func() error {
			for start := began; start.Sub(began) < turn; {
				if err := do(ctx, client); err != nil {
					return err
				}
				end := time.Now()
				took[client] = append(took[client], end.Sub(start))
				start = end
			}
			return nil
		})
	}
	if err := crew.Wait(); err != nil {
		return sample{}, err
	}
	return summarize(slices.Concat(took...), time.Since(began)), nil
}

func summarize(took []time.Duration, whole time.Duration) sample {
	slices.Sort(took)
	n := len(took)
	return sample{Done: n, Rate: float64(n) / whole.Seconds(), P50: took[n/2], P99: took[n*99/100]}
}
