package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/mux"
)

// canned is an answer that is given to every request of a route.
type canned struct {
	Route  string      `json:"route"`
	Header http.Header `json:"header"`
	Body   []byte      `json:"body"`
}

func (c canned) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	for name, values := range c.Header {
		w.Header()[name] = values
	}
	_, _ = w.Write(c.Body)
}

// serveCanned is a bare gorilla/mux handler: the least that a response over HTTP can cost here.
func serveCanned(ctx context.Context, c *coordinator) error {
	var response canned
	if err := c.in.Decode(&response); err != nil {
		return err
	}
	response.Header.Del("Date") // net/http sets it
	router := mux.NewRouter()
	router.Handle(response.Route, response).Methods(http.MethodGet)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: router, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	err = c.serve(ctx, "http://"+listener.Addr().String(), nil)
	_ = server.Close()
	<-served
	return err
}
