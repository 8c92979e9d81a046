package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"junctor/pkg/statefile"
	"junctor/pkg/store"
	"junctor/pkg/store/embedded"
)

// readyInfo is the content of the ready file.
type readyInfo struct {
	URL string `json:"url"`
	PID int    `json:"pid"`
}

// checkReadyFile refuses a file that no server has written: it would be replaced now, and removed in the end.
func (f *serveFlags) checkReadyFile(path string) error {
	if f.owns(path) {
		return errors.New("it is a file of the store itself: choose another name")
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().IsRegular() && info.Size() == 0 {
		return nil
	}
	const most = 4 << 10 // bytes, of one that a server has written
	var old readyInfo
	if info.Mode().IsRegular() && info.Size() <= most {
		text, _ := os.ReadFile(path)
		_ = json.Unmarshal(text, &old)
	}
	return check(old.PID != 0, "another file has that name: choose another name, or remove it")
}

// announce prepares the store, and then writes the ready file and prints the tour.
func (s *server) announce(ctx context.Context, url string) error {
	s.withdraw() // the files of a killed process
	if err := s.prepare(ctx); err != nil {
		return err
	}
	select {
	case <-s.repair: // a follower has found what was not installed yet
	default:
	}
	s.unprepared.Store(nil)
	s.ready.Forget()
	if s.readyFile != "" {
		if err := writeJSON(s.readyFile, 0o644, readyInfo{URL: url, PID: os.Getpid()}); err != nil {
			return fmt.Errorf("--ready-file %s can't be written: %w", s.readyFile, err)
		}
	}
	line := s.log.Info().Str("store", store.Redact(s.dsn))
	if s.home != "" {
		line.Str("home", s.home)
	}
	line.Msg("serving")
	if !s.tour {
		return nil
	}
	return s.printTour(ctx, url)
}

// withdraw removes the ready file, and the key of the master account of a store in memory.
func (s *server) withdraw() {
	if s.readyFile != "" {
		_ = os.Remove(s.readyFile)
	}
	if s.dsn == embedded.Memory {
		_ = os.Remove(adminFile(s.home))
	}
}

// address returns the URL of a listener for clients on this machine.
func (s *server) address(listener net.Addr) string {
	tcp := listener.(*net.TCPAddr)
	host := tcp.IP.String()
	if tcp.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	scheme := "http://"
	if s.certificate != nil {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, strconv.Itoa(tcp.Port))
}

// writeJSON writes value to a file, unless that is its content already.
func writeJSON(path string, mode os.FileMode, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	text = append(text, '\n')
	info, err := os.Lstat(path)
	if err == nil && info.Mode() == mode { // of a regular file
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
			return nil
		}
	}
	return statefile.Write(path, mode, text)
}
