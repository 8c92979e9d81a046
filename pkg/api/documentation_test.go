package api_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"junctor/pkg/store"
)

// example is a curl command of the documentation, and the answer printed under it.
type example struct {
	heading string
	command string
	answer  string // empty where none is printed
}

// readExamples reads Kazoo's documentation of a resource as it is published. A command ends where its answer begins, or at
// an empty line.
func readExamples(t *testing.T, file string) []example {
	t.Helper()
	var examples []example
	var heading string
	var into *string // where lines go, nil outside of command and answer
	for line := range strings.Lines(readDocument(t, "pkg/api/testdata/"+file)) {
		bare := strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasSuffix(bare, "#"):
			heading = strings.TrimSuffix(bare, "#")
		case strings.HasPrefix(bare, "curl "):
			examples = append(examples, example{heading: heading})
			into = &examples[len(examples)-1].command
		case bare == "{" && len(examples) > 0:
			into = &examples[len(examples)-1].answer
		case bare == "":
			into = nil
		}
		if into != nil {
			*into += line
		}
	}
	return examples
}

// situations are what the examples are about: the address they speak of, and another one.
var situations = map[string]struct{ free, assigned []string }{
	"Fetch":                              {free: []string{"1.2.3.4"}},
	"Assign IPs to the account":          {free: []string{"1.2.3.4", "5.6.7.8"}},
	"Remove IPs from Account":            {assigned: []string{"1.2.3.4", "5.6.7.8"}},
	"Remove an IP assignment":            {assigned: []string{"1.2.3.4"}},
	"Fetch details of the assignment":    {assigned: []string{"1.2.3.4"}},
	"Assign a single IP to the account":  {free: []string{"1.2.3.4"}},
	"Fetch hosts":                        {free: []string{"1.2.3.4"}},
	"Fetch zone listings":                {free: []string{"1.2.3.4"}},
	"Fetch IPs assigned to this account": {assigned: []string{"1.2.3.4"}, free: []string{"5.6.7.8"}},
	"Via API":                            {},
}

// TestDocumentation runs every curl command of the documentation as it is printed, and compares the data.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil && os.Getenv("CI") != "true" {
		t.Skip("there is no curl")
	}
	examples := readExamples(t, "ips-api.txt")
	if len(examples) != len(situations) {
		t.Fatalf("%d examples, want %d", len(examples), len(situations))
	}
	onStores(t, &kazooTemplate, func(t *testing.T, s *store.Store) {
		sv := newService(t, s)
		for _, e := range examples {
			situation, ok := situations[e.heading]
			if !ok {
				t.Fatalf("an example without a situation: %s", e.heading)
			}
			sv.settle(situation.free, situation.assigned)
			if e.heading == "Via API" {
				sv.runCreation(t, e)
				continue
			}
			sv.compareExample(t, e, sv.curl(t, "A", e.command))
		}
	})
}

// settle makes the pool hold these addresses and no others.
func (sv *service) settle(free, assigned []string) {
	sv.Helper()
	for _, address := range []string{"1.2.3.4", "5.6.7.8"} {
		sv.as("M", "DELETE", "/v2/ips/"+address, "")
	}
	sv.create(free...)
	sv.create(assigned...)
	for _, address := range assigned {
		sv.want(sv.as("A", "POST", ipsOfA+"/"+address, ""), 200)
	}
}

// fill puts what a reader puts for the placeholders.
func (sv *service) fill(name, text string) string {
	return strings.NewReplacer(
		"{SERVER}:8000", sv.addr, "{AUTH_TOKEN}", sv.token(name), "{ACCOUNT_ID}", accountIDs[name],
		"{IP_ADDRESS}", "1.2.3.4",
	).Replace(text)
}

// curl runs a command the way a reader does: in a shell.
func (sv *service) curl(t *testing.T, name, command string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", "-c", sv.fill(name, command)).Output()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return string(out)
}

func (sv *service) compareExample(t *testing.T, e example, out string) {
	t.Helper()
	var got, want map[string]any
	if err := json.Unmarshal([]byte(sv.fill("A", e.answer)), &want); err != nil {
		t.Fatalf("%s: the documented answer: %v", e.heading, err)
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%s: %v: %s", e.heading, err, out)
	}
	for _, key := range []string{"data", "status", "auth_token"} {
		if !reflect.DeepEqual(got[key], want[key]) {
			t.Errorf("%s: %s\ngot  %s\nwant %s", e.heading, key, jsonText(got[key]), jsonText(want[key]))
		}
	}
	for key := range want {
		if text, ok := got[key]; !ok || text == "" {
			t.Errorf("%s: no %s", e.heading, key)
		}
	}
}

// runCreation runs the one command that can't be run as printed: a backslash is missing behind its data. It is
// printed with the URL of an account under the heading /v2/ips, so both have to do.
func (sv *service) runCreation(t *testing.T, e example) {
	t.Helper()
	account := strings.Replace(e.command, "}}'\n", "}}' \\\n", 1)
	root := strings.Replace(account, "/v2/accounts/{ACCOUNT_ID}/ips", "/v2/ips", 1)
	if account == e.command || root == account {
		t.Fatalf("another example than expected: %s", e.command)
	}
	for _, command := range []string{account, root} {
		sv.settle(nil, nil)
		sv.curl(t, "M", command)
		got := sv.want(sv.as("A", "GET", ipsOfA+"/1.2.3.4", ""), 200).data()
		want := map[string]any{
			"id": "1.2.3.4", "ip": "1.2.3.4", "zone": "us-east", "host": "proxy1.us-east.myswitch.com",
			"status": "available", "type": "dedicated_ip",
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s\ngot %s", command, jsonText(got))
		}
	}
}
