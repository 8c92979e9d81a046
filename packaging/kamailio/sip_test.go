// Package kamailio_test plays calls through the Kamailio of kamailio.cfg, which asks a junctor.
package kamailio_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"junctor/pkg/testutil"
)

// patience is how long a condition may take to come true.
const patience = 30 * time.Second

// Addresses of this machine's loopback network stand for machines.
const (
	core     = "127.0.40.1" // the operator's own switch
	customer = "127.0.20.1" // sends calls from the customer's cluster
	stranger = "127.0.30.1"
	unknown  = "127.0.30.2" // calls only while junctor is away
	first    = "127.0.10.1" // the cluster's inbound addresses
	second   = "127.0.10.2"
	third    = "127.0.10.3"
)

// site is a junctor, a Kamailio, and the ports of the rest.
type site struct {
	*testing.T
	dir                          string
	program, url, key, token, id string
	proxy                        string // address and port of Kamailio
	corePort, clusterPort        int
	junctor                      *exec.Cmd
}

// TestCalls plays both directions. JUNCTOR_TEST_SIP is how many seconds the load lasts; "make test-sip" sets it.
func TestCalls(t *testing.T) {
	seconds, err := strconv.Atoi(os.Getenv("JUNCTOR_TEST_SIP"))
	if err != nil {
		t.Skip(`"make test-sip" plays calls`)
	}
	for _, program := range []string{"kamailio", "sipp"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatal(err)
		}
	}
	s := start(t)
	t.Run("from a cluster", func(t *testing.T) {
		answered := s.answer(t, core, s.corePort, "callee.xml")
		s.call(t, customer, "caller.xml", 50, 50)
		answered.expect(t, 50)
	})
	t.Run("from a stranger", func(t *testing.T) {
		s.call(t, stranger, "refused.xml", 50, 50)
	})
	t.Run("to a cluster", func(t *testing.T) {
		answered := s.answer(t, first, s.clusterPort, "callee.xml")
		other := s.answer(t, second, s.clusterPort, "callee.xml")
		s.call(t, core, "caller.xml", 50, 50)
		answered.expect(t, 50)
		other.expect(t, 0)
	})
	t.Run("to no cluster", func(t *testing.T) {
		wait(t, "the call to be refused", func() bool { return strings.HasPrefix(s.send(t, core, "INVITE"), "SIP/2.0 400 ") })
	})
	t.Run("first address silent", func(t *testing.T) {
		answered := s.answer(t, second, s.clusterPort, "callee.xml")
		s.call(t, core, "caller.xml", 20, 20)
		answered.expect(t, 20)
	})
	t.Run("first address fails", func(t *testing.T) {
		failing := s.answer(t, first, s.clusterPort, "failing.xml")
		answered := s.answer(t, second, s.clusterPort, "callee.xml")
		s.call(t, core, "caller.xml", 20, 20)
		answered.expect(t, 20)
		failing.expect(t, 20)
	})
	t.Run("changed document", func(t *testing.T) {
		began := time.Now()
		s.api(t, "PATCH", "/routing/customer_cluster", `{"data":{"ips":{"inbound":{"z":["`+third+`"]}}}}`, 200)
		changed := s.answer(t, third, s.clusterPort, "callee.xml")
		former := s.answer(t, first, s.clusterPort, "callee.xml")
		wait(t, "a call to reach the new address", func() bool {
			s.call(t, core, "caller.xml", 1, 1)
			return changed.count() > 0
		})
		t.Logf("the change counts after %.1f s", time.Since(began).Seconds())
		calls := former.count()
		s.call(t, core, "caller.xml", 20, 20)
		former.expect(t, calls)
	})
	t.Run("junctor away under load", func(t *testing.T) { s.playLoad(t, seconds) })
}

// playLoad plays 100 calls a second in both directions while junctor is killed and started again. Every call has to end
// as it should.
func (s *site) playLoad(t *testing.T, seconds int) {
	answered := s.answer(t, core, s.corePort, "callee.xml")
	calls := 100 * seconds
	began := time.Now()
	ended := make(chan string, 2)
	go func() { ended <- s.play(customer, "caller.xml", calls, 90) }()
	go func() { ended <- s.play(stranger, "refused.xml", calls/10, 10) }()
	time.Sleep(time.Duration(seconds) * time.Second / 4) // into the load
	s.stop(t)
	if problem := s.play(unknown, "refused.xml", 5, 50); problem != "" {
		t.Error(problem)
	}
	time.Sleep(min(10*time.Second, time.Duration(seconds)*time.Second/2)) // the outage
	s.serve(t)
	for range 2 {
		if problem := <-ended; problem != "" {
			t.Error(problem)
		}
	}
	answered.expect(t, calls)
	if !t.Failed() {
		t.Logf("%d calls in %.1f s, all decided right, junctor away meanwhile", calls+calls/10, time.Since(began).Seconds())
	}
}

