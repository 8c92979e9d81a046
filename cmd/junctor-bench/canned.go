package main

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/gorilla/mux"
)

// canned is the response to every request of a route.
type canned struct {
	Route  string
	Header http.Header
	Body   []byte
}

// newCanned returns a bare gorilla/mux handler of a canned response: the least that a response over HTTP costs.
func newCanned(_ context.Context, setup json.RawMessage) (http.Handler, error) {
	var response canned
	if err := json.Unmarshal(setup, &response); err != nil {
		return nil, err
	}
	response.Header.Del("Date") // net/http sets it
	router := mux.NewRouter()
	router.HandleFunc(response.Route, func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range response.Header {
			w.Header()[name] = values
		}
		_, _ = w.Write(response.Body)
	}).Methods(http.MethodGet)
	return router, nil
}
