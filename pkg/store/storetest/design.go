package storetest

import (
	"testing/fstest"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

// design reads a design document as from a file.
func design(s *subject, text string) document.Document {
	s.Helper()
	doc, err := store.Design(fstest.MapFS{"design.json": {Data: []byte(text)}}, "design.json")
	s.ok(err)
	return doc
}

// letters is a design document as Kazoo writes them. Its view "all" has a row for every document with a "k", or
// with several under "ks".
func letters(s *subject) document.Document {
	s.Helper()
	return design(s, `{"_id":"_design/letters","language":"javascript","views":{
		"all":{"map":[
			"function(doc) {",
			"  if ('k' in doc) emit(doc.k, doc.v);",
			"  (doc.ks || []).forEach(function(k) { emit(k, doc.v); });",
			"}"]},
		"distinct":{"map":["function(doc) {","  if ('k' in doc) emit(doc.k, null);","}"],
			"reduce":["function(keys, values) {","  return true;","}"]},
		"count":{"map":"function(doc) { if ('k' in doc) emit(doc.k, doc.v); }","reduce":"_count"},
		"sum":{"map":"function(doc) { if ('k' in doc) emit(doc.k, doc.v); }","reduce":"_sum"},
		"ids":{"map":"function(doc) { emit(doc._id, doc._rev); }"}}}`)
}

// install: our own design documents follow the program that runs, and are written only when they change.
func install(s *subject) {
	s.put(`{"_id":"a","k":"x"}`)
	one := design(s, `{"_id":"_design/own","language":"javascript",
		"views":{"v":{"map":["function(doc) {","emit('one');","}"]}}}`)
	s.ok(s.Install(s.Context(), s.db, one))
	s.equal(s.rows("own", "v", store.Query{}), `"one" a null`)
	rev := s.get("_design/own").Rev()
	s.ok(s.Install(s.Context(), s.db, one))
	if again := s.get("_design/own").Rev(); again != rev {
		s.Errorf("rewritten for nothing: %s, then %s", rev, again)
	}
	two := design(s, `{"_id":"_design/own","language":"javascript",
		"views":{"v":{"map":"function(doc) { emit('two'); }"}}}`)
	s.ok(s.Install(s.Context(), s.db, two))
	s.equal(s.rows("own", "v", store.Query{}), `"two" a null`)
}

// installIfMissing: a design document of Kazoo's is Kazoo's once it is there.
func installIfMissing(s *subject) {
	s.put(`{"_id":"a"}`)
	for _, emitted := range []string{"first", "second"} {
		s.ok(s.InstallIfMissing(s.Context(), s.db, design(s, `{"_id":"_design/kazoo","language":"javascript",
			"views":{"v":{"map":"function(doc) { emit('`+emitted+`'); }"}}}`)))
		s.equal(s.rows("kazoo", "v", store.Query{}), `"first" a null`)
	}
}

func missingView(s *subject) {
	view := func(design, name string) error {
		return s.View(s.Context(), s.db, design, name, store.Query{}, func(store.Row) error { return nil })
	}
	testutil.RequireFault(s, view("letters", "all"), fault.DatastoreMissingView)
	s.ok(s.Install(s.Context(), s.db, letters(s)))
	s.ok(view("letters", "all"))
	testutil.RequireFault(s, view("letters", "none"), fault.DatastoreMissingView)
	s.remove("_design/letters")
	testutil.RequireFault(s, view("letters", "all"), fault.DatastoreMissingView)
	s.ok(s.Install(s.Context(), s.db, letters(s)))
	s.ok(view("letters", "all"))
}