// start builds and starts junctor and Kamailio, with one cluster in junctor.
func start(t *testing.T) *site {
	t.Helper()
	s := &site{T: t, dir: t.TempDir(), corePort: freePort(t, core), clusterPort: freePort(t, first, second, third)}
	s.program = testutil.BuildJunctor(t)
	s.url = fmt.Sprintf("http://127.0.0.1:%d/v2", freePort(t, "127.0.0.1"))
	s.serve(t)
	t.Cleanup(func() { s.stop(t) })
	var admin struct {
		APIKey    string `json:"api_key"`
		ClusterID string `json:"cluster_id"`
	}
	text, err := os.ReadFile(filepath.Join(s.dir, "store", "admin.json"))
	if err == nil {
		err = json.Unmarshal(text, &admin)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.id = admin.ClusterID
	s.token = s.api(t, "PUT", "/api_auth", `{"data":{"api_key":"`+admin.APIKey+`"}}`, 201)["auth_token"].(string)
	s.api(t, "PUT", "/routing/customer_cluster", `{"data":{"owner":"o","name":"n","ips":{`+
		`"inbound":{"z":["`+first+`","`+second+`"]},"outbound":{"z":["`+customer+`"]}}}}`, 201)
	var created struct{ Key string }
	key := run(t, ".", s.program, "lookup-key", "create", "kamailio", "--json", "--store", filepath.Join(s.dir, "store"))
	if err := json.Unmarshal([]byte(key), &created); err != nil || created.Key == "" {
		t.Fatalf("%s: %v", key, err)
	}
	s.key = created.Key

	s.proxy = fmt.Sprintf("127.0.0.1:%d", freePort(t, "127.0.0.1"))
	var log bytes.Buffer
	kamailio := exec.Command("kamailio", "-f", "kamailio.cfg", "-DD", "-E", "-m", "64", "-M", "8",
		"-P", filepath.Join(s.dir, "pid"), "-Y", s.dir)
	kamailio.Env = append(os.Environ(), "SIP_LISTEN=udp:"+s.proxy, "JUNCTOR_URL="+s.url, "JUNCTOR_KEY="+s.key,
		"CORE_ADDRESS="+core, fmt.Sprintf("CORE_PORT=%d", s.corePort), fmt.Sprintf("CLUSTER_PORT=%d", s.clusterPort), "ZONE=z")
	kamailio.Stdout, kamailio.Stderr = &log, &log
	kamailio.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := kamailio.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-kamailio.Process.Pid, syscall.SIGTERM)
		_ = kamailio.Wait()
		if t.Failed() {
			t.Logf("Kamailio:\n%s", &log)
		}
	})
	wait(t, "Kamailio to respond", func() bool { return s.send(t, "127.0.0.1", "OPTIONS") != "" })
	return s
}

// send sends Kamailio a request without X-Kazoo-Cluster-ID, and returns the response; "" if there is none.
func (s *site) send(t *testing.T, from, method string) (response string) {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.UDPAddr{IP: net.ParseIP(from)}}
	conn, err := dialer.DialContext(t.Context(), "udp", s.proxy)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	id := time.Now().UnixNano()
	fmt.Fprintf(conn, "%s sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d\r\nFrom: <sip:t@t>;tag=1\r\n"+
		"To: <sip:%s>\r\nCall-ID: %d\r\nCSeq: 1 %s\r\nMax-Forwards: 10\r\nContent-Length: 0\r\n\r\n",
		method, s.proxy, conn.LocalAddr(), id, s.proxy, id, method)
	_ = conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	text := make([]byte, 1500)
	n, err := conn.Read(text)
	if err != nil {
		return ""
	}
	return string(text[:n])
}

