package routing

import (
	"net/http"
	"net/url"
	"strings"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// conflictCases are about a CouchDB cluster, which can accept two writers at once. There, the second one writes to
// another node; here, its revision comes in as replication brings it, right after ours was accepted.
func conflictCases(dsn string) []testCase {
	return []testCase{
		{"conflict: patch loses", func(s *subject) { patchLoses(s, dsn) }},
		{"conflict: patch wins", func(s *subject) { patchWins(s, dsn) }},
		{"conflict: claim loses", func(s *subject) { claimLoses(s, dsn) }},
	}
}

// against returns a registry against which another writer is accepted right after its first write to a database.
func (s *subject) against(dsn, db, other string) *Registry {
	s.Helper()
	replicas := storetest.NewReplicas(s, dsn, s.s.Prefix+db)
	replicas.Contest(s.s.Prefix+db, func() { s.accept(dsn, db, other) })
	return s.registry(storetest.Apart{Store: storetest.Open(s, replicas.URL), Prefix: s.s.Prefix}, Options{})
}

// accept brings a revision in as replication does, on every node.
func (s *subject) accept(dsn, db, text string) {
	s.Helper()
	address := strings.TrimRight(dsn, "/") + "/" + url.PathEscape(s.s.Prefix+db) + "/_bulk_docs"
	response, err := http.Post(address, "application/json", strings.NewReader(`{"new_edits":false,"w":3,"docs":[`+text+`]}`))
	s.ok(err)
	s.ok(response.Body.Close())
	if response.StatusCode >= http.StatusMultipleChoices {
		s.Fatalf("%s: %s", address, response.Status)
	}
}

// revisionAfter is the text of a document over what is stored, with a hash that decides who wins.
func (s *subject) revisionAfter(id, digit, member string) string {
	s.Helper()
	stored := s.stored(Database, id)
	hash := strings.Repeat(digit, 32)
	stored["other"] = member
	stored["_revisions"] = document.Document{"start": document.Number(2),
		"ids": []any{hash, strings.TrimPrefix(stored.Rev(), "1-")}}
	stored["_rev"] = "2-" + hash
	return jsonText(s, stored)
}

// patchLoses: who loses starts over from what won, and leaves no revision behind.
func patchLoses(s *subject, dsn string) {
	s.have(clusterA, "in:a:10.0.0.1")
	r := s.against(dsn, Database, s.revisionAfter(clusterA, "f", "winner"))
	c, err := r.Patch(s.Context(), clusterA, doc(s, `{"name":"x","ips":{"inbound":{"b":["10.0.0.2"]}}}`), author, nil)
	s.ok(err)
	stored := s.stored(Database, clusterA)
	if stored.Rev() != c.Revision() || stored.String("other") != "winner" || stored.String("name") != "x" ||
		stored["_conflicts"] != nil {
		s.Errorf("returned %s, stored is %v", c.Revision(), stored)
	}
	s.holds(0, map[string][]string{clusterA: {"inbound:10.0.0.1", "inbound:10.0.0.2"}})
}

// patchWins: the other has to take its revision away.
func patchWins(s *subject, dsn string) {
	s.have(clusterA, "in:a:10.0.0.1")
	r := s.against(dsn, Database, s.revisionAfter(clusterA, "0", "loser"))
	c, err := r.Patch(s.Context(), clusterA, doc(s, `{"name":"x"}`), author, nil)
	s.ok(err)
	stored := s.stored(Database, clusterA)
	if stored.Rev() != c.Revision() || stored["other"] != nil || len(stored.Strings("_conflicts")) != 1 {
		s.Errorf("returned %s, stored is %v", c.Revision(), stored)
	}
	if _, err := s.Patch(s.Context(), clusterA, doc(s, `{"name":"y"}`), author, nil); err != nil {
		s.Errorf("over a conflict: %v", err)
	}
}

func claimLoses(s *subject, dsn string) {
	hash := strings.Repeat("f", 32)
	made := document.Number(kazoo.Gregorian(s.options.Now()))
	r := s.against(dsn, ClaimsDatabase, jsonText(s, document.Document{"_id": "inbound:10.0.0.1",
		"_rev": "1-" + hash, fieldCluster: clusterB, kazoo.FieldModified: made}))
	_, err := r.Create(s.Context(), clusterA, body(s, "in:a:10.0.0.1", "in:a:10.0.0.2"), author)
	testutil.RequireFault(s, err, fault.Invalid)
	claim := s.stored(ClaimsDatabase, "inbound:10.0.0.1")
	if claim.String(fieldCluster) != clusterB || claim["_conflicts"] != nil || s.stored(Database, clusterA) != nil {
		s.Errorf("the claim is %v", claim)
	}
	s.holds(1, map[string][]string{})
}
