package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// operational are the paths for whoever runs the service. They take no token and show nothing of any account.
var operational = map[string]bool{"/healthz": true, "/readyz": true, "/metrics": true}

// readyTime bounds how long /readyz waits for the store.
const readyTime = 5 * time.Second

func (s *Server) operations() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { state(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", s.readiness)
	mux.Handle("GET /metrics", s.Metrics.handler())
	return mux
}

func (s *Server) readiness(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		s.Log.Warn().Err(err).Msg("not ready")
		state(w, http.StatusServiceUnavailable, "the store can't be used; the log says why")
		return
	}
	state(w, http.StatusOK, "ok")
}

func state(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"status":"` + text + `"}` + "\n"))
}

// errorLog passes on what net/http has to say, as the log's own lines.
type errorLog struct{ log zerolog.Logger }

// Write logs one line.
func (l errorLog) Write(line []byte) (int, error) {
	l.log.Warn().Str("from", "net/http").Msg(strings.TrimSpace(string(line)))
	return len(line), nil
}
