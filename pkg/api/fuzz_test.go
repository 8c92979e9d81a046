package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"junctor/pkg/api"
)

// FuzzDecodeBody: whatever a body holds and however it is labelled, the answer is JSON and no fault of ours.
func FuzzDecodeBody(f *testing.F) {
	s := kazooTemplate.Open(f)
	sv := newService(f, s)
	token := sv.token("A")
	c := newConfig(f, s, sv.clock.now)
	server := api.New(c)
	f.Fuzz(func(t *testing.T, body, mediaType string) {
		for _, method := range []string{"POST", "DELETE", "GET"} {
			r := httptest.NewRequest(method, ipsOfA, strings.NewReader(body))
			r.Header["X-Auth-Token"] = []string{token}
			r.Header["Content-Type"] = []string{mediaType}
			w := httptest.NewRecorder()
			server.ServeHTTP(w, r)
			var envelope struct{ Status string }
			if err := json.Unmarshal(w.Body.Bytes(), &envelope); err != nil || envelope.Status == "" ||
				w.Code >= http.StatusInternalServerError {
				t.Errorf("%s: %d %v: %s", method, w.Code, err, w.Body)
			}
		}
	})
}
