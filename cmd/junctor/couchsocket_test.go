package main

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"junctor/pkg/billing/billingtest"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// branch is a CouchDB with an account and an address, and a billing hook, which only a server tells of changes.
type branch struct {
	*testing.T
	place
	hook    *billingtest.Hook
	account string
}

func newBranch(t *testing.T, stateDir string) *branch {
	t.Helper()
	b := &branch{T: t, place: place{dsn: storetest.FreshCouch(t), stateDir: stateDir}}
	b.hook = billingtest.Start(t, func(string) int { return 0 })
	ok(t, b.args("bootstrap")...)
	b.account = newAccount(t, "A", b.args("")...).ID
	b.sup("add 1.2.3.4 z h", "added IP 1.2.3.4 to available dedicated ips\nok")
	return b
}

func (b *branch) begin() *served {
	b.Helper()
	return start(b.T, b.args("--billing-url "+b.hook.At())...)
}

func (b *branch) socket() string { return couchSocketFile(b.stateDir, b.dsn) }

func (b *branch) sup(args, want string) {
	b.Helper()
	if got := ok(b.T, b.args("sup kazoo_ips_maintenance "+args)...); got != want+"\n" {
		b.Errorf("%s: %s", args, got)
	}
}

func (b *branch) assign() {
	b.Helper()
	b.sup("assign 1.2.3.4 "+b.account, "assigned IP 1.2.3.4 to "+b.account)
}
func (b *branch) release() { b.Helper(); b.sup("release 1.2.3.4", "released IP 1.2.3.4") }

// told waits until the hook has been told so many times.
func (b *branch) told(times int) {
	b.Helper()
	testutil.Eventually(b.T, "the hook to be told", func() bool { return len(b.hook.Reconciled()) >= times })
	if got := b.hook.Reconciled(); len(got) != times {
		b.Errorf("the hook is told of %v, want %d", got, times)
	}
}

// TestCouchSocket: what sup does is done by the server of a CouchDB, and without one as well, whatever a killed server
// has left behind.
func TestCouchSocket(t *testing.T) {
	t.Parallel()
	b := newBranch(t, filepath.Join(t.TempDir(), "state"))
	s := b.begin()
	if info, err := os.Stat(b.socket()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket: %v, %v", info, err)
	}
	b.assign()
	b.told(1)
	if text := ok(t, b.args("doctor")...); !strings.Contains(text, "clock") {
		t.Errorf("doctor does not speak of this machine's clock:\n%s", text)
	}
	s.stop()
	if exists(b.socket()) {
		t.Error("the socket is still there")
	}

	leaveSocket(t, b.socket())
	b.release()
	b.told(1)
	b.begin()
	b.assign()
	b.told(2)
}

// leaveSocket leaves a socket behind on which nobody answers.
func leaveSocket(t *testing.T, path string) {
	t.Helper()
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err == nil {
		left.SetUnlinkOnClose(false)
		err = errors.Join(left.Close(), os.Chmod(path, 0o600))
	}
	if err != nil || !exists(path) {
		t.Fatalf("no socket is left over: %v", err)
	}
}

// TestCouchServersTogether: of two servers with one folder the first takes commands, and both serve.
func TestCouchServersTogether(t *testing.T) {
	t.Parallel()
	b := newBranch(t, t.TempDir())
	first, second := b.begin(), start(t, b.args("")...)
	if second.logged("in use by another junctor") != 1 {
		t.Errorf("the second one's log:\n%s", second.stderr)
	}
	second.stop()
	b.assign()
	b.told(1)
	if first.logs("another junctor") {
		t.Errorf("the first one's log:\n%s", first.stderr)
	}
}

// TestNoCouchSocket: a server that can't have a folder of state serves, and sup does its work itself.
func TestNoCouchSocket(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "")
	b := newBranch(t, filepath.Join(file, "state"))
	s := b.begin()
	if s.logged("there is no admin socket") != 1 {
		t.Errorf("log:\n%s", s.stderr)
	}
	b.assign()
	s.stop()
	b.told(0)
}

// TestCouchSocketName: the name says which CouchDB it is, whoever comes to it.
func TestCouchSocketName(t *testing.T) {
	t.Parallel()
	want := couchSocketFile("state", "http://couch:5984")
	if filepath.Dir(want) != "state" || len(filepath.Base(want)) != len("junctor-0123456789ab.sock") {
		t.Errorf("the socket is %s", want)
	}
	for dsn, same := range map[string]bool{
		"http://admin:s3cret@couch:5984": true, "http://kazoo:other@COUCH:5984/": true,
		"https://couch:5984": false, "http://couch:5985": false, "http://couch": false, "http://other:5984": false,
		"http://couch:5984/below": false,
	} {
		if got := couchSocketFile("state", dsn); (got == want) != same {
			t.Errorf("%s: %s, and of the first one %s", dsn, got, want)
		}
	}
}
