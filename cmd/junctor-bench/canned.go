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

// serveCanned is a bare gorilla/mux handler: the least that an answer over HTTP can cost here.
func serveCanned(ctx context.Context, b *boss) error {
	var c canned
	if err := b.in.Decode(&c); err != nil {
		return err
	}
	c.Header.Del("Date") // is put on by net/http
	router := mux.NewRouter()
	router.Handle(c.Route, c).Methods(http.MethodGet)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: router, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	err = b.serve(ctx, "http://"+listener.Addr().String(), nil)
	_ = server.Close()
	<-served
	return err
}
