package api_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"junctor/pkg/store"
)

// whatWasSent makes the documented answer to the PUT the one that can be: it shows an address that was not sent.
func whatWasSent(t *testing.T, e example) example {
	t.Helper()
	fields := strings.Fields(e.answer)
	text := strings.Join(fields, " ")
	e.answer = strings.Replace(text, `"outbound": { "east": [ "0.0.0.2" ]`, `"outbound": { "east": []`, 1)
	if e.answer == text {
		t.Fatalf("%s: another answer than expected: %s", e.heading, text)
	}
	return e
}

// withoutBackslashes is the same command on as few lines as it takes.
func (e example) withoutBackslashes() example {
	e.command = strings.ReplaceAll(strings.ReplaceAll(e.command, "\\\n", "\n"), "\\", "")
	if command, body, ok := strings.Cut(e.command, "-d '"); ok {
		e.command = oneLine(command) + " -d '" + body
	} else {
		e.command = oneLine(command)
	}
	return e
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// byQuery is the same command with the id of the cluster, and the token, in the query.
func (e example) byQuery() example {
	lines := strings.Split(e.command, "\n")
	var kept []string
	for _, line := range lines {
		switch {
		case strings.Contains(line, "X-Kazoo-Cluster-ID"), strings.Contains(line, "X-Auth-Token"):
			continue
		case strings.HasPrefix(strings.TrimSpace(line), "http://"):
			url := strings.Fields(line)[0]
			line = strings.Replace(line, url, "'"+url+"?kazoo_cluster_id={CLUSTER_ID}&auth_token={AUTH_TOKEN}'", 1)
		}
		kept = append(kept, line)
	}
	e.command = strings.Join(kept, "\n")
	return e
}

// toggleSlash is the same command with a slash at the end of the path where there is none, and without where there is.
func (e example) toggleSlash() example {
	before, after, _ := strings.Cut(e.command, "/customer_cluster")
	if rest, ok := strings.CutPrefix(after, "/"); ok {
		after = rest
	} else {
		after = "/" + after
	}
	e.command = before + "/customer_cluster" + after
	return e
}

// TestRoutingDocumentation runs every curl command of the documentation in its order, as printed and in the other
// ways to say the same, each twice in a row: PUT after DELETE makes the cluster anew.
func TestRoutingDocumentation(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil && os.Getenv("CI") != "true" {
		t.Skip("there is no curl")
	}
	examples := readExamples(t, "call-routing-api.txt")
	if len(examples) != 5 {
		t.Fatalf("%d examples", len(examples))
	}
	ways := []struct {
		name string
		way  func(example) example
	}{
		{"as printed", func(e example) example { return e }},
		{"without backslashes", example.withoutBackslashes},
		{"in the query", example.byQuery},
		{"with and without a slash", example.toggleSlash},
	}
	onStores(t, &routingTemplate, func(t *testing.T, s *store.Store) {
		sv := newService(t, s)
		for _, way := range ways {
			for range 2 {
				sv.runRoutingExamples(t, examples, way.name, way.way)
			}
		}
	})
}

// runRoutingExamples runs the commands. Before the first, GET, the document it shows is there, and after it no more.
func (sv *service) runRoutingExamples(t *testing.T, examples []example, name string, way func(example) example) {
	t.Helper()
	const documented = `{"data":{"owner":"2600hz","name":"Kazoo Sandbox","ips":{
		"inbound":{"east":["0.0.0.1"],"central":["0.0.1.1"],"west":["0.0.2.1"]},
		"outbound":{"east":["0.0.0.2"],"central":["0.0.1.2"],"west":["0.0.2.2"]}}}}`
	sv.want(sv.as("M", "PUT", clusterPath, documented), 201)
	for i, e := range examples {
		if i == 1 {
			sv.want(sv.as("M", "DELETE", clusterPath, ""), 200)
			e = whatWasSent(t, e)
		}
		changed := way(e)
		if name != "as printed" && changed.command == e.command {
			t.Fatalf("%s, %s: the same command", e.heading, name)
		}
		changed.heading += ", " + name
		changed.answer = sv.fillRouting(changed.answer)
		sv.compareExample(t, changed, sv.curl(t, "M", sv.fillRouting(changed.command)))
	}
	sv.want(sv.as("M", "GET", clusterPath, ""), 404)
}

// fillRouting puts what a reader puts for the placeholders.
func (sv *service) fillRouting(text string) string {
	return strings.NewReplacer(
		"{SERVER}:{PORT}", sv.addr, "{AUTH_TOKEN}", sv.token("M"), "{CLUSTER_ID}", documentedCluster,
	).Replace(text)
}
