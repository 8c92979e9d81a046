package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/store"
)

// recordedDocuments is what was done to an ordinary document resource (blacklists) of a real Crossbar: ours is one,
// wherever the documentation is silent.
const recordedDocuments = "testdata/21_document_crud.jsonl"

// routingDifferences is what we deliberately answer instead, by the number of the exchange.
var routingDifferences = []struct {
	exchanges []int
	want      expected
	reason    string
}{
	{[]int{10}, expected{Data: json.RawMessage(`[
		{"id":"49ff46bd5c84c7548ab3580de8310c9b","owner":"o","name":"three","randomize_routing":true},
		{"id":"6369267a7c7c66d51ae1b53a2d1c628f","owner":"o","name":"one","randomize_routing":false},
		{"id":"mine","owner":"o","name":"two","randomize_routing":false}]`),
	}, "each listing shows fields of its own; ours is in the order of ids"},
	{[]int{49}, expected{Data: json.RawMessage(`[
		{"id":"49ff46bd5c84c7548ab3580de8310c9b","owner":"o","name":"three","randomize_routing":true},
		{"id":"mine","owner":"o","name":"two","randomize_routing":false}]`),
	}, "the same"},
	{[]int{34, 35, 36}, expected{
		Data:  json.RawMessage(`{"message":"the revision is another one"}`),
		Error: text("412"), Message: text("precondition_failed"),
	}, "every answer that can have a body has one"},
	{[]int{34, 35, 36, 40, 41, 42}, expected{Headers: map[string]string{"content-type": "application/json"}},
		"every body says what it is"},
	{[]int{40}, expected{
		Status: 409, Error: text("409"), Message: text("datastore_conflict"),
		Data: json.RawMessage(`{"message":"conflicting documents"}`),
	}, "PUT creates under the path of the document: a cluster has its id before it comes here"},
	{[]int{44}, expected{Data: json.RawMessage(`{
		"id":"6369267a7c7c66d51ae1b53a2d1c628f","owner":"o","name":"matched","ips":{},"randomize_routing":false}`),
	}, "the documentation shows the last document, without _read_only"},
}

func text(s string) *string { return &s }

// TestRoutingRecorded does step by step what was done to Crossbar, with our names for the fields.
func TestRoutingRecorded(t *testing.T) {
	t.Parallel()
	onStores(t, &routingTemplate, func(t *testing.T, s *store.Store) {
		r := &documentReplay{service: newService(t, s), revisions: map[string]string{}}
		exchanges := readExchanges(t, recordedDocuments)
		if len(exchanges) != 49 {
			t.Fatalf("%d exchanges", len(exchanges))
		}
		for _, e := range exchanges {
			r.play(t, e)
		}
	})
}

// documentReplay is a run through the recording. Our revisions are others than Crossbar's, so they are kept by its.
type documentReplay struct {
	*service
	revisions map[string]string
}

func (r *documentReplay) play(t *testing.T, e exchange) {
	t.Helper()
	name := fmt.Sprintf("%d %s", e.N, e.Note)
	who := "M" // manages the documents as the account did that they belong to
	if e.Response.Status == 403 {
		who = "B"
	}
	got := r.as(who, e.Request.Method, r.path(e), r.body(t, e), r.headers(e)...)
	want := r.expect(e)
	for _, complaint := range want.compare(got) {
		t.Errorf("%s: %s", name, complaint)
	}
	r.compareRevision(t, name, e, got)
}

// renamed are the recorded fields as ours. The flags have no like here, and are a field that nobody knows.
var renamed = map[string]string{"numbers": "ips", "should_block_anonymous": "randomize_routing"}

func rename(object map[string]any) map[string]any {
	result := map[string]any{}
	for key, value := range object {
		if ours, ok := renamed[key]; ok {
			key = ours
		}
		result[key] = value
	}
	return result
}

// path returns our path for the one recorded. There a new document is given its id, which here is in the path.
func (*documentReplay) path(e exchange) string {
	_, rest, _ := strings.Cut(e.Request.Path, "/blacklists")
	if e.Request.Method == "PUT" && rest == "" {
		rest = "/refused"
		if id := e.Response.data().String("id"); id != "" {
			rest = "/" + id
		}
	}
	return clustersPath + rest
}

// data returns the data of a recorded response if that is an object.
func (r response) data() document.Document {
	data, _ := r.envelope()["data"].(map[string]any)
	return data
}

// body returns what a request carries, and what our documents need besides.
func (*documentReplay) body(t *testing.T, e exchange) string {
	t.Helper()
	if e.Request.Body == "" {
		return ""
	}
	var envelope struct{ Data map[string]any }
	if err := json.Unmarshal([]byte(e.Request.Body), &envelope); err != nil {
		t.Fatal(err)
	}
	data := rename(envelope.Data)
	if e.Request.Method == "PUT" || e.Request.Method == "POST" {
		data["owner"] = "o"
		if data["ips"] == nil {
			data["ips"] = map[string]any{}
		}
	}
	return jsonText(map[string]any{"data": data})
}

func (r *documentReplay) headers(e exchange) (headers []string) {
	for name, value := range e.Request.Headers {
		if name != "X-Auth-Token" {
			if ours, ok := r.revisions[strings.Trim(value, `"`)]; ok {
				value = `"` + ours + `"`
			}
			headers = append(headers, name, value)
		}
	}
	return headers
}

// expect returns what was recorded in our terms, and over it what junctor responds instead.
func (r *documentReplay) expect(e exchange) expected {
	want := recordedAnswer(e)
	delete(want.Headers, "access-control-allow-methods") // other verbs, see path
	if id, ok := strings.CutPrefix(want.Headers["location"], "/v2/accounts/"+accountA+"/blacklists"); ok {
		want.Headers["location"] = clustersPath + id
	}
	if data := rename(e.Response.data()); len(data) > 0 {
		if e.Response.Status < 300 {
			addAlways(data)
		} else {
			delete(data, "flags") // we know nothing of what is wrong with them
		}
		want.Data = json.RawMessage(jsonText(data))
	}
	for _, d := range routingDifferences {
		if slices.Contains(d.exchanges, e.N) {
			want = want.with(d.want)
		}
	}
	return want
}

// addAlways adds to a recorded document what ours always has.
func addAlways(data map[string]any) {
	data["owner"] = "o"
	if data["randomize_routing"] == nil {
		data["randomize_routing"] = false
	}
}

// compareRevision checks that a document's revision is of the recorded generation, and that a GET is tagged with it.
func (r *documentReplay) compareRevision(t *testing.T, name string, e exchange, got answer) {
	t.Helper()
	revision := document.Document(got.envelope).String("revision")
	if e.Response.Headers["etag"] != "" && got.status == 200 && got.header.Get("ETag") != `"`+revision+`"` {
		t.Errorf("%s: ETag %s of revision %s", name, got.header.Get("ETag"), revision)
	}
	recorded := document.Document(e.Response.envelope()).String("revision")
	number, _, isDocument := strings.Cut(recorded, "-")
	if !isDocument {
		if got.status >= 400 && revision != "" {
			t.Errorf("%s: a failure has revision %s", name, revision)
		}
		return
	}
	if mine, _, _ := strings.Cut(revision, "-"); mine != number {
		t.Errorf("%s: revision %s, want generation %s", name, revision, number)
	}
	if known, ok := r.revisions[recorded]; ok && known != revision {
		t.Errorf("%s: revision %s, was %s", name, revision, known)
	}
	r.revisions[recorded] = revision
}
