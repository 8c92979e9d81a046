package api

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// record writes the one line about a finished request, and counts it. Paths and queries are not in it: a token may
// stand in either.
func (s *Server) record(r *request, resp response, size int, took time.Duration) {
	s.Metrics.observeRequest(r.resource.path, r.verb, resp.status, took)
	event := r.log.Info()
	if resp.status >= http.StatusInternalServerError {
		event = r.log.Error()
	}
	if r.account != nil {
		event.Str("account", r.account.ID)
	}
	if resp.err != nil {
		event.AnErr("reason", resp.err)
	}
	event.Str("method", r.verb).Str("route", r.resource.path).Int("status", resp.status).
		Dur("duration_ms", took).Int("bytes", size).Msg("request")
}

// logIdentity adds who asks to all further log lines of a request.
func logIdentity(r *request) {
	r.log.UpdateContext(func(c zerolog.Context) zerolog.Context {
		c = c.Str("auth_account", r.identity.AccountID)
		if r.identity.OwnerID != "" {
			c = c.Str("auth_user", r.identity.OwnerID)
		}
		if by := r.identity.By; by != nil { // who logged in to act as somebody else
			c = c.Str("by_account", by.AccountID)
			if by.OwnerID != "" {
				c = c.Str("by_user", by.OwnerID)
			}
		}
		return c
	})
}

// clientOf returns the address a request came from: the peer, or the client that a trusted proxy names. The last entry of
// X-Forwarded-For that is not a trusted proxy counts; those before it could be forged.
func (s *Server) clientOf(r *http.Request) netip.Addr {
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	client := peer.Addr().Unmap()
	forwarded := r.Header.Values("X-Forwarded-For")
	if len(forwarded) == 0 {
		return client
	}
	if !s.trusts(client) {
		s.warnOfProxy(client)
		return client
	}
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusts(client); i-- {
		if strings.TrimSpace(hops[i]) == "" {
			continue
		}
		hop, err := parseHop(hops[i])
		if err != nil {
			break
		}
		client = hop
	}
	return client
}

// parseHop reads an entry of X-Forwarded-For. Besides plain addresses there are those with a port (Azure, IIS), in
// brackets, and in quotes (as in the header Forwarded).
func parseHop(text string) (netip.Addr, error) {
	text = strings.Trim(strings.TrimSpace(text), `"`)
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return withPort.Addr().WithZone("").Unmap(), nil
	}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		text, ok = strings.CutSuffix(inner, "]")
		if !ok || !strings.Contains(text, ":") {
			return netip.Addr{}, errors.New("brackets are for IPv6")
		}
	}
	address, err := netip.ParseAddr(text)
	return address.WithZone("").Unmap(), err
}

// warnOfProxy logs once that a peer may be a proxy that should be trusted. A client can send the header as well, so
// more than one line would let it fill the log.
func (s *Server) warnOfProxy(peer netip.Addr) {
	s.proxyWarning.Do(func() {
		s.Log.Warn().Stringer("peer", peer).Msg("X-Forwarded-For is ignored, since it comes from an address that is not " +
			"in --trusted-proxies; if that is your proxy, add it, or the rate limit takes all its clients for one")
	})
}

func (s *Server) trusts(client netip.Addr) bool {
	for _, prefix := range s.TrustedProxies {
		if prefix.Contains(client) {
			return true
		}
	}
	return false
}
