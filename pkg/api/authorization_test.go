package api_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"junctor/pkg/api"
	"junctor/pkg/document"
	"junctor/pkg/store"
)

// route is one verb of one resource, and a request for it that changes nothing.
type route struct {
	name    string // as it is registered
	path    string // under /v2, A for the account
	body    string
	right   right // that it takes
	status  int   // for who has it
	message string
}

func (rt route) verb() string {
	verb, _, _ := strings.Cut(rt.name, " ")
	return verb
}

// routes is every route there is. Who may use one gets what is said here; nothing of it is what a refusal says.
var routes = []route{
	{"PUT /api_auth", "/api_auth", `{"data":{}}`, open, 400, "validation error"},
	{"PUT /user_auth", "/user_auth", `{"data":{}}`, open, 400, "validation error"},
	{"GET /auth/tokeninfo", "/auth/tokeninfo", "", open, 404, "missing token in request"},
	{"POST /auth/tokeninfo", "/auth/tokeninfo", `{"data":{}}`, open, 404, "missing token in request"},
	{"PUT /auth", "/auth", `{"data":{"action":"refresh_token"}}`, good, 201, ""},
	{"GET /token_auth", "/token_auth", "", good, 200, ""},
	{"DELETE /token_auth", "/token_auth", "", good, 200, ""},

	{"GET /accounts/{account}/ips", "/accounts/A/ips", "", related, 200, ""},
	{"POST /accounts/{account}/ips", "/accounts/A/ips", `{"data":{}}`, related, 200, ""},
	{"DELETE /accounts/{account}/ips", "/accounts/A/ips", `{"data":{"ips":["192.0.2.9"]}}`, related, 400,
		"validation error"},
	{"PUT /accounts/{account}/ips", "/accounts/A/ips", `{"data":{}}`, super, 400, "validation error"},
	{"GET /accounts/{account}/ips/assigned", "/accounts/A/ips/assigned", "", related, 200, ""},
	{"GET /accounts/{account}/ips/zones", "/accounts/A/ips/zones", "", related, 200, ""},
	{"GET /accounts/{account}/ips/hosts", "/accounts/A/ips/hosts", "", related, 200, ""},
	{"GET /accounts/{account}/ips/history", "/accounts/A/ips/history", "", related, 200, ""},
	{"GET /accounts/{account}/ips/{ip}", "/accounts/A/ips/192.0.2.1", "", related, 200, ""},
	{"POST /accounts/{account}/ips/{ip}", "/accounts/A/ips/192.0.2.9", "", related, 400, "validation error"},
	{"DELETE /accounts/{account}/ips/{ip}", "/accounts/A/ips/192.0.2.9", "", related, 400, "validation error"},

	{"GET /ips", "/ips", "", super, 200, ""},
	{"PUT /ips", "/ips", `{"data":{}}`, super, 400, "validation error"},
	{"GET /ips/all", "/ips/all", "", super, 200, ""},
	{"GET /ips/summary", "/ips/summary", "", super, 200, ""},
	{"GET /ips/accounts", "/ips/accounts", "", super, 200, ""},
	{"GET /ips/health", "/ips/health", "", super, 200, ""},
	{"GET /ips/history", "/ips/history", "", super, 200, ""},
	{"GET /ips/{ip}/history", "/ips/192.0.2.1/history", "", super, 200, ""},
	{"GET /ips/assigned", "/ips/assigned", "", super, 200, ""},
	{"GET /ips/zones", "/ips/zones", "", super, 200, ""},
	{"GET /ips/hosts", "/ips/hosts", "", super, 200, ""},
	{"GET /ips/{ip}", "/ips/192.0.2.1", "", super, 200, ""},
	{"PATCH /ips/{ip}", "/ips/192.0.2.9", `{"data":{"zone":"z"}}`, super, 404, "bad_identifier"},
	{"DELETE /ips/{ip}", "/ips/192.0.2.9", "", super, 404, "bad_identifier"},

	{"GET /routing/customer_cluster", "/routing/customer_cluster", "", master, 404, "bad_identifier"},
	{"PUT /routing/customer_cluster", "/routing/customer_cluster", `{"data":{}}`, master, 400, "validation error"},
	{"POST /routing/customer_cluster", "/routing/customer_cluster", `{"data":{}}`, master, 404, "bad_identifier"},
	{"PATCH /routing/customer_cluster", "/routing/customer_cluster", `{"data":{}}`, master, 404, "bad_identifier"},
	{"DELETE /routing/customer_cluster", "/routing/customer_cluster", "", master, 404, "bad_identifier"},
	{"GET /routing/customer_cluster/addresses", "/routing/customer_cluster/addresses?direction=inbound", "", master,
		200, ""},
	{"GET /routing/lookup", "/routing/lookup?ip=192.0.2.1", "", master, 200, ""},
	{"GET /routing/customer_clusters", "/routing/customer_clusters", "", superMaster, 200, ""},
	{"GET /routing/customer_clusters/{cluster}", "/routing/customer_clusters/x", "", superMaster, 404, "bad_identifier"},
	{"PUT /routing/customer_clusters/{cluster}", "/routing/customer_clusters/x", `{"data":{}}`, superMaster, 400,
		"validation error"},
	{"POST /routing/customer_clusters/{cluster}", "/routing/customer_clusters/x", `{"data":{}}`, superMaster, 404,
		"bad_identifier"},
	{"PATCH /routing/customer_clusters/{cluster}", "/routing/customer_clusters/x", `{"data":{}}`, superMaster, 404,
		"bad_identifier"},
	{"DELETE /routing/customer_clusters/{cluster}", "/routing/customer_clusters/x", "", superMaster, 404,
		"bad_identifier"},

	{"GET /schemas", "/schemas", "", open, 200, ""},
	{"GET /schemas/{schema}", "/schemas/ips", "", open, 200, ""},
	{"PUT /schemas/{schema}/validation", "/schemas/ips/validation", `{"data":{}}`, super, 201, ""},
	{"GET /accounts/{account}/schemas", "/accounts/A/schemas", "", open, 200, ""},
	{"GET /accounts/{account}/schemas/{schema}", "/accounts/A/schemas/ips", "", open, 200, ""},
	{"PUT /accounts/{account}/schemas/{schema}/validation", "/accounts/A/schemas/ips/validation", `{"data":{}}`,
		related, 201, ""},
}

