package api

// Routes returns every route that is served, as "VERB /path".
func (s *Server) Routes() (routes []string) {
	for _, res := range s.tableOfContents() {
		for verb := range res.Methods {
			routes = append(routes, verb+" "+res.Path)
		}
	}
	return routes
}

// Held returns the bytes that requests hold of the budgets.
func (s *Server) Held() (bodies, responses int64) { return s.http.Held() }
