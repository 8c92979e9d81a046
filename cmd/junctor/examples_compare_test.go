package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/kazoo"
	"junctor/pkg/testutil"
)

// isAsShown fails if a text is not what a document shows, with … for anything.
func isAsShown(t *testing.T, shown, got string) {
	t.Helper()
	shown = strings.TrimSpace(shown)
	pattern := strings.ReplaceAll(regexp.QuoteMeta(shown), "…", "(?s:.+)")
	if !regexp.MustCompile("^" + pattern + "$").MatchString(strings.TrimSpace(got)) {
		t.Errorf("a document shows\n%s\nand it is\n%s", shown, got)
	}
}

// TestReadmeStart: "make run" prints what the README shows.
func TestReadmeStart(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "junctor-data")
	s := start(t, "--store", home, "--tour")
	const end = "admin.json\".\n"
	testutil.Eventually(t, "the tour", func() bool { return strings.Contains(s.stdout.String(), end) })
	s.stop()
	tour, _, _ := strings.Cut(s.stdout.String(), end)
	shown := strings.NewReplacer("http://127.0.0.1:8000", s.url, `"./junctor-data"`, `"…"`).
		Replace(theExample(t, "README.md", `{"level":"info","file"`))
	printed, message := "", regexp.MustCompile(`"message":"[^"]*"`)
	for line := range strings.Lines(shown) { // of the log, in which others may stand between these
		for logged := range strings.Lines(s.stderr.String()) {
			if text := message.FindString(line); text != "" && strings.Contains(logged, text) {
				printed += logged
			}
		}
	}
	isAsShown(t, shown, printed+tour+end)
}

// TestBillingExamples: what docs/billing.md shows of the calls of the hook is what the hook gets.
func TestBillingExamples(t *testing.T) {
	t.Parallel()
	var calls testutil.Log // a line each
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = calls.Write(append(body, '\n'))
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("{}"))
	}))
	t.Cleanup(hook.Close)
	home := t.TempDir()
	s := start(t, "--store", home, "--billing-url", hook.URL)
	id := s.assign(home) // one address; then two more
	token := s.loginAdmin(home)
	for _, ip := range []string{"192.0.2.1", "192.0.2.2"} {
		s.create(token, ip, "z")
	}
	s.must("POST", "/v2/accounts/"+id+"/ips", token, `{"data":{"quantity":2}}`)
	for begins, has := range map[string]string{
		`{"version":1,"event":"quote"`: `"quantity":2`, `{"version":1,"event":"reconcile"`: "",
	} {
		call := regexp.MustCompile("(?m)^" + regexp.QuoteMeta(begins) + ".*" + has + ".*$")
		testutil.Eventually(t, begins, func() bool { return call.MatchString(calls.String()) })
		shown := regexp.MustCompile(`\n *`).ReplaceAllString(theExample(t, "docs/billing.md", begins), "")
		isAsShown(t, shown, call.FindString(calls.String()))
	}
}

// TestConfigurationExample: the file in docs/configuration.md is one that serve takes.
func TestConfigurationExample(t *testing.T) {
	t.Parallel()
	text := theExample(t, "docs/configuration.md", "# /etc/junctor.yaml")
	file := filepath.Join(t.TempDir(), "junctor.yaml")
	write(t, file, text)
	var flags serveFlags
	if _, err := flags.parse(nil, "--config", file); err != nil {
		t.Fatal(err)
	}
	err := flags.check(environment{}.get)
	if err != nil || flags.listen != "127.0.0.1:8100" || len(flags.trustedProxies) != 2 {
		t.Errorf("%v, %+v", err, flags)
	}
}

// TestLogExample: the line of a request is as docs/operations.md shows it.
func TestLogExample(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := start(t, "--store", home)
	s.assign(home)
	s.stop()
	shown := theExample(t, "docs/operations.md", `{"level":"info","request_id"`)
	shown = regexp.MustCompile(`\n *`).ReplaceAllString(shown, "")
	shown = regexp.MustCompile(`"(duration_ms|bytes)":[0-9.]+`).ReplaceAllString(shown, `"$1":…`)
	for line := range strings.Lines(s.stderr.String()) {
		if strings.Contains(line, `"method":"POST"`) {
			isAsShown(t, shown, line)
			return
		}
	}
	t.Errorf("no request is logged:\n%s", s.stderr)
}

