package main

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"junctor/pkg/auth/seal"
	"junctor/pkg/auth/trust"
	"junctor/pkg/store/storetest"
)

const (
	otherCluster = "0123456789abcdef0123456789abcdef"
	thirdCluster = "fedcba9876543210fedcba9876543210"
	otherAPIKey  = "the key of the other cluster's API"
)

// TestClusters does one list of tasks through the socket of a server, on a store that nobody serves, and on a
// CouchDB: they come to the same, and the API keys are sealed.
func TestClusters(t *testing.T) {
	t.Parallel()
	const otherURL, thirdURL = "https://other.example.com:8443/v2", "http://192.0.2.1:8000"
	const warning = "junctor: warning: tokens go to " + thirdURL + " unencrypted; use https:// where others can listen\n"
	columns := func(urlWidth int) string { return fmt.Sprintf("%-32s  %-*s  API KEY\n", "CLUSTER", urlWidth, "URL") }
	env := environment{"JUNCTOR_CLUSTER_API_KEY": otherAPIKey}
	tasks := []task{
		{"cluster list", "", nil, outcome{stdout: "CLUSTER  URL  API KEY\n"}},
		{"cluster list --json", "", nil, outcome{stdout: "[]\n"}},
		{"cluster add " + thirdCluster + " " + thirdURL + "/ --json", "", nil,
			outcome{stdout: `{"id":"` + thirdCluster + `","url":"` + thirdURL + `","has_api_key":false}` + "\n", stderr: warning}},
		{"cluster add " + otherCluster + " " + otherURL, "", env,
			outcome{stdout: columns(len(otherURL)) + otherCluster + "  " + otherURL + "  yes\n"}},
		{"cluster add " + otherCluster + " " + thirdURL, "", nil,
			fails("the cluster " + otherCluster + " is registered already")},
		{"cluster list", "", nil, outcome{stdout: columns(len(otherURL)) + otherCluster + "  " + otherURL + "  yes\n" +
			thirdCluster + "  " + thirdURL + strings.Repeat(" ", len(otherURL)-len(thirdURL)) + "  no\n"}},
		{"cluster list --json", "", nil,
			outcome{stdout: `[{"id":"` + otherCluster + `","url":"` + otherURL + `","has_api_key":true},` +
				`{"id":"` + thirdCluster + `","url":"` + thirdURL + `","has_api_key":false}]` + "\n"}},
		{"cluster add OWN " + otherURL, "", env,
			fails("OWN is the cluster that this store belongs to: its own tokens are good here already")},
		{"cluster add 0123 " + otherURL, "", nil,
			misuses("cluster add: a cluster id is 32 digits and letters from a to f")},
		{"cluster add " + otherCluster + " https://user:s3cret@a/v2", "", nil,
			misuses("cluster add: the URL must not hold a user or a password")},
		{"cluster remove " + thirdCluster, "", nil, outcome{stdout: "removed  " + thirdCluster + "\n"}},
		{"cluster remove " + thirdCluster, "", nil, fails(`no cluster "` + thirdCluster + `" is registered`)},
		{"cluster remove 0123", "", nil, fails(`no cluster "0123" is registered`)},
		{"cluster add " + thirdCluster + " " + thirdURL + " --api-key-stdin --json", otherAPIKey + "\n",
			environment{"JUNCTOR_CLUSTER_API_KEY": "another"},
			outcome{stdout: `{"id":"` + thirdCluster + `","url":"` + thirdURL + `","has_api_key":true}` + "\n", stderr: warning}},
		{"cluster", "", nil, misuses(`cluster: a command is missing; "junctor cluster --help" lists them`)},
		{"cluster add " + otherCluster, "", nil,
			misuses("cluster add: an operand is missing; usage: junctor cluster add ID URL [flags]")},
		{"cluster list all", "", nil, misuses(`cluster list: unexpected "all"`)},
		{"cluster remove", "", nil,
			misuses("cluster remove: an operand is missing; usage: junctor cluster remove ID [flags]")},
	}
	for name, place := range places(t) {
		t.Run(name, func(t *testing.T) {
			place.does(t, tasks, nil, "OWN", bootstrapped(t, place.args("")...).ClusterID)
			info, err := os.Stat(place.keyFile)
			if err != nil || info.Mode() != 0o600 {
				t.Fatalf("the key file: %v %v", info, err)
			}
			checkSealed(t, place, func() (*seal.Key, error) { return seal.ReadFile(place.keyFile) })
		})
	}
}

// checkSealed: the API keys can be read with a key, and not without.
func checkSealed(t *testing.T, place *place, key keySource) {
	t.Helper()
	s := place.open(t)
	registry := trust.NewRegistry(s, trust.Options{Key: key})
	clusters, err := registry.List(t.Context())
	if err != nil || len(clusters) == 0 {
		t.Fatalf("%v, %v", clusters, err)
	}
	for _, c := range clusters {
		if got, err := registry.APIKey(t.Context(), c.ID); got != otherAPIKey || err != nil {
			t.Errorf("the API key of %s: %q, %v", c.ID, got, err)
		}
		doc, err := s.Get(t.Context(), trust.Database, c.ID)
		if err != nil || !strings.HasPrefix(doc.String("pvt_api_key"), "v1:") {
			t.Errorf("%v, %v", doc, err)
		}
	}
}

