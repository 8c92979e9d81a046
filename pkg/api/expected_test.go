package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"junctor/pkg/document"
)

// expected is an answer that is looked for. A part that is not set is not looked at.
type expected struct {
	Status  int               `json:"status"`
	Data    json.RawMessage   `json:"data"`
	Error   *string           `json:"error"`
	Message *string           `json:"message"`
	Headers map[string]string `json:"headers"`
	// Documents is what the pool holds afterwards that Crossbar's did not: by id, null for none.
	Documents map[string]document.Document `json:"documents"`
	// Copies is the same for the copies in account databases, whose id is in front: "ACCOUNT/IP".
	Copies map[string]document.Document `json:"copies"`

	shuffled bool // the order of the data means nothing
}

// recordedAnswer is what Crossbar answered, as far as it is compared.
func recordedAnswer(e exchange) expected {
	want := expected{Status: e.Response.Status, Headers: map[string]string{}}
	want.shuffled = strings.Contains(e.Request.Path, "/assigned")
	for _, name := range []string{"content-type", "expires", "location", "access-control-allow-methods"} {
		want.Headers[name] = e.Response.Headers[name]
	}
	envelope := e.Response.envelope()
	if envelope == nil {
		want.Data = e.Response.Body // a text, or nothing
		return want
	}
	want.Data = json.RawMessage(jsonText(envelope["data"]))
	for key, into := range map[string]**string{"error": &want.Error, "message": &want.Message} {
		text, _ := envelope[key].(string)
		*into = &text
	}
	return want
}

// with returns want where other says nothing.
func (want expected) with(other expected) expected {
	if other.Status != 0 {
		want.Status = other.Status
	}
	if other.Data != nil {
		want.Data = other.Data
	}
	if other.Error != nil {
		want.Error = other.Error
	}
	if other.Message != nil {
		want.Message = other.Message
	}
	want.Headers = maps.Clone(want.Headers)
	maps.Copy(want.Headers, other.Headers)
	if other.Documents != nil {
		want.Documents = other.Documents
	}
	if other.Copies != nil {
		want.Copies = other.Copies
	}
	return want
}

// compare returns what is not as expected.
func (want expected) compare(got answer) (complaints []string) {
	complain := func(what string, got, want any) {
		complaints = append(complaints, fmt.Sprintf("%s\ngot  %.600s\nwant %.600s", what, jsonText(got), jsonText(want)))
	}
	if got.status != want.Status {
		complain("status", got.status, want.Status)
	}
	var data any
	_ = json.Unmarshal(want.Data, &data)
	mine := got.data()
	if got.envelope == nil {
		mine = got.text
	}
	if !want.sameData(mine, data) {
		complain("data", mine, data)
	}
	for key, text := range map[string]*string{"error": want.Error, "message": want.Message} {
		if mine, _ := got.envelope[key].(string); text != nil && mine != *text {
			complain(key, mine, *text)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want.Headers)) {
		if mine := got.header.Get(name); !sameHeader(name, mine, want.Headers[name]) {
			complain(name, mine, want.Headers[name])
		}
	}
	return complaints
}

// sameData compares what was answered. Crossbar shuffles what an account is assigned, and a recording may be cut
// short.
func (want expected) sameData(got, data any) bool {
	if want.shuffled {
		got, data = inOrder(got), inOrder(data)
	}
	return reflect.DeepEqual(withoutRev(got), withoutRev(data)) || trimmed(got, data)
}

// withoutRev leaves out what depends on the store.
func withoutRev(data any) any {
	object, _ := data.(map[string]any)
	readOnly, _ := object["_read_only"].(map[string]any)
	if _, ok := readOnly["rev"].(string); ok {
		delete(readOnly, "rev")
	}
	return data
}

func inOrder(data any) any {
	list, ok := data.([]any)
	if !ok {
		return data
	}
	texts := make([]string, len(list))
	for i, item := range list {
		texts[i] = jsonText(item)
	}
	slices.Sort(texts)
	return texts
}

// trimmed reports whether got begins and ends as want does, which the recorder cut in the middle.
func trimmed(got, want any) bool {
	mark := "...<trimmed:"
	text := jsonText(want)
	text = strings.ReplaceAll(text, `\u003c`, "<")
	start, _, ok := strings.Cut(text, mark)
	end := text[strings.LastIndex(text, "...")+3:]
	mine := jsonText(got)
	return ok && strings.HasPrefix(mine, start) && strings.HasSuffix(mine, end)
}

func sameHeader(name, got, want string) bool {
	if name != "access-control-allow-methods" {
		return got == want
	}
	return reflect.DeepEqual(set(got), set(want))
}

func set(list string) map[string]bool {
	items := map[string]bool{}
	for item := range strings.SplitSeq(list, ",") {
		items[strings.TrimSpace(item)] = true
	}
	return items
}

// documents returns what the store has to hold after an exchange, which Crossbar took from before to after.
func (want expected) documents(before, after world) world {
	if want.Documents == nil && want.Copies == nil {
		return after
	}
	held := before.clone()
	change := func(db, id string, doc document.Document) {
		if doc != nil {
			doc["_id"] = id
			delete(doc, "_rev")
		}
		held.set(db, id, doc)
	}
	for id, doc := range want.Documents {
		change("dedicated_ips", id, doc)
	}
	for id, doc := range want.Copies {
		account, id, _ := strings.Cut(id, "/")
		change(databaseOf(account), id, doc)
	}
	return held
}
