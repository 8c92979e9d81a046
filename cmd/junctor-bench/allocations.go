package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// allocate asks for any one address, and answers which it is; none is a server that does not know what is asked.
func (p *phase) allocate(ctx context.Context, w *world, t tenant) (address string, err error) {
	got, err := p.http.fetch(ctx, request{
		method: http.MethodPost, url: w.ips(t), token: t.token, body: `{"data":{"quantity":1}}`,
	})
	if err != nil {
		return "", err
	}
	var envelope struct {
		Data struct {
			IPs []string `json:"ips"`
		} `json:"data"`
	}
	if err := json.Unmarshal(got.body, &envelope); err != nil || len(envelope.Data.IPs) == 0 {
		return "", err
	}
	return envelope.Data.IPs[0], nil
}

func (p *phase) release(ctx context.Context, w *world, t tenant, address string) error {
	return p.http.send(ctx, request{method: http.MethodDelete, url: w.ips(t) + "/" + address, token: t.token})
}

// allocates finds out whether a world's server allocates addresses.
func (p *phase) allocates(ctx context.Context, w *world) (bool, error) {
	t, _ := w.tenant(0)
	address, err := p.allocate(ctx, w, t)
	if err != nil || address == "" {
		return false, err
	}
	return true, p.release(ctx, w, t, address)
}

// allocateAndRelease has every client allocate any address to its account, and release that. It notes how many writes
// to the pool an allocation took: what the server counts, without those that releases take.
func (p *phase) allocateAndRelease(ctx context.Context, w *world, clients int, turn time.Duration) (sample, error) {
	before, err := p.poolWrites(ctx, w)
	if err != nil {
		return sample{}, err
	}
	got, err := repeat(ctx, clients, turn, func(ctx context.Context, client int) error {
		t, _ := w.tenant(client)
		address, err := p.allocate(ctx, w, t)
		if err == nil && address == "" {
			err = errors.New("no address was allocated")
		}
		if err != nil {
			return err
		}
		return p.release(ctx, w, t, address)
	})
	if err != nil {
		return sample{}, err
	}
	after, err := p.poolWrites(ctx, w)
	got.Attempts = (after-before)/float64(got.Done) - 1
	return got, err
}

// poolWrites returns how many times a server has tried to write to the pool: one document, or several.
func (p *phase) poolWrites(ctx context.Context, w *world) (total float64, err error) {
	got, err := p.http.fetch(ctx, request{method: http.MethodGet, url: w.server.url + "/metrics"})
	if err != nil {
		return 0, err
	}
	for lines := bufio.NewScanner(bytes.NewReader(got.body)); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if !strings.HasPrefix(name, "junctor_store_call_duration_seconds_count{") ||
			!strings.Contains(name, `database="dedicated_ips"`) || !strings.Contains(name, `operation="put`) {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}
