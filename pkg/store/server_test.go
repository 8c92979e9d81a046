package store_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

func TestAsk(t *testing.T) {
	t.Parallel()
	server, err := store.Ask(t.Context(), storetest.CouchDSN(t))
	if err != nil || server.Version == "" || !server.Admin {
		t.Fatalf("%+v, %v", server, err)
	}
	if apart := time.Since(server.Clock); apart < -time.Minute || apart > time.Minute {
		t.Errorf("its clock is %s behind", apart)
	}
}

// TestAskDocumented: what a CouchDB 3 says by its documentation, to an administrator and to somebody else.
func TestAskDocumented(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, password, _ := r.BasicAuth()
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Date", "Tue, 14 Nov 2023 22:13:20 GMT")
		switch {
		case password != "secret":
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"error":"unauthorized","reason":"Name or password is incorrect."}`))
		case r.URL.Path == "/couch/_session":
			roles := map[bool]string{true: `"_admin"`}[name == "admin"]
			_, _ = w.Write([]byte(`{"ok":true,"userCtx":{"name":"` + name + `","roles":[` + roles + `]},"info":{}}`))
		default:
			_, _ = w.Write([]byte(`{"couchdb":"Welcome","version":"3.5.0","features":["scheduler"],` +
				`"vendor":{"name":"The Apache Software Foundation"}}`))
		}
	})
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	dsn := func(user string) string { return strings.Replace(s.URL, "//", "//"+user+"@", 1) + "/couch" }
	want := store.Server{Version: "3.5.0", Clock: time.Unix(1700000000, 0).UTC(), Admin: true}
	if got, err := store.Ask(t.Context(), dsn("admin:secret")); got != want || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	want.Admin = false
	if got, err := store.Ask(t.Context(), dsn("other:secret")); got != want || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	_, err := store.Ask(t.Context(), dsn("admin:wrong"))
	if !fault.Is(err, fault.Forbidden) || !strings.Contains(err.Error(), "Name or password is incorrect.") {
		t.Errorf("a wrong password: %v", err)
	}
}

func TestAskOthers(t *testing.T) {
	t.Parallel()
	for body, kind := range map[string]fault.Kind{"<html>": fault.DatastoreFault, `{"a":1}`: fault.DatastoreFault} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(s.Close)
		if _, err := store.Ask(t.Context(), s.URL); !fault.Is(err, kind) {
			t.Errorf("%s: %v", body, err)
		}
	}
	_, err := store.Ask(t.Context(), "http://u:secret@127.0.0.1:1")
	if !fault.Is(err, fault.DatastoreUnreachable) || strings.Contains(err.Error(), "secret") {
		t.Errorf("nobody there: %v", err)
	}
}
