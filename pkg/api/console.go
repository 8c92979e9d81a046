package api

import (
	"net/http"
	"strings"

	"junctor/pkg/console"
	"junctor/pkg/crossbar"
)

// openConsole redirects to the console who opens the root of the server in a browser, or the console without the slash at
// its end. Other clients get the 404 of the API. The location is relative, since a proxy may serve all of this below a
// prefix.
func (s *Server) openConsole(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || r.URL.Path == "/" && !acceptsHTML(r.Header) {
		s.http.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Location", strings.TrimPrefix(console.Root, "/"))
	w.Header().Set("Vary", "Accept")
	w.WriteHeader(http.StatusFound)
}

// acceptsHTML reports whether Accept contains text/html by name.
func acceptsHTML(h http.Header) bool {
	accepted, _ := crossbar.Accepts(h, func(media string) bool { return media == "text/html" })
	return accepted
}
