package api_test

import (
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pb33f/libopenapi"
	"github.com/pb33f/libopenapi-validator/schema_validation"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
	"gopkg.in/yaml.v3"

	"junctor/pkg/api"
	"junctor/pkg/store/storetest"
)

var update = flag.Bool("update", false, "write the tables of docs/api.md that are made from openapi.yaml")

// TestContract: openapi.yaml is OpenAPI 3.1, and it is what is served.
func TestContract(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := libopenapi.NewDocument(text)
	if err != nil {
		t.Fatal(err)
	}
	if version := parsed.GetVersion(); !strings.HasPrefix(version, "3.1.") {
		t.Errorf("version %s", version)
	}
	_, found := schema_validation.ValidateOpenAPIDocument(parsed)
	for _, e := range found {
		t.Errorf("%s: %v", e.Reason, details(e))
	}
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil {
		t.Fatal(err)
	}
	for _, line := range emptyKeys(&node) {
		t.Errorf("line %d: a key without a value: is a text with a comma not in quotes?", line)
	}
	sv := kazoo(t)
	served := sv.want(sv.send("GET", "/openapi.yaml", ""), 200)
	if served.text != string(text) || served.header.Get("Content-Type") != "application/yaml" {
		t.Errorf("served as %s, %d bytes", served.header.Get("Content-Type"), len(served.text))
	}
	sv.want(sv.send("GET", "/openapi.yaml", "", "If-None-Match", served.header.Get("Etag")), 304)
}

// emptyKeys returns the lines of keys without a value.
func emptyKeys(n *yaml.Node) (lines []int) {
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 && child.Tag == "!!null" {
			lines = append(lines, child.Line)
		}
		lines = append(lines, emptyKeys(child)...)
	}
	return lines
}

// TestContractDetects: an exchange that is not as described is found, whatever is wrong with it.
func TestContractDetects(t *testing.T) {
	t.Parallel()
	const envelope = `{"data":%s,"node":"n","request_id":"r","revision":"v","status":"success","timestamp":"2026-11-22T04:20:00Z"%s}`
	for _, test := range []struct {
		name, method, path, body string
		status                   int
		data, more               string
		wrong                    bool
	}{
		{"as described", "GET", "/v2/ips", "", 200, `[{"ip":"1.2.3.4"}]`, "", false},
		{"one format", "POST", "/v3/account/ips/1.2.3.4/", "", 200,
			`{"id":"1.2.3.4","ip":"1.2.3.4","status":"assigned","type":"dedicated_ip"}`, "", false},
		{"the other format", "POST", ipsOfA + "/1.2.3.4", "", 200, `{"success":{},"error":{}}`, "", false},
		{"neither format", "POST", ipsOfA + "/1.2.3.4", "", 200, `{"success":{}}`, "", true},
		{"both formats", "POST", ipsOfA, "", 200, `{"success":{},"error":{},"ips":[]}`, "", true},
		{"a member too many in a row", "GET", "/v2/ips", "", 200, `[{"ip":"1.2.3.4","pvt_type":"x"}]`, "", true},
		{"a member too many in the envelope", "GET", "/v2/ips", "", 200, `[]`, `,"x":1`, true},
		{"a member too few", "GET", "/v2/ips", "", 200, `[{"zone":"z"}]`, "", true},
		{"another type", "GET", "/v2/ips/zones", "", 200, `["z",null]`, "", true},
		{"another status", "GET", "/v2/ips", "", 202, `[]`, "", true},
		{"a request that should have been refused", "PUT", "/v2/ips", `{"data":{"ip":"1.2.3.4"}}`, 201,
			`{"_read_only":{"created":1,"modified":1,"status":"available","type":"dedicated_ip"}}`, "", true},
		{"no such path", "GET", "/v2/ip", "", 200, `[]`, "", true},
	} {
		target, err := url.Parse(test.path)
		if err != nil {
			t.Fatal(err)
		}
		found := theContract().check(&observation{
			method: test.method, target: target, header: http.Header{}, body: []byte(test.body), status: test.status,
			returned: http.Header{"Content-Type": {"application/json"}}, text: fmt.Appendf(nil, envelope, test.data, test.more),
		})
		if len(found) > 0 != test.wrong {
			t.Errorf("%s: %q", test.name, found)
		}
	}
}