// TestTakeOverExamples runs the commands of docs/take-over.md beside a recorded Kazoo whose pool has the faults that
// the page shows. What doctor prints has the rows of the page, and serve serves.
func TestTakeOverExamples(t *testing.T) {
	t.Parallel()
	const other, gone = "09c766718e5cfdbc70c929dccb4e00fc", "ffffffffffffffffffffffffffffffff"
	b := besideKazoo(t)
	put := func(db, id, holder, zone string) {
		t.Helper()
		doc := document.Document{"_id": id, "pvt_vsn": "1", "pvt_type": "dedicated_ip", "pvt_status": "assigned",
			"pvt_zone": zone, "pvt_host": "proxy1", "pvt_created": 63900000000, "pvt_modified": 63900000000}
		if holder != "" {
			doc["pvt_assigned_to"] = holder
		}
		if _, err := b.kazoo.Put(t.Context(), db, doc); err != nil {
			t.Fatal(err)
		}
	}
	copies := func(holder string) string {
		db, err := account.Database(holder)
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	for holder, id := range map[string]string{other: "2001:DB8:0::1", kazooOther: "2001:db8::1"} {
		put(kazoo.DedicatedIPs, id, holder, "us-east")
		put(copies(holder), id, holder, "us-east")
	}
	put(kazoo.DedicatedIPs, "192.0.2.12", gone, "us-east")
	put(kazoo.DedicatedIPs, "192.0.2.13", "", "us-east")
	put(kazoo.DedicatedIPs, "192.0.2.11", kazooOther, "us-east")
	put(kazoo.DedicatedIPs, "192.0.2.2", other, "us-east")
	put(copies(other), "192.0.2.2", other, "us-west")
	for i := range 4 {
		put(copies(kazooMaster), fmt.Sprintf("192.0.2.2%d", i), kazooMaster, "us-east")
	}

	here := strings.NewReplacer("http://user:password@127.0.0.1:15984", b.dsn, "127.0.0.1:5672", "127.0.0.1:1",
		"http://127.0.0.1:8000", "http://127.0.0.1:1", "127.0.0.1:8100", "127.0.0.1:0", "\\\n", " ")
	command, rows, _ := strings.Cut(theExample(t, "docs/take-over.md", "$ junctor doctor"), "\n")
	o := call(t, nil, append(strings.Fields(here.Replace(command))[2:], "--state-dir", b.stateDir)...)
	if o.code != 1 || o.stderr != "" {
		t.Errorf("doctor: %+v", o)
	}
	words := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	printed := strings.Split(o.stdout, "\n")
	for i, line := range printed {
		printed[i] = words(line)
	}
	for line := range strings.Lines(strings.TrimSpace(rows)) {
		if !slices.Contains(printed, words(line)) {
			t.Errorf("doctor does not print\n%s\nbut\n%s", line, o.stdout)
		}
	}

	args := strings.Fields(here.Replace(theExample(t, "docs/take-over.md", "junctor serve")))[2:]
	s := start(t, append(args, "--state-dir", b.stateDir)...)
	shell := openTerminal(t, "http://user:password@127.0.0.1:15984", b.dsn, "ACCOUNT", other,
		"http://127.0.0.1:8100", s.url, "http://127.0.0.1:8000", s.url) // instead of a Crossbar's
	shell.env = append(shell.env, "JUNCTOR_STATE_DIR="+b.stateDir)
	text := shell.paste(example{document: "docs/take-over.md", text: theExample(t, "docs/take-over.md", "TOKEN=")})
	if strings.Count(text, `"status":"success"`) != 2 || !strings.Contains(text, `"2001:DB8:0::1"`) {
		t.Errorf("they return %s", text)
	}
}

// tableRow is a row of a table in docs/api.md: a request, its body, and what is returned.
var tableRow = regexp.MustCompile(
	"(?m)^\\| (GET|POST|DELETE) `([^`]+)`(?: with `([^`]+)`| without a body)? \\| (.*) \\|$")

// TestAPITables sends the requests of the tables of docs/api.md, and compares the members of what is returned with
// those that the tables show.
func TestAPITables(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := start(t, "--store", home)
	token, holder := s.loginAdmin(home), newAccount(t, "A", "--store", home)
	ok(t, "ips", "add", "192.0.2.10-192.0.2.18", "--zone", "us-east", "--host", "h", "--store", home)
	ok(t, "ips", "assign", "A", "192.0.2.17", "--store", home)
	shape := regexp.MustCompile("^`([^`]+)`")
	here := strings.NewReplacer("{A}", holder.ID, "{IP}", "192.0.2.18", `["…"]`, `["192.0.2.10","192.0.2.11"]`,
		"[…]", `["192.0.2.10","192.0.2.11"]`)
	s.awaitFullPass() // which ips/health tells of
	rows := tableRow.FindAllStringSubmatch(readFile(t, "../../docs/api.md"), -1)
	if len(rows) != 12 {
		t.Errorf("%d rows", len(rows))
	}
	address, shown := "", ""
	for _, match := range rows {
		status, envelope := s.request(match[1], "/v2/"+here.Replace(match[2]), token, here.Replace(match[3]))
		if status != http.StatusOK {
			t.Errorf("%s: %d %v", match[0], status, envelope)
			continue
		}
		switch found := shape.FindStringSubmatch(match[4]); {
		case found != nil:
			if shown = found[1]; strings.Contains(shown, "assigned_to") {
				address = shown
			}
		case strings.HasPrefix(match[4], "the address"):
			shown = address
		case match[4] != "the same":
			t.Errorf("%s: no shape", match[0])
		}
		hasMembers(t, match[1]+" "+match[2], shown, envelope["data"])
	}
}

// inlineJSON says what tests the JSON in the text of the documents, outside of blocks and of the tables of requests.
var inlineJSON = map[string]string{
	`{"data": …}`: "TestInlineJSON",
	`{"data", "status", "request_id", "revision", "auth_token", "node", "timestamp", "version"}`: "TestInlineJSON",
	`{"ips":[…]}`:                                   "TestInlineJSON",
	`{"success":{IP:{…}},"error":{}}`:               "TestInlineJSON",
	`{"created":[…],"unchanged":[…],"refused":{…}}`: "TestInlineJSON",
	`{"owner","name","ips":{"inbound":{ZONE:[IP]},"outbound":{ZONE:[IP]}},"randomize_routing"}`: "TestInlineJSON",
	`{"id","deleted":true}`:        "TestInlineJSON",
	`{"url":…,"pid":…}`:            "TestInlineJSON",
	`{}`:                           "TestUnderstood",
	`{"invoices":[]}`:              "TestUnderstood",
	`{"invoices":[{…}]}`:           "TestUnderstood",
	`{"reason":"…","message":"…"}`: "TestRefusals",
}

// TestInlineJSON sends requests whose responses the text of the documents shows, and fails for JSON that no test is for.
func TestInlineJSON(t *testing.T) {
	t.Parallel()
	names, used := testNames(t), map[string]bool{}
	span := regexp.MustCompile("`([{[]\"?[^`]*[}\\]])`")
	for _, document := range documentsWithCode(t) {
		for line := range strings.Lines(prose(readFile(t, "../../"+document))) {
			if tableRow.MatchString(line) {
				continue
			}
			for _, match := range span.FindAllStringSubmatch(line, -1) {
				if used[match[1]] = true; !strings.HasPrefix(match[1], "[-") && !names[inlineJSON[match[1]]] {
					t.Errorf("%s: no test is for %s", document, match[1])
				}
			}
		}
	}
	for text := range inlineJSON {
		if !used[text] {
			t.Errorf("no document shows %s", text)
		}
	}

	home := t.TempDir()
	s := start(t, "--store", home)
	id := s.assign(home)
	token := s.loginAdmin(home)
	data := func(method, path, body string) any {
		t.Helper()
		return s.must(method, "/v2/"+path, token, body)
	}
	_, envelope := s.request("GET", "/v2/ips/1.2.3.4", token, "")
	hasMembers(t, "envelope", `{"data","status","request_id","revision","auth_token","node","timestamp","version"}`, envelope)
	var ready any
	readJSON(t, s.readyFile, &ready)
	hasMembers(t, "ready file", `{"url":…,"pid":…}`, ready)
	hasMembers(t, "crossbar", `{"success":{IP:{…}},"error":{}}`,
		data("DELETE", "accounts/"+id+"/ips/1.2.3.4?response_format=crossbar", ""))
	hasMembers(t, "bulk", `{"created":[…],"unchanged":[…],"refused":{…}}`, data("PUT", "ips",
		`{"data":{"zone":"z","host":"h","ips":[{"ip":"192.0.2.1"},{"ip":"1.2.3.4"},{"ip":"no address"}]}}`))
	const cluster = `{"owner":"o","name":"n","ips":{"inbound":{"east":["192.0.2.1"]},"outbound":{"east":["192.0.2.2"]}}}`
	hasMembers(t, "cluster",
		`{"owner","name","ips":{"inbound":{ZONE:[IP]},"outbound":{ZONE:[IP]}},"randomize_routing"[,"id"]}`,
		data("PUT", "routing/customer_cluster", `{"data":`+cluster+`}`))
	_, since := s.request("GET", "/v2/routing/customer_clusters?since=", token, "")
	data("DELETE", "routing/customer_cluster", "")
	hasMembers(t, "deleted", `[{"id","deleted":true}]`,
		data("GET", fmt.Sprintf("routing/customer_clusters?since=%v", since["next_since"]), ""))
}

// prose returns a document without its blocks of code, each paragraph on one line.
func prose(text string) string {
	text = regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(text, "")
	text = regexp.MustCompile(`(?m)^    .*$`).ReplaceAllString(text, "")
	return regexp.MustCompile(`([^\n|])\n([^\n|])`).ReplaceAllString(text, "$1 $2")
}

// hasMembers fails if a value has other members than a shape shows. In a shape, a member without a value may be
// anything, "[,…]" are members that may be missing, a word in capitals is any key, and … more of the same.
func hasMembers(t *testing.T, where, shape string, value any) {
	t.Helper()
	shape = regexp.MustCompile(`:…([,}])`).ReplaceAllString(shape, "$1")
	text := regexp.MustCompile(`\[(,"[^\]]*)\]`).ReplaceAllStringFunc(shape, func(optional string) string {
		return strings.ReplaceAll(strings.Trim(optional, "[]"), `,"`, `,"?`)
	})
	text = strings.NewReplacer(`{…,`, `{"…",`, `[…]`, `[]`, `[IP]`, `[]`, `{…}`, `{}`, `}…]`, `}]`).Replace(text)
	text = regexp.MustCompile(`\b([A-Z]+):`).ReplaceAllString(text, `"*":`)
	text = regexp.MustCompile(`("[^"]+")([,}])`).ReplaceAllString(text, `$1:null$2`)
	var template any
	if err := json.Unmarshal([]byte(text), &template); err != nil {
		t.Fatalf("%s: %s is no shape: %v in %s", where, shape, err, text)
	}
	compareMembers(t, where, template, value)
}

func compareMembers(t *testing.T, where string, template, value any) {
	t.Helper()
	switch template := template.(type) {
	case []any:
		list, is := value.([]any)
		if !is || len(list) == 0 {
			t.Errorf("%s: not a list with something in it: %v", where, value)
		}
		for _, item := range list {
			if len(template) > 0 {
				compareMembers(t, where, template[0], item)
			}
		}
	case map[string]any:
		object, is := value.(map[string]any)
		if !is {
			t.Errorf("%s: not an object: %v", where, value)
		}
		anyKey, more := template["*"], has(template, "…") || len(template) == 0
		for key, member := range object {
			switch {
			case anyKey != nil:
				compareMembers(t, where+" "+key, anyKey, member)
			case has(template, key):
				compareMembers(t, where+" "+key, template[key], member)
			case !more && !has(template, "?"+key):
				t.Errorf("%s: %s is not shown", where, key)
			}
		}
		for key := range template {
			if !has(object, key) && key != "*" && key != "…" && !strings.HasPrefix(key, "?") {
				t.Errorf("%s: %s is shown and not returned: %v", where, key, object)
			}
		}
	}
}
