package storetest

import (
	"net/http/httputil"
	"net/url"
	"testing"
)

// Forward passes requests on to the CouchDB at dsn, as the user that dsn names, whoever asks: for tests that put
// something of their own before it.
func Forward(t testing.TB, dsn string) *httputil.ReverseProxy {
	t.Helper()
	couch, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	user := couch.User
	couch.User = nil
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(couch)
		r.Out.Header.Del("Authorization")
		if password, ok := user.Password(); ok {
			r.Out.SetBasicAuth(user.Username(), password)
		}
	}}
}