// operations returns the operations of the contract by their names in the table of routes.
func (c *contract) operations() map[string]*v3.Operation {
	all := map[string]*v3.Operation{}
	for path, item := range c.Paths.PathItems.FromOldest() {
		for method, op := range item.GetOperations().FromOldest() {
			all[strings.ToUpper(method)+" "+strings.TrimPrefix(path, "/v2")] = op
		}
	}
	return all
}

// outside are the operations of paths that are not in the table of routes.
var outside = []string{"GET /healthz", "GET /readyz", "GET /metrics", "GET /console/", "GET /openapi.yaml"}

// TestContractRoutes: openapi.yaml and the table of who may do what have every route that is served, with the same role, and
// no other.
func TestContractRoutes(t *testing.T) {
	t.Parallel()
	c := newConfig(t, storetest.Open(t, "memory:"), time.Now)
	described, served := theContract().operations(), sorted(api.New(c).Routes())
	var inTable []string
	for _, rt := range routes {
		inTable = append(inTable, rt.name)
		if op := described[rt.name]; op != nil && roleOf(op) != roleNames[rt.right] {
			t.Errorf("%s: the role is %q in openapi.yaml, and the route asks for %s", rt.name, roleOf(op), rt.right)
		}
	}
	if !slices.Equal(sorted(inTable), served) {
		t.Errorf("served are %q, in the table are %q", served, sorted(inTable))
	}
	if all, want := slices.Sorted(maps.Keys(described)), sorted(slices.Concat(served, outside)); !slices.Equal(all, want) {
		t.Errorf("openapi.yaml has %q, want %q", all, want)
	}
}

// parameterRead matches where the source reads a parameter of a query.
var parameterRead = regexp.MustCompile(`(?:Query\.Get|Query\.Has|seconds|positive|\.Is|\.Flag)\((?:r, )?"([][a-z_]+)"`)

