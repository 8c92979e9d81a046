package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// composeFile is what these tests look at of docker-compose.yml.
type composeFile struct {
	Services map[string]composeService                 `yaml:"services"`
	Volumes  map[string]any                            `yaml:"volumes"`
	Configs  map[string]struct{ Content, File string } `yaml:"configs"`
	Networks map[string]struct {
		IPAM struct{ Config []struct{ Subnet string } }
	}
}

type composeService struct {
	Image       string
	Build       string
	Profiles    []string
	Ports       []string
	Volumes     []string
	Environment map[string]string
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	Healthcheck struct{ Test []string }
	Configs     []struct{ Source, Target string }
	Networks    map[string]struct{ Aliases []string }
}

func readCompose(t *testing.T) composeFile {
	t.Helper()
	text, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file composeFile
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestComposeTrustsItsNetwork: a proxy on the host reaches junctor through the gateway of the network: fault S9.
func TestComposeTrustsItsNetwork(t *testing.T) {
	t.Parallel()
	file := readCompose(t)
	config := file.Networks["default"].IPAM.Config
	if len(config) != 1 {
		t.Fatalf("subnets: %v", config)
	}
	for _, name := range []string{"junctor", "junctor-cluster"} {
		trusted := strings.Split(file.Services[name].Environment["JUNCTOR_TRUSTED_PROXIES"], ",")
		if !slices.Contains(trusted, config[0].Subnet) || !slices.Contains(trusted, "127.0.0.1") {
			t.Errorf("%s trusts %v", name, trusted)
		}
	}
}

var pinned = regexp.MustCompile(`^([a-z]+/)?[a-z]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)?$`)

// TestCompose: what a service refers to is there, and it can be reached from this machine only.
func TestCompose(t *testing.T) {
	t.Parallel()
	file := readCompose(t)
	for name, s := range file.Services {
		if s.Build == "" && !pinned.MatchString(s.Image) {
			t.Errorf("%s: the version of image %q is not pinned", name, s.Image)
		}
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s: port %s is open to the world", name, port)
			}
		}
		for _, volume := range s.Volumes {
			if source, _, _ := strings.Cut(volume, ":"); !has(file.Volumes, source) {
				t.Errorf("%s: there is no volume %s", name, source)
			}
		}
		for _, config := range s.Configs {
			if c := file.Configs[config.Source]; c.Content == "" && (c.File == "" || !exists("../../"+c.File)) {
				t.Errorf("%s: there is no config %s", name, config.Source)
			}
		}
		for other, how := range s.DependsOn {
			checkDependency(t, file, name, other, how.Condition)
		}
	}
}

func has[V any](m map[string]V, key string) bool {
	_, ok := m[key]
	return ok
}

// checkDependency: what a service waits for is there, is started together with it, and can become what is waited for.
func checkDependency(t *testing.T, file composeFile, name, other, condition string) {
	t.Helper()
	s, there := file.Services[other]
	switch {
	case !there:
		t.Errorf("%s waits for %s, which is not there", name, other)
	case len(s.Profiles) > 0 && !slices.Equal(s.Profiles, file.Services[name].Profiles):
		t.Errorf("%s waits for %s, which is of another profile", name, other)
	case condition == "service_healthy" && len(s.Healthcheck.Test) == 0:
		t.Errorf("%s waits for %s, which has no health check", name, other)
	}
}

