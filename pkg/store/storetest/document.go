package storetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

func revisions(s *subject) {
	first := s.put(`{"_id":"a","n":1}`)
	if !regexp.MustCompile(`^1-[0-9a-f]{32}$`).MatchString(first) {
		s.Errorf("first revision %q", first)
	}
	s.refused(`{"_id":"a","n":2}`)
	want := s.parse(`{"_id":"a","n":2,"_rev":"` + first + `"}`)
	second, err := s.Put(s.Context(), s.db, want) // which signs it, if s is on a cluster
	s.ok(err)
	if want["_rev"] = second; !strings.HasPrefix(second, "2-") {
		s.Errorf("second revision %q", second)
	}
	s.refused(`{"_id":"a","n":3,"_rev":"` + first + `"}`)
	testutil.RequireFault(s, s.Delete(s.Context(), s.db, "a", first), fault.Conflict)
	s.refused(`{"_id":"never","_rev":"` + first + `"}`)
	if doc := s.get("a"); !reflect.DeepEqual(doc, want) {
		s.Errorf("got %v, want %v", doc, want)
	}
}

// refused puts a document that has to meet a conflict.
func (s *subject) refused(text string) {
	s.Helper()
	_, err := s.Put(s.Context(), s.db, s.parse(text))
	testutil.RequireFault(s, err, fault.Conflict)
}

func deletedIsMissing(s *subject) {
	_, err := s.Get(s.Context(), s.db, "a")
	testutil.RequireFault(s, err, fault.BadIdentifier)
	rev := s.put(`{"_id":"a"}`)
	s.ok(s.Delete(s.Context(), s.db, "a", rev))
	_, err = s.Get(s.Context(), s.db, "a")
	testutil.RequireFault(s, err, fault.BadIdentifier)
	testutil.RequireFault(s, s.Delete(s.Context(), s.db, "never", rev), fault.Conflict)
	rev = s.put(`{"_id":"b"}`)
	s.put(`{"_id":"b","_deleted":true,"_rev":"` + rev + `"}`)
	_, err = s.Get(s.Context(), s.db, "b")
	testutil.RequireFault(s, err, fault.BadIdentifier)
}

// recreated: a released name may be taken again, and nobody writes over the new document with a revision of the
// old one.
func recreated(s *subject) {
	first := s.put(`{"_id":"a","n":1}`)
	s.ok(s.Delete(s.Context(), s.db, "a", first))
	second := s.put(`{"_id":"a","n":1}`)
	if second == first {
		s.Errorf("the revision of the deleted document again: %s", second)
	}
	s.refused(`{"_id":"a","n":2,"_rev":"` + first + `"}`)
	s.refused(`{"_id":"a","n":2}`)
	s.put(`{"_id":"a","n":2,"_rev":"` + second + `"}`)
}

func readOneRevision(s *subject) {
	rev := s.put(`{"_id":"a","n":1}`)
	doc, err := s.GetRevision(s.Context(), s.db, "a", rev)
	s.ok(err)
	if doc.Rev() != rev {
		s.Errorf("got %v", doc)
	}
	_, err = s.GetRevision(s.Context(), s.db, "a", "7-967a00dff5e02add41819138abb3284d")
	testutil.RequireFault(s, err, fault.BadIdentifier)
}

