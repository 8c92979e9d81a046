package main

import (
	"os"
	"strings"
	"testing"
)

// TestAddressAsFolder: N2. What is more likely the address of a server than the name of a folder is refused with the
// right form. Nothing is created, and no part of a password is shown.
func TestAddressAsFolder(t *testing.T) {
	here := t.TempDir()
	t.Chdir(here)
	const folder, couch = "a folder of such a name ./NAME", "this is not the URL of a CouchDB"
	for dsn, want := range map[string]string{
		"couchdb:5984":                            folder,
		"localhost:5984":                          folder,
		"localhost":                               folder,
		"127.0.0.1":                               folder,
		"127.0.0.1:5984/":                         folder,
		"[::1]:5984":                              folder,
		"::1":                                     folder,
		"user:s3cret@127.0.0.1:5984":              folder,
		"user:s3cret/s3cret@127.0.0.1":            folder,
		"s3cret@couchdb":                          folder,
		"http:/admin:s3cret@couchdb:5984":         folder,
		"http:admin:s3cret@couchdb:5984":          folder,
		"memory:x":                                folder,
		"//admin:s3cret@couchdb:5984":             "or an http:// or https:// URL",
		"/http://admin:s3cret@couchdb:5984":       "or an http:// or https:// URL",
		"HTTP://admin:s3cret@couchdb:5984":        "or an http:// or https:// URL",
		"http://admin:p@s3cret/w@host":            couch,
		"http://admin:1234/s3cret@host:5984":      couch,
		"http://admin:1234#s3cret@host:5984":      couch,
		"http://admin:1234?s3cret@host:5984":      couch,
		"http://admin:s3cret#w@host:5984":         couch,
		"http://admin:s3cret%zz@host:5984":        couch,
		"http://couchdb:5984/?password=s3cret":    couch,
		"http://:5984":                            couch,
		"http://admin:s3cret@couchdb:port-number": couch,
	} {
		for _, o := range []outcome{
			call(t, nil, "serve", "--listen", "127.0.0.1:0", "--store", dsn),
			call(t, environment{"JUNCTOR_STORE": dsn}, "bootstrap"),
			call(t, nil, "doctor", "--store", dsn),
		} {
			if o.code != 2 || !strings.Contains(o.stderr, want) || strings.Count(o.stderr, "\n") != 1 ||
				strings.Contains(o.stderr+o.stdout, "s3cret") {
				t.Errorf("%s: %+v, want %q", dsn, o, want)
			}
		}
	}
	for _, args := range [][]string{
		{"--state-dir", "couchdb:5984"}, {"--state-dir", "http://couchdb:5984"},
		{"--amqp-url", "amqp://guest:p@s3cret/w@host/vhost"}, {"--billing-url", "http://u:p@s3cret/w@host/hook"},
		{"--kazoo-url", "http://u:p@s3cret/w@host"},
	} {
		o := call(t, nil, append([]string{"serve", "--listen", "127.0.0.1:0", "--store", "memory:"}, args...)...)
		if o.code != 2 || strings.Contains(o.stderr, "s3cret") {
			t.Errorf("%v: %+v", args, o)
		}
	}
	if files, err := os.ReadDir(here); err != nil || len(files) > 0 {
		t.Errorf("the folder holds %v, %v", files, err)
	}
}

// TestFolderNames: what can only be a folder is one, whatever is in its name, and a new one is announced.
func TestFolderNames(t *testing.T) {
	here := t.TempDir()
	t.Chdir(here)
	for _, name := range []string{"couchdb", "couchdb.example.com", "./couchdb:5984", "stores/a@b:1", here + "/x:1@y"} {
		o := call(t, nil, "bootstrap", "--store", name)
		if o.code != 0 || !strings.HasPrefix(o.stderr, "junctor: created a new store in "+here) {
			t.Errorf("%s: %+v", name, o)
		}
	}
	if o := call(t, nil, "bootstrap", "--store", "couchdb"); o.code != 0 || o.stderr != "" {
		t.Errorf("again: %+v", o)
	}
	old := start(t, "--store", "couchdb")
	if old.stop(); !old.logs("opened the store") {
		t.Errorf("log:\n%s", old.stderr)
	}
	s := start(t, "--store", "new")
	if s.stop(); !s.logs("created a new store") {
		t.Errorf("log:\n%s", s.stderr)
	}
}
