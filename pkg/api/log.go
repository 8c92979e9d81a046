package api

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"junctor/pkg/fault"
)

// record writes the one line about a finished request, and counts it. Paths and queries are not in it: a token may
// stand in either.
func (s *Server) record(r *request, a answer, size int, took time.Duration) {
	s.Metrics.observeRequest(r.label(), r.verb, a.status, took)
	event := r.log.Info()
	if a.status >= http.StatusInternalServerError {
		event = r.log.Error()
	}
	if r.identity != nil {
		event.Str("auth_account", r.identity.AccountID)
	}
	if r.account != nil {
		event.Str("account", r.account.ID)
	}
	if reason := reason(r, a); reason != nil {
		event.AnErr("reason", reason)
	}
	event.Str("method", r.verb).Str("route", r.label()).Int("status", a.status).
		Dur("duration_ms", took).Int("bytes", size).Stringer("client", s.client(r.Request)).Msg("request")
}

// reason is why a request got no success: why its token was refused, where that is what counted.
func reason(r *request, a answer) error {
	if fault.Is(a.err, fault.Unauthenticated) && r.refused != nil {
		return r.refused
	}
	return a.err
}

// client is the address a request came from: the peer, or whom a trusted proxy says it speaks for. The last entry
// of X-Forwarded-For that is no trusted proxy counts; those before it are hearsay.
func (s *Server) client(r *http.Request) netip.Addr {
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	client := peer.Addr().Unmap()
	if !s.trusts(client) {
		return client
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusts(client); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		client = hop.Unmap()
	}
	return client
}

func (s *Server) trusts(client netip.Addr) bool {
	for _, prefix := range s.TrustedProxies {
		if prefix.Contains(client) {
			return true
		}
	}
	return false
}