// TestWhoMayDoWhat asks everybody's questions, one after the other.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	p := populate(t)
	p.pool("192.0.2.1")
	for _, r := range p.roles {
		t.Run(r.name, func(t *testing.T) { r.ask(t, p.store, func(route) bool { return true }) })
	}
}

// ask makes a request of each route that is of interest.
func (r role) ask(t *testing.T, s *store.Store, ofInterest func(route) bool) {
	t.Helper()
	sv := newService(t, s, func(c *api.Config) {
		if r.config != nil {
			r.config(c)
		}
	}, loaded(t))
	for _, rt := range routes {
		if !ofInterest(rt) {
			continue
		}
		path := "/v2" + strings.Replace(rt.path, "/A/", "/"+r.account+"/", 1)
		got := sv.send(rt.verb(), path, rt.body, r.headers...)
		status, message := r.answer(rt)
		if said, _ := got.envelope["message"].(string); got.status != status || said != message {
			t.Errorf("%s: %d %q, want %d %q: %.300s", rt.name, got.status, said, status, message, got.text)
		}
	}
}

// answer is what r is answered on a route.
func (r role) answer(rt route) (status int, message string) {
	switch {
	case rt.right == open:
	case r.refused != nil:
		return r.refused.status, r.refused.message
	case !slices.Contains(r.may, rt.right), r.only != nil && !r.only(rt):
		return 403, "forbidden"
	}
	return rt.status, rt.message
}

// TestOtherVerbs: what a resource has no verb for is a 405, whoever asks.
func TestOtherVerbs(t *testing.T) {
	t.Parallel()
	f := found(t)
	for _, rt := range routes {
		for _, verb := range []string{"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"} {
			name := strings.Replace(rt.name, rt.verb(), verb, 1)
			if slices.ContainsFunc(routes, func(rt route) bool { return rt.name == name }) {
				continue
			}
			path := "/v2" + strings.Replace(rt.path, "/A/", "/"+f.master.AccountID+"/", 1)
			if got := f.send(verb, path, ""); got.status != 405 {
				t.Errorf("%s: %d %.300s", name, got.status, got.text)
			}
		}
	}
}

// pool puts an address into the pool.
func (f *founded) pool(address string) {
	f.Helper()
	f.want(f.send("PUT", "/v2/ips", `{"data":{"ip":"`+address+`","zone":"z","host":"h"}}`,
		"X-Auth-Token", f.byKey(f.master.APIKey)), 201)
}

func (f *founded) parse(text string, into *document.Document) {
	f.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		f.Fatal(err)
	}
}
