package api

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"

	"junctor/pkg/console"
)

// operations returns the handlers of the paths for whoever runs the service, and of the console. They take no token and
// show nothing of any account.
func (s *Server) operations() map[string]http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { condition{Status: "ok"}.write(w) })
	mux.HandleFunc("GET /readyz", s.readiness)
	mux.Handle("GET /metrics", s.Metrics.Handler())
	mux.HandleFunc("GET /openapi.yaml", describe)
	handlers := map[string]http.Handler{"/healthz": mux, "/readyz": mux, "/openapi.yaml": mux}
	if !s.SeparateMetrics {
		handlers["/metrics"] = mux
	}
	maps.Copy(handlers, s.Console)
	if s.Console != nil {
		handlers["/"] = http.HandlerFunc(s.openConsole)
		handlers[strings.TrimSuffix(console.Root, "/")] = handlers["/"]
	}
	return handlers
}

func (s *Server) readiness(w http.ResponseWriter, r *http.Request) {
	reason := "stopping"
	if !s.http.Stopping() {
		reason = s.Ready(r.Context())
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
