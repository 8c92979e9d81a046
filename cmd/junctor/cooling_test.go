package main

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestCooling: a setting that sup changes while the server runs counts. The account that had an address gets it back at
// once.
func TestCooling(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "store")
	s := start(t, "--store", home)
	token := s.loginAdmin(home)
	a, b := newAccount(t, "a", "--store", home), newAccount(t, "b", "--store", home)
	path := func(account string) string { return "/v2/accounts/" + account + "/ips/192.0.2.1" }
	want := func(method, path, body string, status int) {
		t.Helper()
		if got, envelope := s.request(method, path, token, body); got != status {
			t.Errorf("%s %s: %d %v, want %d", method, path, got, envelope, status)
		}
	}
	want("PUT", "/v2/ips", `{"data":{"ip":"192.0.2.1","zone":"z","host":"h"}}`, http.StatusCreated)
	want("POST", path(a.ID), "", http.StatusOK)
	want("DELETE", path(a.ID), "", http.StatusOK)
	ok(t, "sup", "kapps_config", "set_default", "ips", "cooling_s", "3600", "--store", home)
	want("POST", path(b.ID), "", http.StatusBadRequest)
	want("PUT", "/v2/ips", `{"data":{"ip":"192.0.2.2","zone":"z","host":"h"}}`, http.StatusCreated)
	for flag, address := range map[string]string{"--cooling": "192.0.2.1", "--cooling=false": "192.0.2.2"} {
		var list []struct{ IP string }
		text := ok(t, "ips", "list", flag, "--store", home, "--json")
		if err := json.Unmarshal([]byte(text), &list); err != nil || len(list) != 1 || list[0].IP != address {
			t.Errorf("ips list %s: %s", flag, text)
		}
	}
	args := []string{"ips", "assign", b.ID, "192.0.2.1", "--store", home}
	if o := call(t, nil, args...); o.code != 1 || !strings.Contains(o.stderr, "--ignore-cooling") ||
		!regexp.MustCompile(`it cools until 2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\dZ;`).MatchString(o.stderr) {
		t.Errorf("of an address that cools: exit code %d, %s", o.code, o.stderr)
	}
	ok(t, append(args, "--ignore-cooling")...)
	ok(t, "ips", "move", "192.0.2.1", a.ID, "--store", home)
	want("DELETE", path(a.ID), "", http.StatusOK)
	want("POST", path(b.ID), "", http.StatusBadRequest)
	want("POST", path(a.ID), "", http.StatusOK)
	want("DELETE", path(a.ID), "", http.StatusOK)
	ok(t, "sup", "kapps_config", "set_default", "ips", "cooling_s", "0", "--store", home)
	want("POST", path(b.ID), "", http.StatusOK)
}

// TestNegativeSetting: "sup" takes a negative number as Kazoo's does, without "--" and wherever flags stand.
func TestNegativeSetting(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	ok(t, "bootstrap", "--store", home)
	set, limit := []string{"kapps_config", "set_default", "ips"}, []string{"max_per_account", "-1"}
	for name, args := range map[string][]string{
		"flags behind":  slices.Concat([]string{"sup"}, set, limit, []string{"--store", home}),
		"flags before":  slices.Concat([]string{"sup", "--store=" + home}, set, limit),
		"flags between": slices.Concat([]string{"sup"}, set, []string{"--store", home}, limit),
		"with --":       slices.Concat([]string{"sup", "--store", home, "--"}, set, limit),
	} {
		ok(t, "sup", "kapps_config", "set_default", "ips", "max_per_account", "7", "--store", home)
		if o := call(t, nil, args...); o.code != 0 || o.stdout != "ok\n" {
			t.Errorf("%s: %+v", name, o)
		}
		if got := ok(t, "sup", "kapps_config", "get", "ips", "max_per_account", "--store", home); got != "-1\n" {
			t.Errorf("%s: the setting is %q", name, got)
		}
	}
	for _, args := range [][]string{{"sup", "x", "-1", "--stor", home}, {"sup", "x", "-y"}, {"sup", "-1", "--store"}} {
		if o := call(t, nil, args...); o.code != 2 || !strings.Contains(o.stderr, "flag") {
			t.Errorf("%q: %+v", args, o)
		}
	}
}