func oddIDs(s *subject) {
	for _, id := range []string{
		"10.0.0.1", "2001:db8::1", "a/b", "/a", "a//b", "..", "a+b", "a b", "%", "%2F", "a%20b", "?a=b&c", "#", "a:b",
		"a@b", `"`, `\`, "'", "é", "日本", "😀", "<a>", "A", "a", "junctor", strings.Repeat("x", 200),
	} {
		text, _ := document.Encode(document.Document{"_id": id, "is": id})
		s.put(string(text))
		doc := s.get(id)
		if doc.ID() != id || doc["is"] != id {
			s.Errorf("%q: got %v", id, doc)
		}
		many, err := s.GetMany(s.Context(), s.db, []string{id, "other"})
		if err != nil || len(many) != 1 || many[id].Rev() != doc.Rev() {
			s.Errorf("%q: got many %v, %v", id, many, err)
		}
		s.remove(id)
	}
}

// valuesSurvive: a document is Kazoo's as much as ours, whatever is in it.
func valuesSurvive(s *subject) {
	values := []string{
		`null`, `true`, `false`, `0`, `-1`, `1.5`, `-0.25`, `9007199254740991`, `-9007199254740991`, `1e-7`, `1.25e20`,
		`63962540127`, `""`, `"text"`, `"é日本😀"`, `"\u0000\u0001\u001f\u007f\u2028\u2029"`, `"\"\\\/<>&"`, `[]`, `{}`,
		`[[],{},[null],""]`, `{"":1,"a b":{"c":[{"d":null}]},"pvt_x":2,"_nested":3}`,
		strings.Repeat(`[`, 50) + strings.Repeat(`]`, 50), strings.Repeat(`{"a":`, 50) + `1` + strings.Repeat(`}`, 50),
	}
	for i, text := range values {
		id := fmt.Sprintf("doc%d", i)
		s.put(`{"_id":"` + id + `","pvt_unknown":{"kept":[1]},"value":` + text + `}`)
		doc := s.get(id)
		s.same(doc["value"], text)
		s.same(doc["pvt_unknown"], `{"kept":[1]}`)
	}
}

// same compares a value read with the text written; numbers by what they are, since a store may respell them.
func (s *subject) same(got any, text string) {
	s.Helper()
	encoded, err := document.Encode(got)
	s.ok(err)
	var a, b any
	s.ok(json.Unmarshal(encoded, &a))
	s.ok(json.Unmarshal([]byte(text), &b))
	if !reflect.DeepEqual(a, b) {
		s.Errorf("got %s, want %s", encoded, text)
	}
}

// nestedDocument: no document makes itself or others unreadable by how deep it is nested. A CouchDB has no bound, and what an
// account has in its own document may come from its users.
func nestedDocument(s *subject) {
	s.sample(`"b"`)
	var deep any = json.Number("1")
	for range 2000 {
		deep = []any{deep}
	}
	rev, err := s.Put(s.Context(), s.db, document.Document{"_id": "a", "k": "a", "deep": deep})
	s.ok(err)
	want := document.Document{"_id": "a", "_rev": rev, "k": "a", "deep": deep}
	same := func(doc document.Document) {
		s.Helper()
		if doc.ID() == "a" && !reflect.DeepEqual(doc, want) {
			s.Errorf("another document came back")
		}
	}
	same(s.get("a"))
	many, err := s.GetMany(s.Context(), s.db, []string{"a", "doc00"})
	s.ok(err)
	same(many["a"])
	s.equal(s.rows("letters", "all", store.Query{}), `"a" a null`, `"b" doc00 0`)
	s.ok(store.AllPages(s.Context(), s, s.db, 10, func(docs []document.Document) error {
		for _, doc := range docs {
			same(doc)
		}
		return nil
	}))
	s.ok(s.ChangesSince(s.Context(), s.db, "", func(c store.Change) error {
		doc, err := c.Doc()
		same(doc)
		return err
	}))
}

func largeDocument(s *subject) {
	text := strings.Repeat("0123456789abcdef", 1<<15)
	s.put(`{"_id":"large","text":"` + text + `"}`)
	if doc := s.get("large"); doc["text"] != text {
		s.Errorf("%d bytes came back", len(doc.String("text")))
	}
}

// tombstones: a document can be deleted with fields, even one that never was, and they can be read.
func tombstones(s *subject) {
	rev := s.put(`{"_id":"a","v":1}`)
	s.put(`{"_id":"b"}`)
	ids := []string{"a", "b", "never", "neither"}
	gone, there, err := s.GetDeleted(s.Context(), s.db, ids)
	s.ok(err)
	if len(gone) > 0 || len(there) != 2 || !there["a"] || !there["b"] {
		s.Errorf("nothing was deleted, and there is %v beside %v", gone, there)
	}
	s.put(`{"_id":"a","_rev":"` + rev + `","_deleted":true,"why":"sold"}`)
	s.put(`{"_id":"never","_deleted":true,"why":"imported"}`)
	gone, there, err = s.GetDeleted(s.Context(), s.db, ids)
	s.ok(err)
	if len(there) != 1 || !there["b"] {
		s.Errorf("b is there, and not %v", there)
	}
	for id, want := range map[string]string{"a": "sold", "never": "imported"} {
		doc := gone[id]
		if len(gone) != 2 || doc.ID() != id || doc.String("why") != want || !doc.Bool("_deleted") {
			s.Errorf("%s: the tombstone is %v", id, doc)
		}
		_, err = s.Get(s.Context(), s.db, id)
		testutil.RequireFault(s, err, fault.BadIdentifier)
	}
	var found []string
	s.ok(s.ChangesSince(s.Context(), s.db, "", func(change store.Change) error {
		doc, err := change.Doc()
		if change.Deleted {
			found = append(found, doc.ID()+" "+doc.String("why"))
		}
		return err
	}))
	slices.Sort(found) // a CouchDB has a feed for each shard
	s.equal(found, "a sold", "never imported")
}
