// Package httpclient makes clients for servers that an operator names: other clusters and the billing hook.
//
// Invariant: a client connects to the hosts it is sent to and to nothing else. It follows no redirects, uses no proxy
// of the environment's and keeps no cookies.
package httpclient

import (
	"net"
	"net/http"
	"time"
)

// New returns a client that gives up connecting after a time and opens a number of connections to a host at most. A
// bound on how much of a body is read is the caller's; nothing is decompressed behind its back.
func New(connectTime time.Duration, connections int) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  nil,
			DialContext:            (&net.Dialer{Timeout: connectTime}).DialContext,
			MaxConnsPerHost:        connections,
			MaxIdleConnsPerHost:    connections,
			IdleConnTimeout:        time.Minute,
			MaxResponseHeaderBytes: 16 << 10,
			DisableCompression:     true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