// TestComposeSecrets: S16. There are no default passwords: what is secret is taken from the environment, or Compose
// refuses to start.
func TestComposeSecrets(t *testing.T) {
	t.Parallel()
	text := readFile(t, "../../docker-compose.yml")
	for _, name := range []string{"COUCHDB_PASSWORD", "COUCHDB_SECRET", "COUCHDB_COOKIE", "GRAFANA_PASSWORD"} {
		uses := strings.Count(text, "${"+name)
		if uses == 0 || strings.Count(text, "${"+name+":?") != uses {
			t.Errorf("%s is used %d times, and has a default", name, uses)
		}
	}
	for service, s := range readCompose(t).Services {
		for name, value := range s.Environment {
			secret := strings.Contains(name, "PASSWORD") || strings.Contains(name, "SECRET") || strings.Contains(name, "COOKIE")
			if secret && !strings.HasPrefix(value, "${"+strings.NewReplacer("ERLANG_", "", "GF_SECURITY_ADMIN_PASSWORD", "GRAFANA_PASSWORD").Replace(name)+":?") {
				t.Errorf("%s: %s is %q", service, name, value)
			}
		}
	}
}

// TestComposeSingle: without a profile there are junctor and one CouchDB that keeps its data and makes its own
// system databases.
func TestComposeSingle(t *testing.T) {
	t.Parallel()
	file := readCompose(t)
	var names []string
	for name, s := range file.Services {
		if len(s.Profiles) == 0 {
			names = append(names, name)
		}
	}
	if slices.Sort(names); !slices.Equal(names, []string{"couchdb", "junctor"}) {
		t.Errorf("without a profile there are %v", names)
	}
	couchdb, junctor := file.Services["couchdb"], file.Services["junctor"]
	if !strings.HasPrefix(couchdb.Image, "couchdb:3.5") || len(couchdb.Volumes) != 1 ||
		!strings.Contains(file.Configs[couchdb.Configs[0].Source].Content, "single_node = true") {
		t.Errorf("couchdb: %+v", couchdb)
	}
	if !slices.Equal(junctor.Ports, []string{"127.0.0.1:8000:8000"}) ||
		junctor.DependsOn["couchdb"].Condition != "service_healthy" {
		t.Errorf("junctor: %+v", junctor)
	}
	checkJunctor(t, junctor, "couchdb")
}

// TestComposeCluster: three nodes that know each other by name, are joined, and stand behind HAProxy.
func TestComposeCluster(t *testing.T) {
	t.Parallel()
	file := readCompose(t)
	setup, balancer := file.Configs["couchdb-setup"].Content, file.Configs["haproxy"].Content
	cookies := map[string]bool{}
	for _, name := range []string{"couchdb1", "couchdb2", "couchdb3"} {
		node := file.Services[name]
		host := node.Environment["NODENAME"]
		if !strings.Contains(host, ".") || !slices.Equal(node.Networks["default"].Aliases, []string{host}) {
			t.Errorf("%s is not found by its name %q", name, host)
		}
		if !strings.Contains(setup, host) || !strings.Contains(balancer, "server "+name+" "+host+":5984") {
			t.Errorf("%s is not joined, or gets no requests", host)
		}
		if node.Environment["COUCHDB_SECRET"] == "" || !has(file.Services["couchdb-setup"].DependsOn, name) {
			t.Errorf("%s: %+v", name, node)
		}
		cookies[node.Environment["COUCHDB_ERLANG_COOKIE"]] = true
	}
	if len(cookies) != 1 || cookies[""] {
		t.Errorf("the nodes have cookies %v", cookies)
	}
	if file.Services["haproxy"].DependsOn["couchdb-setup"].Condition != "service_completed_successfully" {
		t.Error("haproxy does not wait for the cluster to be set up")
	}
	checkJunctor(t, file.Services["junctor-cluster"], "haproxy")
}

// checkJunctor: the container can be reached at all, and its settings are ones that the program takes.
func checkJunctor(t *testing.T, s composeService, couchdb string) {
	t.Helper()
	if s.Environment["JUNCTOR_LISTEN"] != "0.0.0.0:8000" ||
		!strings.HasSuffix(s.Environment["JUNCTOR_STORE"], "@"+couchdb+":5984") {
		t.Errorf("settings %v", s.Environment)
	}
	help := ok(t, "serve", "--help")
	for name := range s.Environment {
		if !strings.Contains(help, "["+name+"]") {
			t.Errorf("junctor knows no setting %s", name)
		}
	}
}
