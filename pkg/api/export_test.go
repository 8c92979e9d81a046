package api

import "github.com/gorilla/mux"

// Routes returns every route that is served, as "VERB /path".
func (s *Server) Routes() (routes []string) {
	for _, router := range s.routes.routers {
		_ = router.Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
			res := route.GetHandler().(*resource)
			for verb := range res.methods {
				routes = append(routes, verb+" "+res.path)
			}
			return nil
		})
	}
	return routes
}

// Held returns the bytes that requests hold of the budgets.
func (s *Server) Held() (bodies, responses int64) {
	for _, b := range []*budget{s.smallBodies, s.largeBodies, s.responses} {
		b.mu.Lock()
		defer b.mu.Unlock()
	}
	return s.smallBodies.used + s.largeBodies.used, s.responses.used
}

// ErrorStatuses returns the status of each message that failures have.
func ErrorStatuses() map[string]int {
	statuses := map[string]int{}
	for _, r := range errorResponses {
		statuses[r.message] = r.status
	}
	return statuses
}
