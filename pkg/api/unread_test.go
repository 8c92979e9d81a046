package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/store"
)

// available puts n addresses of a zone with a long name into a pool.
func available(t *testing.T, s *store.Store, n int) {
	docs := make([]document.Document, n)
	for i := range docs {
		docs[i] = document.Document{
			"_id": fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), "pvt_type": "dedicated_ip", "pvt_status": "available",
			"pvt_zone": strings.Repeat("z", 200), "pvt_host": "h",
		}
	}
	written, err := s.PutMany(t.Context(), "dedicated_ips", docs)
	if err != nil || written[0].Err != nil {
		t.Fatal(err, written[:1])
	}
}

// TestUnreadResponses: responses that nobody reads are bounded in bytes, half of them for one account, and are given
// up after ten seconds (S6).
func TestUnreadResponses(t *testing.T) {
	const rows, clients = 10_000, 100
	inBubble(t, func(t *testing.T, s *store.Store) { available(t, s, rows) }, func(t *testing.T, p *pipes, token string) {
		ask := func(conn net.Conn, query string) {
			if _, err := io.WriteString(conn, "GET "+ipsOfA+query+" HTTP/1.1\r\nHost: x\r\nX-Auth-Token: "+token+"\r\n\r\n"); err != nil {
				t.Error(err)
			}
		}
		status := func(conn net.Conn) int {
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Error(err)
				return 0
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			return resp.StatusCode
		}
		var conns []net.Conn
		for range clients {
			conns = append(conns, p.dial())
			ask(conns[len(conns)-1], "")
		}
		synctest.Wait() // all are stuck
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		if _, held := p.held(); held < 40<<20 || held > 48<<20 || m.HeapAlloc > 250<<20 {
			t.Errorf("%d MB held, %d MB on the heap", held>>20, m.HeapAlloc>>20)
		}
		small := p.dial()
		ask(small, "?quantity=10")
		if got := status(small); got != 200 {
			t.Errorf("a short listing: %d", got)
		}
		begun := map[string]int{}
		for _, conn := range conns {
			line := make([]byte, len("HTTP/1.1 200"))
			_, _ = io.ReadFull(conn, line)
			begun[string(line)]++
		}
		if begun["HTTP/1.1 503"] < clients/2 || begun["HTTP/1.1 200"] < clients/10 {
			t.Errorf("responses: %v", begun)
		}
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if bodies, held := p.held(); bodies != 0 || held != 0 {
			t.Errorf("%d and %d bytes held when all were given up", bodies, held)
		}
		large := p.dial()
		ask(large, "")
		if got := status(large); got != 200 {
			t.Errorf("a long listing, later: %d", got)
		}
		for _, conn := range append(conns, small, large) {
			_ = conn.Close()
		}
	})
}

// TestSlowReader: a client that reads on gets everything, however long it takes.
func TestSlowReader(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) { available(t, s, 3000) }, func(t *testing.T, p *pipes, token string) {
		conn := p.dial()
		defer conn.Close()
		_, _ = io.WriteString(conn, "GET "+ipsOfA+" HTTP/1.1\r\nHost: x\r\nX-Auth-Token: "+token+"\r\n\r\n")
		began := time.Now()
		resp, err := http.ReadResponse(bufio.NewReaderSize(conn, 16), nil)
		if err != nil {
			t.Fatal(err)
		}
		read := 0
		for piece := make([]byte, 16<<10); ; time.Sleep(2 * time.Second) {
			n, err := io.ReadFull(resp.Body, piece)
			if read += n; err != nil {
				break
			}
		}
		if int64(read) != resp.ContentLength || time.Since(began) < time.Minute {
			t.Errorf("%d of %d bytes in %s", read, resp.ContentLength, time.Since(began))
		}
	})
}

// TestUnreadMetrics: few may leave /metrics unread, and not for long.
func TestUnreadMetrics(t *testing.T) {
	inBubble(t, func(*testing.T, *store.Store) {}, func(t *testing.T, p *pipes, _ string) {
		scrape := func() (net.Conn, int) {
			conn := p.dial()
			_, _ = io.WriteString(conn, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
			line := make([]byte, len("HTTP/1.1 200"))
			_, _ = io.ReadFull(conn, line)
			status, _ := strconv.Atoi(string(line[len("HTTP/1.1 "):]))
			return conn, status
		}
		statuses := map[int]int{}
		for range 20 {
			conn, status := scrape()
			defer conn.Close()
			statuses[status]++
		}
		if statuses[200] == 0 || statuses[200] > 8 || statuses[503] < 12 {
			t.Errorf("statuses %v", statuses)
		}
		time.Sleep(11 * time.Second)
		conn, status := scrape()
		defer conn.Close()
		if status != 200 {
			t.Errorf("%d, later", status)
		}
	})
}
