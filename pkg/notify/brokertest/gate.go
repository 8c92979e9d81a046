package brokertest

import (
	"net"
	"sync"
	"testing"
)

// Gate stands between a client and a broker, and can fail as networks do.
type Gate struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	shut  bool
	mute  chan struct{} // closed while responses pass
	conns map[net.Conn]bool
}

// NewGate returns an open gate to an address.
func NewGate(t testing.TB, target string) *Gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &Gate{listener: l, target: target, conns: map[net.Conn]bool{}}
	g.Unmute()
	go g.serve()
	t.Cleanup(func() {
		_ = l.Close()
		g.Shut()
	})
	return g
}

// Address is where clients connect to.
func (g *Gate) Address() string { return g.listener.Addr().String() }

// Shut breaks all connections and lets none through.
func (g *Gate) Shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
	for c := range g.conns {
		_ = c.Close()
	}
}

// Open lets connections through again.
func (g *Gate) Open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = false
}

// Mute keeps back what the broker says.
func (g *Gate) Mute() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mute = make(chan struct{})
}

// Unmute lets it pass on the connections that come after a Shut; what was kept back on others is lost with them.
func (g *Gate) Unmute() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mute = make(chan struct{})
	close(g.mute)
}

func (g *Gate) serve() {
	for {
		client, err := g.listener.Accept()
		if err != nil {
			return
		}
		broker, err := net.Dial("tcp", g.target)
		if err != nil || !g.admit(client, broker) {
			_ = client.Close()
			continue
		}
		go g.pass(broker, client, func() {})
		go g.pass(client, broker, g.listen)
	}
}

func (g *Gate) admit(conns ...net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range conns {
		g.conns[c] = true
		if g.shut {
			_ = c.Close()
		}
	}
	return !g.shut
}

// listen returns when responses may pass.
func (g *Gate) listen() {
	g.mu.Lock()
	mute := g.mute
	g.mu.Unlock()
	<-mute
}

func (g *Gate) pass(to, from net.Conn, permitted func()) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		permitted()
		if _, failed := to.Write(buffer[:n]); failed != nil || err != nil {
			return
		}
	}
}