// TestContractParameters: what the handlers read of a query is a parameter in openapi.yaml.
func TestContractParameters(t *testing.T) {
	t.Parallel()
	described := map[string]bool{"ips": true, "ips[]": true} // which releaseIPs looks for, and refuses
	for _, item := range theContract().Paths.PathItems.FromOldest() {
		for _, op := range item.GetOperations().FromOldest() {
			for _, p := range slices.Concat(item.Parameters, op.Parameters) {
				described[p.Name] = true
			}
		}
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, path := range sources {
		text := readDocument(t, "pkg/api/"+path)
		for _, match := range parameterRead.FindAllStringSubmatch(text, -1) {
			if found++; !described[match[1]] && !strings.HasSuffix(path, "_test.go") {
				t.Errorf("%s reads the parameter %s, which openapi.yaml does not have", path, match[1])
			}
		}
	}
	if found < 15 {
		t.Errorf("%d parameters were found", found)
	}
}

// roleNames are the names that openapi.yaml has for rights.
var roleNames = map[right]string{
	open: "none", good: "any", related: "account", super: "superduper", master: "master", superMaster: "super_master",
}

// lookupKey is the role that look-up keys have, on all reads of routing, beside the role of accounts.
const lookupKey = "lookup_key"

// rolesOf returns the roles of which an operation asks for one.
func rolesOf(op *v3.Operation) (all []string) {
	for _, alternative := range op.Security {
		for _, roles := range alternative.Requirements.FromOldest() {
			all = append(all, roles...)
			if len(roles) == 0 {
				all = append(all, "any")
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// roleOf returns the role of accounts that an operation asks for.
func roleOf(op *v3.Operation) string {
	roles := slices.DeleteFunc(rolesOf(op), func(role string) bool { return role == lookupKey })
	if len(roles) == 0 {
		return "none"
	}
	return strings.Join(roles, " or ")
}

// TestContractRecordings: what a real Crossbar responded keeps openapi.yaml, but for the exchanges that
// testdata/differences.json names, and for what each envelope of Crossbar has of its own.
func TestContractRecordings(t *testing.T) {
	t.Parallel()
	table, c := readDifferences(t), theContract()
	validated := 0
	for _, e := range readExchanges(t, recordings) {
		envelope := e.Response.envelope()
		target, err := url.Parse(e.Request.Path)
		if envelope == nil || err != nil || table.names(e) {
			continue
		}
		for _, own := range []string{"tokens", "page_size"} { // of Crossbar's; what is paged here was not recorded
			delete(envelope, own)
		}
		if envelope["revision"] == nil && e.Response.Status < 400 {
			envelope["revision"] = "none"
		}
		o := &observation{
			method: e.Request.Method, target: target, header: http.Header{}, body: []byte(e.Request.Body),
			status: e.Response.Status, returned: http.Header{"Content-Type": {"application/json"}}, text: []byte(jsonText(envelope)),
		}
		if op, _, _ := c.operation(o); op == nil {
			continue
		}
		validated++
		for _, complaint := range c.check(o) {
			t.Errorf("%s: %s %s: %s\n%s", e.name, o.method, o.target, complaint, o.text)
		}
	}
	if validated < 200 {
		t.Errorf("%d recordings were validated", validated)
	}
	t.Logf("%d recordings validated", validated)
}

// names reports whether the table names an exchange.
func (d *differences) names(e exchange) bool {
	return slices.ContainsFunc(d.rules, func(r *rule) bool { return r.Exchanges[e.name] != nil })
}

// TestRouteTable: the table of routes in docs/api.md is the one that openapi.yaml makes.
func TestRouteTable(t *testing.T) {
	const path, begin, end = "../../docs/api.md", "<!-- made from pkg/api/openapi.yaml -->\n", "<!-- end -->\n"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	_, after, foundEnd := strings.Cut(rest, end)
	if !found || !foundEnd {
		t.Fatalf("%s has no place for the table", path)
	}
	made := before + begin + routeTable(theContract().Document) + end + after
	if made == string(text) {
		return
	}
	if !*update {
		t.Fatalf("%s differs from openapi.yaml: go test ./pkg/api -run TestRouteTable -update", path)
	}
	if err := os.WriteFile(path, []byte(made), 0o644); err != nil { //nolint:gosec // as it was
		t.Fatal(err)
	}
}

// whoMay says in docs/api.md who has a role.
var whoMay = map[string]string{
	"none": "anybody", "any": "a valid token", "account": "A, its ancestors, superduper", "superduper": "superduper",
	"master": "master", "super_master": "super_master",
}

// routeTable returns the operations as a table: a row has those of one path that the same role may use.
func routeTable(d *v3.Document) string {
	var b strings.Builder
	b.WriteString("| path | methods | who | what |\n|---|---|---|---|\n")
	names := strings.NewReplacer("/v2/", "", "{account}", "{A}", "{ip}", "{IP}", "{cluster}", "{ID}", "{schema}", "{ID}")
	for path, item := range d.Paths.PathItems.FromOldest() {
		var methods, summaries []string
		who := ""
		flush := func() {
			if len(methods) > 0 {
				fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", names.Replace(path), strings.Join(methods, ", "), who,
					strings.Join(summaries, "; "))
			}
			methods, summaries = nil, nil
		}
		for method, op := range item.GetOperations().FromOldest() {
			may := whoMay[roleOf(op)]
			if slices.Contains(rolesOf(op), lookupKey) {
				may += ", look-up keys"
			}
			if may != who {
				flush()
				who = may
			}
			methods, summaries = append(methods, strings.ToUpper(method)), append(summaries, op.Summary)
		}
		flush()
	}
	return b.String()
}
