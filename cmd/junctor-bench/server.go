package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is an HTTP server that runs beside this program.
type server struct {
	cmd   *exec.Cmd
	url   string
	ended chan struct{}
	end   func() error // asks it to end
}

func launch(cmd *exec.Cmd, end func() error) (*server, error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{cmd: cmd, ended: make(chan struct{}), end: end}
	go func() {
		defer close(s.ended)
		_ = cmd.Wait() // how it ended is in cmd.ProcessState
	}()
	return s, nil
}

// stop ends the server and waits for it. A nil server has none.
func (s *server) stop() {
	if s != nil {
		_ = s.end()
		<-s.ended
	}
}

// anonymous returns how much memory of the server is not that of a file, in bytes.
func (s *server) anonymous() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "RssAnon:")
	text, _, _ := strings.Cut(rest, " kB")
	kibibytes, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return kibibytes << 10, err
}

// start serves a world with junctor. It records the time until the first response, and returns when all that is read is
// in memory.
func (b *bench) start(ctx context.Context, w *world) error {
	ready := filepath.Join(w.folder, "ready.json")
	cmd := exec.CommandContext(ctx, b.program, "serve", "--listen", "127.0.0.1:0", "--ready-file", ready,
		"--state-dir", filepath.Join(w.folder, "state"))
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "JUNCTOR_")
	}), "JUNCTOR_STORE="+w.dsn) // not an argument, since it may have a password in it
	cmd.Stderr = b.log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	began := time.Now()
	s, err := launch(cmd, cmd.Cancel)
	if err != nil {
		return err
	}
	w.server = s
	if s.url, err = s.readURL(ctx, ready); err == nil {
		t := w.reads()[0].targets[0]
		_, err = b.http.send(ctx, http.MethodGet, s.url+t.path, t.token, "", io.Discard)
	}
	if err != nil {
		return fmt.Errorf("junctor serve: %w; --log keeps its log", err)
	}
	w.starts = append(w.starts, time.Since(began))
	return await(ctx, 10*time.Millisecond, func() (bool, error) { return b.loaded(ctx, w) })
}

// loaded reports whether junctor has read the pool of a world. Routing it reads before it responds.
func (b *bench) loaded(ctx context.Context, w *world) (bool, error) {
	if w.pool == 0 {
		return true, nil
	}
	var body bytes.Buffer
	if _, err := b.http.send(ctx, http.MethodGet, w.server.url+"/v2/ips/health", w.admin, "", &body); err != nil {
		return false, err
	}
	var health struct {
		Data struct{ Feed struct{ Loaded bool } }
	}
	err := json.Unmarshal(body.Bytes(), &health)
	return health.Data.Feed.Loaded, err
}

// readURL waits for the ready file of junctor.
func (s *server) readURL(ctx context.Context, file string) (string, error) {
	var content struct{ URL string }
	err := await(ctx, time.Millisecond, func() (bool, error) {
		text, err := os.ReadFile(file)
		if err == nil {
			return true, json.Unmarshal(text, &content)
		}
		select {
		case <-s.ended:
			return false, errors.New(s.cmd.ProcessState.String())
		default:
		}
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return false, err
	})
	return content.URL, err
}

// baselines are the servers that junctor is measured beside, by name. Each makes a handler of its setup, which is JSON.
var baselines = map[string]func(ctx context.Context, setup json.RawMessage) (http.Handler, error){
	"mux": newCanned, "plain": newPlain,
}

// startBaseline starts this program as a baseline, which ends with the world or with this process. It returns the URL.
func (w *world) startBaseline(ctx context.Context, name string, setup any) (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, program, name)
	cmd.Stderr = os.Stderr
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr); err != nil {
		return "", err
	}
	s, err := launch(cmd, in.Close)
	if err != nil {
		return "", err
	}
	w.beside = append(w.beside, s)
	if err := json.NewEncoder(in).Encode(setup); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return strings.TrimSpace(line), nil
}

// serveBaseline reads a setup from stdin, prints the URL of the handler that is made of it, and serves that until stdin
// ends.
func serveBaseline(
	ctx context.Context, handler func(context.Context, json.RawMessage) (http.Handler, error),
	stdin io.Reader, stdout io.Writer,
) error {
	var setup json.RawMessage
	if err := json.NewDecoder(stdin).Decode(&setup); err != nil {
		return err
	}
	h, err := handler(ctx, setup)
	if err != nil {
		return err
	}
	s := httptest.NewServer(h)
	defer s.Close()
	if _, err := fmt.Fprintln(stdout, s.URL); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, stdin)
	return err
}
