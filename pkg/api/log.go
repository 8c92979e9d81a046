package api

import (
	"net/http"
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
