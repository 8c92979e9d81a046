package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
	"golang.org/x/sync/errgroup"
)

// operation is what one of several clients does over and over. Clients are numbered from 0.
type operation func(ctx context.Context, client int) error

// sample is the result of one turn.
type sample struct {
	rate     float64 // operations a second
	p50, p99 time.Duration
}

// repeat has clients do an operation, each one after the other, until the turn is over. The first error ends it.
//
// It is a loop of our own since Vegeta, which has the open loop below, takes 10 µs more for a request in a closed one. On
// the machine of the server that is part of every ratio.
func repeat(ctx context.Context, clients int, turn time.Duration, do operation) (sample, error) {
	took := make([][]time.Duration, clients)
	group, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	for client := range clients {
		group.Go(func() error {
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
	if err := group.Wait(); err != nil {
		return sample{}, err
	}
	elapsed := time.Since(began)
	all := slices.Sorted(slices.Values(slices.Concat(took...)))
	n := len(all)
	return sample{rate: float64(n) / elapsed.Seconds(), p50: all[n/2], p99: all[n*99/100]}, nil
}

// target is what a client reads: the path with the query, and the token to read it with.
type target struct{ path, token string }

// attack reads targets at a rate, whether or not responses come in time.
func attack(
	ctx context.Context, url string, targets []target, rate int, lasting time.Duration,
) (vegeta.LatencyMetrics, error) {
	requests := make([]vegeta.Target, len(targets))
	for i, t := range targets {
		requests[i] = vegeta.Target{
			Method: http.MethodGet, URL: url + t.path, Header: http.Header{"X-Auth-Token": {t.token}},
		}
	}
	const most = 500 // under way at once: junctor refuses more than 1,024, and a process may have as few files
	attacker := vegeta.NewAttacker(vegeta.MaxWorkers(most), vegeta.Connections(most))
	defer context.AfterFunc(ctx, func() { attacker.Stop() })()
	var metrics vegeta.Metrics
	for result := range attacker.Attack(
		vegeta.NewStaticTargeter(requests...), vegeta.Rate{Freq: rate, Per: time.Second}, lasting, "",
	) {
		metrics.Add(result)
	}
	metrics.Close()
	if metrics.Requests == 0 || metrics.Success < 1 {
		return metrics.Latencies, fmt.Errorf("%.1f %% of the requests succeeded: %q", 100*metrics.Success, metrics.Errors)
	}
	return metrics.Latencies, nil
}

// client is an HTTP client whose connections stay open.
type client struct{ *http.Client }

func newClient() client {
	return client{&http.Client{
		Timeout:   time.Minute,
		Transport: &http.Transport{MaxIdleConnsPerHost: writers, DisableCompression: true},
	}}
}

// send makes a request, which has to succeed, and copies the body of the response to w.
func (c client) send(ctx context.Context, method, url, token, body string, w io.Writer) (http.Header, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("X-Auth-Token", token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
		return nil, fmt.Errorf("%s %s: %s %s", method, url, resp.Status, text)
	}
	n, err := io.Copy(w, resp.Body)
	if err == nil && n == 0 {
		err = errors.New(method + " " + url + ": the response is empty")
	}
	return resp.Header, err
}

// get has each client read targets, one after the other, from a server.
func (c client) get(url string, targets []target) operation {
	var next [readers]int
	for client := range next {
		next[client] = client * len(targets) / readers
	}
	return func(ctx context.Context, client int) error {
		t := targets[next[client]%len(targets)]
		next[client]++
		_, err := c.send(ctx, http.MethodGet, url+t.path, t.token, "", io.Discard)
		return err
	}
}

// await calls done, with pauses, until it returns true or an error, or ctx ends.
func await(ctx context.Context, pause time.Duration, done func() (bool, error)) error {
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