// serve starts junctor.
func (s *site) serve(t *testing.T) {
	t.Helper()
	s.junctor = exec.Command(s.program, "serve", "--listen", strings.TrimSuffix(strings.TrimPrefix(s.url, "http://"), "/v2"),
		"--store", filepath.Join(s.dir, "store"), "--log-level", "warn")
	s.junctor.Stderr = os.Stderr
	if err := s.junctor.Start(); err != nil {
		t.Fatal(err)
	}
	wait(t, "junctor to be ready", func() bool {
		resp, err := http.Get(strings.TrimSuffix(s.url, "/v2") + "/readyz")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// stop kills junctor.
func (s *site) stop(t *testing.T) {
	t.Helper()
	_ = s.junctor.Process.Kill()
	_ = s.junctor.Wait()
}

// api sends a request to junctor and returns the envelope.
func (s *site) api(t *testing.T, method, path, body string, status int) (envelope map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Auth-Token", s.token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(text, &envelope)
	}
	if err != nil || resp.StatusCode != status {
		t.Fatalf("%s %s: %s %s %v", method, path, resp.Status, text, err)
	}
	return envelope
}

// anotherCluster is what calls of the customer name in X-Kazoo-Cluster-ID, which Kamailio must not pass on.
const anotherCluster = "0123456789abcdef0123456789abcdef"

// scenario writes a scenario of testdata for a SIPp at an address.
func (s *site) scenario(name, address string) (path string, err error) {
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		return "", err
	}
	file, err := os.CreateTemp(s.dir, "*-"+name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	cluster, refusal := s.id, "403"
	switch address {
	case customer:
		cluster = anotherCluster
	case unknown:
		refusal = "503"
	}
	_, err = strings.NewReplacer("CLUSTER", cluster, "REFUSAL", refusal).WriteString(file, string(text))
	return file.Name(), err
}

// call places calls one after the other at a rate a second. All of them have to end as the scenario says.
func (s *site) call(t *testing.T, from, scenario string, calls, rate int) {
	t.Helper()
	if problem := s.play(from, scenario, calls, rate); problem != "" {
		t.Fatal(problem)
	}
}

// play places calls, and returns what went wrong.
func (s *site) play(from, scenario string, calls, rate int) (problem string) {
	path, err := s.scenario(scenario, from)
	if err != nil {
		return err.Error()
	}
	errors := path + ".errors"
	cmd := exec.Command("sipp", s.proxy, "-sf", path, "-i", from, "-m", strconv.Itoa(calls), "-r", strconv.Itoa(rate),
		"-nostdin", "-timeout", "150s", "-timeout_error", "-trace_err", "-error_file", errors)
	cmd.Dir = s.dir
	if text, err := cmd.CombinedOutput(); err != nil {
		details, _ := os.ReadFile(errors)
		return fmt.Sprintf("%s of %s: %v\n%.3000s\n%s", scenario, from, err, details, tail(text))
	}
	return ""
}

func tail(text []byte) []byte { return text[max(0, len(text)-1500):] }

// answering is a SIPp that takes calls.
type answering struct {
	stats string
}

// answer takes calls at an address until the test ends. A call that does not fit the scenario fails.
func (s *site) answer(t *testing.T, address string, port int, scenario string) *answering {
	t.Helper()
	path, err := s.scenario(scenario, address)
	if err != nil {
		t.Fatal(err)
	}
	a := &answering{stats: path + ".csv"}
	cmd := exec.Command("sipp", "-sf", path, "-i", address, "-p", strconv.Itoa(port), "-nostdin", "-trace_stat", "-stf", a.stats,
		"-fd", "200ms")
	cmd.Dir = s.dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	wait(t, "SIPp to take calls at "+address, func() bool { return a.count() >= 0 })
	return a
}

// count returns how many calls have ended as they should, or -1 before SIPp says so.
func (a *answering) count() int {
	text, err := os.ReadFile(a.stats)
	if err != nil {
		return -1
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	names, values := strings.Split(lines[0], ";"), strings.Split(lines[len(lines)-1], ";")
	for i, name := range names {
		if name == "SuccessfulCall(C)" && len(lines) > 1 && i < len(values) {
			if n, err := strconv.Atoi(values[i]); err == nil {
				return n
			}
		}
	}
	return -1
}

// expect waits until so many calls have ended as they should.
func (a *answering) expect(t *testing.T, calls int) {
	t.Helper()
	got := -1
	deadline := time.Now().Add(patience)
	for got = a.count(); got < calls && time.Now().Before(deadline); got = a.count() {
		time.Sleep(50 * time.Millisecond)
	}
	if got != calls {
		t.Errorf("%d calls were taken, %d were placed", got, calls)
	}
}

func wait(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s", patience, what)
		}
	}
}

func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", name, err, text, &stderr)
	}
	return string(text)
}

// freePort returns a port that is free at all addresses.
func freePort(t *testing.T, addresses ...string) int {
	t.Helper()
	port, err := testutil.FreePort(addresses...)
	if err != nil {
		t.Fatal(err)
	}
	return port
}
