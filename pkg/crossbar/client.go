package crossbar

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"junctor/pkg/ipaddr"
)

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
	address, err := netip.ParseAddr(ipaddr.Unbracket(text))
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
	return slices.ContainsFunc(s.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(client) })
}
