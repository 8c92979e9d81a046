package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"junctor/pkg/api"
	"junctor/pkg/document"
	names "junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// exchange is one request to a real Crossbar, what it answered and what it wrote.
type exchange struct {
	N       int
	Note    string
	Request struct {
		Method, Path string
		Headers      map[string]string
		Body         string
	}
	Response response
	Changes  map[string][]document.Document `json:"couch_changes"`

	name string // "07/24"
	file string
}

type response struct {
	Status  int
	Headers map[string]string
	Body    json.RawMessage
}

// envelope returns the body, nil where it is no object.
func (r response) envelope() (e map[string]any) {
	_ = json.Unmarshal(r.Body, &e)
	return e
}

// TestReplay makes the recorded requests of a real Crossbar, in order, on the database they were made on. The
// answers and the documents written are the recorded ones, but for testdata/differences.json.
func TestReplay(t *testing.T) {
	t.Parallel()
	onStores(t, &kazooTemplate, func(t *testing.T, s *store.Store) {
		hook := newCashier(t, s)
		r := &replay{
			service: newService(t, s, hook.serve(), func(c *api.Config) { c.Format = api.Crossbar }),
			world:   beginning(t, s),
			hook:    hook,
			table:   readDifferences(t),
		}
		for _, e := range readExchanges(t, recordings) {
			r.play(t, e)
		}
		r.table.allUsed(t)
		t.Logf("%d exchanges replayed", r.played)
	})
}

// recordings are those of the resources that Crossbar has, too.
const recordings = "testdata/golden/*.jsonl"

func readExchanges(t *testing.T, pattern string) []exchange {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	var all []exchange
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			e := exchange{file: strings.TrimSuffix(filepath.Base(file), ".jsonl")}
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			e.name = fmt.Sprintf("%s/%d", e.file[:2], e.N)
			all = append(all, e)
		}
	}
	return all
}

// unrecorded is what was changed between the recordings: exchanges that are missing, known from later ones.
var unrecorded = []struct {
	before string
	change func(world)
	reason string
}{
	{"07/1", func(w world) {
		for _, id := range []string{"1d48f6d2e602adb5f2ed923540e93d21", "10.0.0.26", "10.0.0.27"} {
			w.set("dedicated_ips", id, nil)
		}
	}, "07/57 lists no zone of theirs any more, after the deletes of 05 had all failed"},
	{"14/1", func(w world) {
		w.put("dedicated_ips", address("1.2.3.4", "zone-1", "a.host.com"))
	}, "14/2 lists zone-1, which Kazoo's own tests create"},
	{"14/9", func(w world) {
		for _, db := range []string{"accounts", databaseOf(accountD)} {
			w[db][accountD]["pvt_signature_secret"] = "7564a0c1429cac1ad29f768415fbb73d"
		}
	}, "D logged in; the token of 14/9 is bound to this secret, which is in what 14/9 changed"},
	{"22/1", func(w world) {
		w.set("dedicated_ips", "1.2.3.4", nil)
		w.put("dedicated_ips", address("10.0.0.26", "zürich", "hôte"))
		w.put("dedicated_ips", address("10.0.0.27", "a b/c", "h"))
		w.assign("10.0.0.5", accountA)
		w.assign("10.0.0.2", accountA1)
	}, "22/10, 22/11 and 22/72 show them; the database was restored from a copy in 16"},
}

// replay is a run through the recordings.
type replay struct {
	*service
	world
	hook   *cashier
	table  *differences
	played int
}

func (r *replay) play(t *testing.T, e exchange) {
	for _, u := range unrecorded {
		if u.before == e.name {
			u.change(r.world)
			r.sync(t, r.stored(t, r.world))
		}
	}
	r.played++
	r.clock.set(timeOf(e, r.clock.now()))
	got := r.raw(e.Request.Method, r.text(e))
	before := r.world.clone()
	r.world.follow(e)
	r.hook.follow(e)
	want := r.table.expect(e, got)
	for _, complaint := range want.compare(got) {
		t.Errorf("%s %s: %s %s: %s", e.name, e.Note, e.Request.Method, e.Request.Path, complaint)
	}
	// What a refused request writes is seen after the next that is not.
	if e.Request.Method != http.MethodGet && (e.Response.Status < 400 || got.status < 400) {
		r.compareDocuments(t, e, want.documents(before, r.world))
	}
}

// timeOf returns when an exchange was made: the document that it wrote says so more exactly than its response.
func timeOf(e exchange, otherwise time.Time) time.Time {
	var at int64
	for _, doc := range e.Changes["dedicated_ips"] {
		modified, _ := doc.Int("pvt_modified")
		at = max(at, modified)
	}
	if at > 0 {
		return names.FromGregorian(at)
	}
	stamp, _ := e.Response.envelope()["timestamp"].(string)
	if at, err := time.Parse(time.RFC3339, stamp); err == nil {
		return at
	}
	return otherwise
}

var (
	tokenOf  = regexp.MustCompile(`\{TOKEN:(\w+)\}`)
	longPath = regexp.MustCompile(`\{… (\d+) bytes\}$`)
	longBody = regexp.MustCompile(`\.\.\.\((\d+) bytes\)$`)
)

// text returns the request as it went over the wire. Where the recording is cut short, what is missing is more of
// the same.
func (r *replay) text(e exchange) string {
	path, body := e.Request.Path, e.Request.Body
	if m := longPath.FindStringSubmatch(path); m != nil {
		n, _ := strconv.Atoi(m[1])
		path = strings.TrimSuffix(path, m[0])
		path += strings.Repeat(path[len(path)-1:], n-len(path))
	}
	if m := longBody.FindStringSubmatch(body); m != nil {
		n, _ := strconv.Atoi(m[1])
		const end = `"]}}`
		body = strings.TrimSuffix(body, m[0])
		body += strings.Repeat(body[len(body)-1:], n-len(body)-len(end)) + end
	}
	body = r.withTokens(body)
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: junctor\r\nConnection: close\r\n", e.Request.Method, r.withTokens(path))
	for _, name := range slices.Sorted(maps.Keys(e.Request.Headers)) {
		fmt.Fprintf(&b, "%s: %s\r\n", name, r.withTokens(e.Request.Headers[name]))
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	return b.String() + "\r\n" + body
}

// withTokens puts tokens for their names.
func (r *replay) withTokens(text string) string {
	return tokenOf.ReplaceAllStringFunc(text, func(m string) string {
		return r.token(tokenOf.FindStringSubmatch(m)[1])
	})
}
