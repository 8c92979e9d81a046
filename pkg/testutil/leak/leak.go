// Package leak finds the goroutines that the tests of a package leave behind. Idle connections of HTTP clients are none:
// that closing a store closes its connections is tested in pkg/store. It is apart from testutil since packages that
// testutil imports use it, too.
package leak

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience is how long goroutines may take to end. goleak itself waits for less than a second.
const patience = 30 * time.Second

// ignored are goroutines that may be left.
var ignored = []goleak.Option{
	// The CouchDB peer that the tests of a package share ends with the process.
	goleak.IgnoreAnyFunction("junctor/pkg/store/storetest.keepPeer"),
	goleak.IgnoreAnyFunction("os/exec.(*Cmd).Start.func2"), // copies what the peer writes to standard error
	// These are net/http's, of a client's connection. One that was dialed and never used stays for as long as the server
	// allows, which is a minute for the peer. Whoever waits for a response has a goroutine of its own.
	goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
	goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"),
}

// Run runs the tests of a package and returns the exit code: that of the tests, or 1 if goroutines are left. TestMain
// calls it.
func Run(m *testing.M) (code int) {
	if code = m.Run(); code != 0 {
		return code
	}
	var left error
	for end := time.Now().Add(patience); time.Now().Before(end); {
		http.DefaultClient.CloseIdleConnections()
		if left = goleak.Find(ignored...); left == nil {
			return 0
		}
	}
	_, _ = fmt.Fprintln(os.Stderr, "FAIL: the tests leave goroutines behind:", left)
	return 1
}

// RunShort is Run with -short, and runs the tests alone without: the long tests of some packages leave connections of
// their peers and processes to the end of the process.
func RunShort(m *testing.M) (code int) {
	flag.Parse()
	if testing.Short() {
		return Run(m)
	}
	return m.Run()
}
