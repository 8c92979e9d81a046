package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"junctor/pkg/accountlist"
	"junctor/pkg/api"
	"junctor/pkg/history"
	"junctor/pkg/inventory"
)

// budgetRecorder records what responses hold of their budget while one is written.
type budgetRecorder struct {
	*httptest.ResponseRecorder
	server *api.Server
	held   int64
}

func (r *budgetRecorder) Write(p []byte) (int, error) {
	_, held := r.server.Held()
	r.held = max(r.held, held)
	return r.ResponseRecorder.Write(p)
}

// TestResponsesHoldTheirSize: while a response is written it holds its size of the budget, and not what the listing was
// expected to take. Short responses hold nothing.
func TestResponsesHoldTheirSize(t *testing.T) {
	t.Parallel()
	s := kazooTemplate.Open(t)
	sv := newService(t, s)
	c := newConfig(t, s, sv.clock.now)
	server := api.New(c)
	deep := strings.Repeat("[", 18) + strings.Repeat("]", 18)
	many := `{"data":{"x":[` + strings.TrimSuffix(strings.Repeat(deep+",", 1000), ",") + `]}}`
	for _, test := range []struct{ method, path, body string }{
		{"GET", ipsOfA, ""},
		{"GET", ipsOfA + "?zone=nowhere", ""},
		{"PUT", "/v2/accounts/" + accountA + "/schemas/ips/validation?pretty_print=true", many},
	} {
		r := httptest.NewRequest(test.method, test.path, strings.NewReader(test.body))
		if test.body == "" {
			r = httptest.NewRequest(test.method, test.path, http.NoBody)
		}
		r.Header.Set("X-Auth-Token", sv.token("A"))
		w := &budgetRecorder{ResponseRecorder: httptest.NewRecorder(), server: server}
		server.ServeHTTP(w, r)
		size := int64(w.Body.Len())
		if w.Code >= 300 || w.held != size && (w.held != 0 || size > 64<<10) {
			t.Errorf("%s %s: %d, %d bytes, of which %d are held", test.method, test.path, w.Code, size, w.held)
		}
	}
}

// TestPagesHoldRoom: a page of operators' listings or of the history holds room while it is read, by its size, so that many
// of them at once are bounded.
func TestPagesHoldRoom(t *testing.T) {
	t.Parallel()
	s := kazooTemplate.Open(t)
	sv := newService(t, s)
	sv.create("10.0.0.1")
	c := newConfig(t, s, sv.clock.now)
	g := &gated{Store: s}
	c.History = history.New(g, c.Now, c.Log)
	c.Inventory = inventory.New(c.Pool, accountlist.New(s, c.Accounts, 0, c.Log), g)
	server := api.New(c)
	for path, want := range map[string]int64{
		"ips/all?page_size=1000": 1000, "ips/all": 100, "ips/history?page_size=1000": 1000,
		"accounts/" + accountA + "/ips/history?page_size=1000": 1000, "ips/10.0.0.1/history?page_size=500": 500,
	} {
		var held int64
		read := func() { _, held = server.Held() }
		g.afterView.Store(&read)
		r := httptest.NewRequest("GET", "/v2/"+path, http.NoBody)
		r.Header.Set("X-Auth-Token", sv.token("M"))
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if _, after := server.Held(); w.Code != 200 || held < want*1024 || after != 0 {
			t.Errorf("%s: %d, %d bytes were held while %d rows were read, %d after it", path, w.Code, held, want, after)
		}
	}
}