// TestSecretKey: a key in the environment is used instead of a file, by the server even where the subcommand has
// none or another.
func TestSecretKey(t *testing.T) {
	t.Parallel()
	keys := []string{strings.Repeat("a", 32), strings.Repeat("b", 32)}
	for i, key := range keys {
		keys[i] = base64.StdEncoding.EncodeToString([]byte(key))
	}
	env := environment{"JUNCTOR_SECRET_KEY": keys[0], "JUNCTOR_CLUSTER_API_KEY": otherAPIKey}
	for name, place := range places(t) {
		t.Run(name, func(t *testing.T) {
			ok(t, place.args("bootstrap")...)
			mine := keys[0]
			if place.server != nil {
				place.server.stop()
				place.server = startWith(t, environment{"JUNCTOR_SECRET_KEY": keys[1]}, "--store", place.dsn)
				mine = keys[1]
			}
			if o := call(t, env, place.args("cluster add "+otherCluster+" http://192.0.2.1")...); o.code != 0 {
				t.Fatalf("%+v", o)
			}
			checkSealed(t, place, func() (*seal.Key, error) { return seal.Parse(mine) })
			if exists(place.keyFile) {
				t.Error("there is a key file")
			}
		})
	}
}

// TestKeyFolder: where nothing says where the key of a CouchDB is to be, it is in the user's folder of state, whatever
// folder somebody is in (S14).
func TestKeyFolder(t *testing.T) {
	place := &place{dsn: storetest.FreshCouch(t)}
	here, home := t.TempDir(), t.TempDir()
	t.Chdir(here)
	env, state := environment{"HOME": home}, filepath.Join(home, ".local", "state", "junctor")
	for range 2 {
		if o := call(t, env, "cluster", "list", "--store", place.dsn); o.code != 0 {
			t.Errorf("%+v", o)
		}
		if exists(state) {
			t.Error("a key is made that nobody needs")
		}
	}
	add := []string{"cluster", "add", otherCluster, "http://192.0.2.1", "--store", place.dsn, "--api-key-stdin"}
	if o := tell(t, nil, otherAPIKey, add...); o.code != 1 || !strings.Contains(o.stderr, "--state-dir") {
		t.Errorf("without a home: %+v", o)
	}
	if o := tell(t, env, otherAPIKey, add...); o.code != 0 {
		t.Errorf("%+v", o)
	}
	checkSealed(t, place, func() (*seal.Key, error) { return seal.ReadFile(keyFile(state)) })
	if info, err := os.Stat(state); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v", info, err)
	}
	if files, err := os.ReadDir(here); err != nil || len(files) > 0 {
		t.Errorf("the working folder holds %v, %v", files, err)
	}
}

// TestOtherCluster: the tokens of another server are good for its routing as soon as its cluster is added, and no
// longer once it is removed, without a restart.
func TestOtherCluster(t *testing.T) {
	t.Parallel()
	home, otherHome := t.TempDir(), t.TempDir()
	s, other := start(t, "--store", home), start(t, "--store", otherHome)
	admin := readAdmin(t, otherHome)
	token := other.login(admin.APIKey)
	path := "/v2/routing/customer_cluster?kazoo_cluster_id=" + admin.ClusterID
	ask := func(method, token, body string, want int) {
		t.Helper()
		if status, envelope := s.request(method, path, token, body); status != want {
			t.Errorf("%s: got %d %v, want %d", method, status, envelope["data"], want)
		}
	}
	ask("GET", token, "", http.StatusForbidden)
	ok(t, "cluster", "add", admin.ClusterID, other.url+"/v2", "--store", home)
	ask("GET", token, "", http.StatusNotFound)
	ask("PUT", token, `{"data":{"owner":"o","name":"n","ips":{"inbound":{},"outbound":{}}}}`, http.StatusCreated)
	ask("GET", token, "", http.StatusOK)
	ask("GET", s.loginAdmin(home), "", http.StatusForbidden) // it stays here
	ok(t, "cluster", "remove", admin.ClusterID, "--store", home)
	ask("GET", token, "", http.StatusForbidden)
}

// TestMasterCluster: the master account of the master cluster manages all routing clusters, that of any other its own.
func TestMasterCluster(t *testing.T) {
	t.Parallel()
	home, otherHome := t.TempDir(), t.TempDir()
	other := start(t, "--store", otherHome)
	admin := readAdmin(t, otherHome)
	token := other.login(admin.APIKey)
	ok(t, "bootstrap", "--store", home)
	ok(t, "cluster", "add", admin.ClusterID, other.url+"/v2", "--store", home)
	for _, test := range []struct {
		args       []string
		own, other int
	}{{nil, 200, 403}, {[]string{"--master-cluster", admin.ClusterID}, 403, 200}} {
		s := start(t, append([]string{"--store", home}, test.args...)...)
		own := s.loginAdmin(home)
		if status, _ := s.request("GET", "/v2/routing/customer_clusters", own, ""); status != test.own {
			t.Errorf("%v: the own master account: %d, want %d", test.args, status, test.own)
		}
		path := "/v2/routing/customer_clusters?kazoo_cluster_id=" + admin.ClusterID
		if status, _ := s.request("GET", path, token, ""); status != test.other {
			t.Errorf("%v: the other's: %d, want %d", test.args, status, test.other)
		}
		s.stop()
	}
}
