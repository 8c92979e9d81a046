package storetest

import (
	"bufio"
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

//go:embed peer.js
var peerScript []byte

// peerConfig turns logging off, half of the peer's work otherwise. The server reads its flag --no-stdout-logs as
// "stdout-logs: no", which it does not know.
const peerConfig = `{"log":{"level":"none"},"pouchdb_server":{"no-stdout-logs":true}}`

// peerStart bounds how long a pouchdb-server may take to listen. It takes half a second on an idle machine; test
// binaries start theirs at the same time.
const peerStart = 3 * time.Minute

// startPeer runs a pouchdb-server of its own, empty and in memory: CouchDB's protocol over HTTP, with nothing to
// install but an npm package. It ends with stop, or else with this process.
func startPeer() (dsn string, stop func(), err error) {
	program, err := findPeer()
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "junctor-peer-")
	if err != nil {
		return "", nil, err
	}
	dsn, stop, err = runPeer(program, dir)
	if err != nil {
		_ = os.RemoveAll(dir)
		return "", nil, fmt.Errorf("%s did not start: %w", program, err)
	}
	return dsn, stop, nil
}

func runPeer(program, dir string) (dsn string, stop func(), err error) {
	err = errors.Join(os.WriteFile(filepath.Join(dir, "peer.js"), peerScript, 0o600),
		os.WriteFile(filepath.Join(dir, "config.json"), []byte(peerConfig), 0o600))
	if err != nil {
		return "", nil, err
	}
	var complaint bytes.Buffer
	cmd := exec.Command(program, "--in-memory", "--dir", dir, "--config", "config.json")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "NODE_OPTIONS=--require ./peer.js")
	cmd.Stderr = &complaint
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	late := time.AfterFunc(peerStart, func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	late.Stop()
	ended := make(chan struct{})
	go keepPeer(cmd, stdin, stdout, ended)
	stop = func() {
		_ = stdin.Close()
		<-ended
	}
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(complaint.String()))
	}
	return strings.TrimSpace(line), stop, nil
}

// keepPeer returns when the peer has ended. It has stdin open: the peer lives as long as that.
func keepPeer(cmd *exec.Cmd, _ io.Writer, stdout io.Reader, ended chan<- struct{}) {
	defer close(ended)
	_, _ = io.Copy(io.Discard, stdout)
	_ = cmd.Wait()
}

// findPeer looks where the Makefile installs the server, in .tools beside go.mod, and then on the PATH.
func findPeer() (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	installed := filepath.Join(root, ".tools", "node_modules", ".bin", "pouchdb-server")
	if _, err := os.Stat(installed); err == nil {
		return installed, nil
	}
	return exec.LookPath("pouchdb-server")
}

// moduleRoot walks up from the folder of the package under test.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			err = errors.New("no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}
