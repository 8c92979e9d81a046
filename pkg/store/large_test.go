package store_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store/storetest"
)

// TestTooLarge: that a document is too large is the fault of who made it, and not the store's.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	documented := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/dedicated_ips" {
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"ok":true}`)
			return
		}
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		_, _ = io.WriteString(w, `{"error":"document_too_large","reason":"a"}`)
	}))
	t.Cleanup(documented.Close)
	stores := map[string]string{"memory": "memory:", "documented": documented.URL}
	if os.Getenv("JUNCTOR_TEST_COUCHDB") != "" { // pouchdb-server takes them
		stores["CouchDB"] = storetest.FreshCouch(t)
	}
	for name, dsn := range stores {
		t.Run(name, func(t *testing.T) {
			s := open(t, dsn)
			if err := s.CreateDatabase(t.Context(), "dedicated_ips"); err != nil {
				t.Fatal(err)
			}
			large := document.Document{"_id": "a", "text": strings.Repeat("a", 8_000_000)}
			_, err := s.Put(t.Context(), "dedicated_ips", large)
			wantTooLarge(t, err)
			written, err := s.PutMany(t.Context(), "dedicated_ips", []document.Document{large})
			if err == nil && len(written) == 1 {
				err = written[0].Err
			}
			wantTooLarge(t, err)
		})
	}
}

func wantTooLarge(t *testing.T, err error) {
	t.Helper()
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Kind != fault.Invalid {
		t.Fatalf("got %v", err)
	}
	fields := fault.Fields{}
	fields.Add("", "maxSize", "The document is larger than the store takes", nil)
	if !reflect.DeepEqual(e.Data, fields) {
		t.Errorf("got %v", e.Data)
	}
}
