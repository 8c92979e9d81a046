package auth_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"junctor/pkg/auth"
	"junctor/pkg/doccache"
)

// BenchmarkVerifyWarm is what looking at the token of a request costs, when the client has been here before: that
// should be at most a fifth of BenchmarkBareMux.
func BenchmarkVerifyWarm(b *testing.B) {
	s := openExample(b)
	documents := doccache.New(s, doccache.Options{Staleness: time.Second})
	a := auth.NewAuthenticator(s, auth.Options{Documents: documents})
	credentials := auth.Credentials{
		Kind: auth.XAuthToken, Token: tokenOf(b, customerA, userOfA, secretOfUserA, nil),
	}
	wanted := auth.Access{Path: []string{"ips"}, Verb: "GET", Account: getAccount(b, s, customerA)}
	b.ReportAllocs()
	for b.Loop() {
		i, err := a.Authenticate(b.Context(), credentials)
		if err != nil {
			b.Fatal(err)
		}
		if err := a.CheckRestrictions(b.Context(), i, wanted); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBareMux is a request over HTTP that gorilla/mux routes to a handler which does nothing.
func BenchmarkBareMux(b *testing.B) {
	router := mux.NewRouter()
	router.HandleFunc("/v2/accounts/{account}/ips", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "{}")
	})
	server := httptest.NewServer(router)
	defer server.Close()
	b.ReportAllocs()
	for b.Loop() {
		response, err := http.Get(server.URL + "/v2/accounts/" + customerA + "/ips")
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
}
