package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/api"
	"junctor/pkg/auth"
	"junctor/pkg/doccache"
	"junctor/pkg/store"
)

// aloneVariable makes the test binary a server of the store it names.
const aloneVariable = "JUNCTOR_API_TEST_SERVE"

// serveAlone serves a store, where the environment names one, until standard input ends. So a test has servers that
// share nothing but the store.
func serveAlone() bool {
	dsn := os.Getenv(aloneVariable)
	if dsn == "" {
		return false
	}
	if err := runAlone(dsn); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

func runAlone(dsn string) error {
	s, err := store.Open(dsn, store.Options{})
	if err != nil {
		return err
	}
	c, err := newConfig(s, time.Now)
	if err != nil {
		return err
	}
	c.MaxRequests = 1000
	documents := doccache.New(s, doccache.Options{Staleness: 5 * time.Second}) // as the command has it
	defer documents.Close()
	c.Accounts = account.NewDirectory(s).Reading(documents)
	c.Tokens = auth.NewAuthenticator(s, auth.Options{Documents: documents})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := api.New(c).HTTP()
	go func() { _ = server.Serve(l) }()
	fmt.Println(l.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// startAlone starts such a process, and answers a client of it.
func startAlone(t *testing.T, s *store.Store, dsn string) *service {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), aloneVariable+"="+dsn)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return &service{TB: t, store: s, addr: strings.TrimSpace(addr), keys: map[string]string{}}
}
