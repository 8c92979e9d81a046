package api_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"junctor/pkg/api"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

// pipes is a listener whose connections have no buffers and know the time of a synctest bubble.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	held   func() (bodies, responses int64) // by the server's requests
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

// inBubble serves the recorded database in a bubble, where waiting takes no time.
func inBubble(t *testing.T, prepare func(*testing.T, *store.Store), test func(t *testing.T, p *pipes, token string)) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.Open(t, "memory:")
		loadKazoo(t, s)
		prepare(t, s)
		var clock clock
		clock.set(recorded)
		c := newConfig(t, s, clock.now)
		ctx, cancel := context.WithCancel(t.Context())
		var following sync.WaitGroup
		following.Go(func() { c.Pool.Follow(ctx, time.Minute) })
		defer following.Wait()
		defer cancel()
		handler := api.New(c)
		p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{}), held: handler.Held}
		server := handler.HTTP()
		go func() { _ = server.Serve(p) }()
		defer func() { _ = server.Close() }()
		doc, err := s.Get(t.Context(), "accounts", accountA)
		if err != nil {
			t.Fatal(err)
		}
		grant, err := c.Issuer.APIKey(t.Context(), doc.String("pvt_api_key"))
		if err != nil {
			t.Fatal(err)
		}
		keep(grant.Token)
		for !c.Pool.FromMemory() {
			time.Sleep(time.Millisecond)
		}
		test(t, p, grant.Token)
	})
}
