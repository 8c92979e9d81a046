package main

import (
	"encoding/json"
	"os/user"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestSupChangesAreLogged: what sup has a server change is in the server's log, once each, with the user of the
// operating system who asked for it, and with milliseconds (N12).
func TestSupChangesAreLogged(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := start(t, "--store", home)
	created := newAccount(t, "customer", "--store", home)
	for _, args := range []string{"add 1.2.3.4 z h", "assign 1.2.3.4 " + created.ID, "release 1.2.3.4", "delete 1.2.3.4"} {
		ok(t, append([]string{"sup", "--store", home, "kazoo_ips_maintenance"}, strings.Fields(args)...)...)
	}
	s.stop()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	var actions []string
	for line := range strings.Lines(s.stderr.String()) {
		var e struct {
			Message, Action, Account, Source, Time string
			User                                   string `json:"os_user"`
			IPs                                    []string
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if at, err := time.Parse(logTime, e.Time); err != nil || at.Format(logTime) != e.Time {
			t.Errorf("time without milliseconds: %s", line)
		}
		if e.Message != "change" {
			continue
		}
		actions = append(actions, e.Action)
		if len(e.IPs) != 1 || e.IPs[0] != "1.2.3.4" || e.Source != "sup" ||
			(e.Account == created.ID) != (e.Action == "assigned" || e.Action == "released") ||
			runtime.GOOS == "linux" && e.User != me.Username {
			t.Errorf("line: %s", line)
		}
	}
	if got := strings.Join(actions, " "); got != "created assigned released deleted" {
		t.Errorf("logged %s", got)
	}
}
