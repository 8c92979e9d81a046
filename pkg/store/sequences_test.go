package store_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"

	"junctor/pkg/store"
)

// dbsInfo is a CouchDB that answers a question for several databases.
func dbsInfo(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) *store.Store {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /_dbs_info", answer)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	return open(t, server.URL)
}

// TestSequences reads what a CouchDB 3 answers, and one before 3.3.
func TestSequences(t *testing.T) {
	t.Parallel()
	s := dbsInfo(t, func(w http.ResponseWriter, r *http.Request) {
		asked, _ := io.ReadAll(r.Body)
		if string(asked) != `{"keys":["account/aa/bb/cc","none","gone"]}`+"\n" {
			t.Errorf("asked %q", asked)
		}
		_, _ = io.WriteString(w, `[{"key":"account/aa/bb/cc","info":{"instance_start_time":"1700000000",
			"db_name":"account/aa/bb/cc","purge_seq":"0-g1AAAA","update_seq":"12-g1AAAACTeJzLYWBg",
			"sizes":{"file":33992,"external":5,"active":340},"props":{},"doc_del_count":0,"doc_count":4,
			"disk_format_version":8,"compact_running":false,"cluster":{"q":2,"n":1,"w":1,"r":1}}},
			{"key":"none","error":"not_found"},{"key":"gone","info":null}]`)
	})
	got, err := s.Sequences(t.Context(), []string{"account/aa/bb/cc", "none", "gone"})
	if want := []string{"12-g1AAAACTeJzLYWBg", "", ""}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestSequencesRefused: an answer that is about other databases says nothing.
func TestSequencesRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`[]`, `{}`, `[`, ``} {
		s := dbsInfo(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
		if got, err := s.Sequences(t.Context(), []string{"db"}); err == nil {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// TestSequencesUnanswered: a CouchDB that does not answer is not waited for, and does not keep the store open.
func TestSequencesUnanswered(t *testing.T) {
	t.Parallel()
	s := dbsInfo(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	if got, err := s.Sequences(t.Context(), []string{"db"}); err == nil {
		t.Errorf("got %q", got)
	}
}

// TestSequencesOfNone: of none nobody is asked, since a CouchDB takes that for a mistake.
func TestSequencesOfNone(t *testing.T) {
	t.Parallel()
	s := dbsInfo(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "of none", http.StatusBadRequest) })
	for _, none := range [][]string{nil, {}} {
		if got, err := s.Sequences(t.Context(), none); len(got) != 0 || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	}
}
