package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// httpClient is a client whose connections stay open.
type httpClient struct{ *http.Client }

func newBrowser() httpClient {
	return httpClient{&http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: writers, DisableCompression: true},
	}}
}

// request is a request with a token, and JSON or nothing as its body.
type request struct{ method, url, token, body string }

func get(url, token string) request { return request{method: http.MethodGet, url: url, token: token} }

// answer is what came back.
type answer struct {
	header http.Header
	body   []byte
}

// fetch makes a request that has to succeed.
func (b httpClient) fetch(ctx context.Context, r request) (answer, error) {
	resp, err := b.open(ctx, r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return answer{header: resp.Header, body: body}, err
}

// send makes a request that has to succeed, and reads its answer to the end, which the connection needs to be used
// again.
func (b httpClient) send(ctx context.Context, r request) error {
	resp, err := b.open(ctx, r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	size, err := io.Copy(io.Discard, resp.Body)
	if err == nil && size == 0 {
		err = fmt.Errorf("%s %s: nothing came back", r.method, r.url)
	}
	return err
}

func (b httpClient) open(ctx context.Context, r request) (*http.Response, error) {
	var body io.Reader
	if r.body != "" {
		body = strings.NewReader(r.body)
	}
	hr, err := http.NewRequestWithContext(ctx, r.method, r.url, body)
	if err != nil {
		return nil, err
	}
	hr.Header.Set("X-Auth-Token", r.token)
	if r.body != "" {
		hr.Header.Set("Content-Type", "application/json")
	}
	resp, err := b.Do(hr)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer func() { _ = resp.Body.Close() }()
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
		return nil, fmt.Errorf("%s %s: %s %s", r.method, r.url, resp.Status, text)
	}
	return resp, nil
}
