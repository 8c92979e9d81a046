package crossbar

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/fault"
	"junctor/pkg/tracing"
)

// record writes the one line about a finished request, and counts it. Paths and queries are not in it: a token may
// stand in either.
func (s *Server) record(r *Request, resp response, size int, took time.Duration) {
	if s.Observe != nil {
		method := r.verb
		if !knownMethods[method] {
			method = "(other)"
		}
		s.Observe(Finished{r.resource.Path, method, resp.status, resp.err, took})
	}
	if r.span != nil {
		tracing.End(r.span, r.verb, r.resource.Path, resp.status)
	}
	event := r.log.Info()
	if resp.status >= http.StatusInternalServerError && !clientsMistake(resp.err) {
		event = r.log.Error()
	}
	if r.Account != nil {
		event.Str("account", r.Account.ID)
	}
	if resp.err != nil {
		event.AnErr("reason", resp.err)
		if e, ok := errors.AsType[*fault.Error](resp.err); ok {
			if fields, ok := e.Data.(fault.Fields); ok { // not their paths, which may be the client's
				event.Strs("codes", fields.Codes())
			}
		}
	}
	event.Str("method", r.verb).Str("route", r.resource.Path).Int("status", resp.status).
		Dur("duration_ms", took).Int("bytes", size).Msg("request")
}

// clientsMistake reports whether a failure with a status above 499 was caused by what the client asked for: a method that
// nobody knows, or a schema that does not exist. Crossbar responds 501 and 500.
func clientsMistake(err error) bool {
	return fault.Is(err, fault.NotImplemented) || fault.Is(err, fault.SchemaUnusable)
}

// logIdentity adds who asks to all further log lines of a request.
func logIdentity(r *Request) {
	r.log.UpdateContext(func(c zerolog.Context) zerolog.Context {
		if r.Identity.LookupKey != "" {
			return c.Str("lookup_key", r.Identity.LookupKey)
		}
		c = c.Str("auth_account", r.Identity.AccountID)
		if r.Identity.OwnerID != "" {
			c = c.Str("auth_user", r.Identity.OwnerID)
		}
		if by := r.Identity.By; by != nil { // who logged in to act as somebody else
			c = c.Str("by_account", by.AccountID)
			if by.OwnerID != "" {
				c = c.Str("by_user", by.OwnerID)
			}
		}
		return c
	})
}

// errorLog passes on what net/http has to say, as the log's own lines.
type errorLog struct{ log zerolog.Logger }

// Write logs one line.
func (l errorLog) Write(line []byte) (int, error) {
	l.log.Warn().Str("from", "net/http").Msg(strings.TrimSpace(string(line)))
	return len(line), nil
}
