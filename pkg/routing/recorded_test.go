package routing

import (
	"bytes"
	"errors"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// recorded does what was done to documents of a real Crossbar, and compares answers and documents step by step.
func recorded(s *subject) {
	text, err := os.ReadFile("testdata/21_document_crud.jsonl")
	s.ok(err)
	compared := 0
	for line := range bytes.Lines(text) {
		if e := exchangeOf(s, line); e.isOurs() {
			e.run(s)
			compared++
		}
	}
	if compared != 45 {
		s.Errorf("%d steps were compared", compared)
	}
}

// exchange is one recorded exchange in our terms.
type exchange struct {
	document.Document
	id     string
	data   document.Document
	status int64
	answer document.Document
	stored document.Document // nil where nothing was written
}

// renamed are the fields of the recorded resource as ours. Its flags have no like, and are a field nobody knows.
var renamed = map[string]string{"numbers": "ips", "should_block_anonymous": "randomize_routing"}

func rename(fields any) document.Document {
	result := document.Document{}
	object, _ := fields.(map[string]any)
	for key, value := range object {
		if ours, ok := renamed[key]; ok {
			key = ours
		}
		result[key] = value
	}
	delete(result, "_read_only")
	return result
}

func exchangeOf(s *subject, line []byte) exchange {
	e := exchange{Document: doc(s, string(line))}
	request, response := e.object("request"), e.object("response")
	if body := request.String("body"); body != "" {
		e.data = rename(doc(s, body)["data"])
	}
	e.answer, _ = response["body"].(map[string]any)
	e.status, _ = response.Int("status")
	e.id = path.Base(request.String("path"))
	if request.String("method") == "PUT" {
		e.id = "refused"
		if id := rename(e.answer["data"]).String("id"); id != "" {
			e.id = id
		}
		e.complete(e.data)
	}
	if request.String("method") == "POST" {
		e.complete(e.data)
	}
	for db, docs := range e.object("couch_changes") {
		if strings.HasPrefix(db, "account/") {
			e.stored = rename(docs.([]any)[0])
		}
	}
	return e
}

func (e exchange) object(key string) document.Document {
	object, _ := e.Document[key].(map[string]any)
	return object
}

// complete adds what our documents need and the recorded ones do not.
func (e exchange) complete(data document.Document) {
	data["owner"] = "o"
	if data["ips"] == nil {
		data["ips"] = map[string]any{}
	}
}

// isOurs leaves out what is about HTTP and rights only: wrong methods, others' tokens, If-None-Match.
func (e exchange) isOurs() bool { return !slices.Contains([]int64{403, 405, 304}, e.status) }

func (e exchange) run(s *subject) {
	request := e.object("request")
	by := Author{AccountID: e.stored.String("pvt_auth_account_id"), Authenticated: true,
		RequestID: e.answer.String("request_id")}
	if modified, ok := e.stored.Int(kazoo.FieldModified); ok {
		s.clock.Store(kazoo.FromGregorian(modified).Unix())
	}
	var match store.Match
	if header := rename(request["headers"]).String("If-Match"); header != "" {
		match = func(revision string) bool { return kazoo.Generation(revision) == kazoo.Generation(header[1:]) }
	}
	var c Cluster
	var err error
	switch ctx := s.Context(); request.String("method") {
	case "PUT":
		c, err = s.Create(ctx, e.id, e.data, by)
	case "POST":
		c, err = s.Replace(ctx, e.id, e.data, by, match)
	case "PATCH":
		c, err = s.Patch(ctx, e.id, e.data, by, match)
	case "DELETE":
		c, err = s.Delete(ctx, e.id, by, match)
	case "GET":
		if e.id == "blacklists" {
			e.lists(s)
			return
		}
		c, err = s.Get(ctx, e.id)
	}
	e.compare(s, c, err)
}

func (e exchange) lists(s *subject) {
	got, err := s.List(s.Context())
	s.ok(err)
	var ids, want []string
	for _, c := range got {
		ids = append(ids, c.ID+" "+c.Name)
	}
	for _, entry := range e.answer["data"].([]any) {
		want = append(want, rename(entry).String("id")+" "+rename(entry).String("name"))
	}
	slices.Sort(want)
	if !slices.Equal(ids, want) {
		s.Errorf("%v %s: %v, want %v", e.Document["n"], e.String("note"), ids, want)
	}
}

func (e exchange) compare(s *subject, c Cluster, err error) {
	s.Helper()
	kind := map[int64]fault.Kind{400: fault.Invalid, 404: fault.BadIdentifier, 412: fault.PreconditionFailed}[e.status]
	if e.status >= 400 {
		want := any(rename(e.answer["data"]))
		if delete(want.(document.Document), "flags"); e.status == 412 {
			want = nil
		}
		f, _ := errors.AsType[*fault.Error](err)
		if f == nil || f.Kind != kind || jsonText(s, f.Data) != jsonText(s, want) {
			s.Errorf("%v %s: %v %v, want %v", e.Document["n"], e.String("note"), err, f, want)
		}
		return
	}
	s.ok(err)
	want := e.ours(rename(e.answer["data"]))
	revision := e.answer.String("revision")
	if got := c.Public(); !reflect.DeepEqual(got, want) || kazoo.Generation(c.Revision()) != kazoo.Generation(revision) {
		s.Errorf("%v %s:\ngot  %s %v\nwant %s %v", e.Document["n"], e.String("note"), c.Revision(), got, revision, want)
	}
	if e.stored == nil {
		return
	}
	want = e.ours(e.stored)
	want[kazoo.FieldType], want["pvt_account_db"] = documentType, Database
	got := s.stored(Database, e.id)
	if kazoo.Generation(got.Rev()) != kazoo.Generation(want.Rev()) {
		s.Errorf("%v %s: revision %s, want %s", e.Document["n"], e.String("note"), got.Rev(), want.Rev())
	}
	want["_rev"] = got.Rev()
	if !reflect.DeepEqual(got, want) {
		s.Errorf("%v %s:\ngot  %v\nwant %v", e.Document["n"], e.String("note"), got, want)
	}
}

// ours adds to a recorded document what ours always has.
func (e exchange) ours(want document.Document) document.Document {
	want["owner"] = "o"
	if want[fieldRandomize] == nil {
		want[fieldRandomize] = false
	}
	return want
}
