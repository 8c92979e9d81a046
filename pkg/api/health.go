package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// readyTime bounds how long /readyz and /metrics wait for the store.
const readyTime = 5 * time.Second

// operations returns the handlers of the paths for whoever runs the service. They take no token and show nothing of any
// account.
func (s *Server) operations() map[string]http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { condition{Status: "ok"}.write(w) })
	mux.HandleFunc("GET /readyz", s.readiness)
	mux.Handle("GET /metrics", s.Metrics.handler())
	all := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.lameDuck.Load() {
			w.Header().Set("Connection", "close")
		}
		mux.ServeHTTP(w, r)
	})
	handlers := map[string]http.Handler{"/healthz": all, "/readyz": all}
	if !s.SeparateMetrics {
		handlers["/metrics"] = all
	}
	return handlers
}

// MetricsHTTP returns the http.Server for a listener that serves /metrics and nothing else.
func (s *Server) MetricsHTTP() *http.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.Metrics.handler())
	h := s.HTTP()
	h.Handler = mux
	return h
}

// LameDuck announces the end of the server: requests are served as before, but /readyz responds 503 with the reason
// "stopping", and every response closes its connection, so that clients and balancers go elsewhere.
func (s *Server) LameDuck() { s.lameDuck.Store(true) }

func (s *Server) readiness(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	reason := "stopping"
	if !s.lameDuck.Load() {
		reason = s.Ready(ctx)
	}
	if reason != "" {
		condition{Status: "unavailable", Reason: reason}.write(w)
		return
	}
	condition{Status: "ok"}.write(w)
}

// condition is the body of /healthz and /readyz.
type condition struct {
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"` // why Status is not "ok"
}

func (c condition) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if c.Reason != "" {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(c)
}

// errorLog passes on what net/http has to say, as the log's own lines.
type errorLog struct{ log zerolog.Logger }

// Write logs one line.
func (l errorLog) Write(line []byte) (int, error) {
	l.log.Warn().Str("from", "net/http").Msg(strings.TrimSpace(string(line)))
	return len(line), nil
}
