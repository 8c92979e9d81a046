package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"junctor/pkg/billing"
	"junctor/pkg/billing/billingtest"
	"junctor/pkg/store"
)

var planOfA = billingtest.Plan{Name: "Dedicated IP", Rate: 2.5, Vendor: accountM}

// TestAcceptCharges: charges are accepted wherever Crossbar looks, and by what it takes for true.
func TestAcceptCharges(t *testing.T) {
	t.Parallel()
	sv, hook := billed(t)
	sv.create("1.2.3.4")
	hook.Charge(accountA, planOfA)
	const list, one = ipsOfA, ipsOfA + "/1.2.3.4"
	const asked = `"ips":["1.2.3.4"]`
	for _, c := range []struct {
		path, body string
		status     int
	}{
		{list, `{"data":{` + asked + `}}`, 402},
		{list, `{"data":{` + asked + `,"accept_charges":true}}`, 200},
		{list, `{"data":{` + asked + `,"accept_charges":"true"}}`, 200},
		{list, `{"data":{` + asked + `},"accept_charges":true}`, 200},
		{list, `{"data":{` + asked + `},"Accept-Charges":"true"}`, 200},
		{list + "?accept_charges=true", `{"data":{` + asked + `}}`, 200},
		{list + "?accept_charges", `{"data":{` + asked + `}}`, 200},
		{list + "?accept_charges=true", `{"data":["1.2.3.4"]}`, 200},
		{list, `{"data":["1.2.3.4"],"accept_charges":true}`, 200},
		{list + "?accept_charges=", `{"data":{` + asked + `}}`, 402},
		{list + "?accept_charges=1", `{"data":{` + asked + `}}`, 402},
		{list + "?accept_charges=True", `{"data":{` + asked + `}}`, 402},
		{list, `{"data":{` + asked + `},"accept_charges":1}`, 402},
		{list, `{"data":{` + asked + `},"accept_charges":"yes"}`, 402},
		{list, `{"data":{` + asked + `},"accept_charges":{}}`, 402},
		// data comes first, then the query, then the envelope.
		{list + "?accept_charges=true", `{"data":{` + asked + `,"accept_charges":false},"accept_charges":true}`, 402},
		{list + "?accept_charges=false", `{"data":{` + asked + `},"accept_charges":true}`, 402},
		{list + "?accept_charges=false", `{"data":{` + asked + `,"accept_charges":true}}`, 200},

		{list, `{"data":{"quantity":1}}`, 402},
		{list, `{"data":{"quantity":1,"accept_charges":true}}`, 200},

		{one, `{"data":{}}`, 402},
		{one, "", 402},
		{one, `{"data":{"accept_charges":true}}`, 402}, // the address is in its place
		{one, `{"data":{},"accept_charges":true}`, 200},
		{one, `{"data":{},"accept_charges":"true"}`, 200},
		{one + "?accept_charges=true", `{"data":{}}`, 200},
		{one + "?accept_charges=true", "", 200},
		{one + "?accept_charges", "", 200},
		{one + "?accept_charges=true", `{"data":{"accept_charges":false}}`, 200},
		{one + "?accept_charges=false", `{"data":{},"accept_charges":true}`, 402},
		{one, `{"data":{},"accept_charges":"no"}`, 402},
	} {
		a := sv.as("A", "POST", c.path, c.body)
		if a.status != c.status {
			t.Errorf("%s %s: %d %s", c.path, c.body, a.status, a.text)
		}
		if a.status == http.StatusOK {
			sv.want(sv.as("A", "DELETE", one, ""), 200)
			continue
		}
		if a.envelope["message"] != "accept charges" || a.envelope["error"] != "402" || a.envelope["status"] != "error" {
			t.Errorf("%s %s: %s", c.path, c.body, a.text)
		}
		wantHolder(t, sv, "1.2.3.4", "")
	}
}

// TestCharges: the invoices are for what the account would have, which is what Kazoo's view counts.
func TestCharges(t *testing.T) {
	t.Parallel()
	onStores(t, &kazooTemplate, func(t *testing.T, s *store.Store) {
		hook := newCashier(t, s)
		sv := newService(t, s, hook.serve())
		sv.create("1.2.3.4", "1.2.3.5", "1.2.3.6")
		hook.Charge(accountA, planOfA)
		body := func(ips string) string { return `{"data":{"ips":[` + ips + `]},"accept_charges":true}` }
		sv.want(sv.as("A", "POST", ipsOfA, body(`"1.2.3.4"`)), 200)
		hook.counts(accountA, 1)
		// Duplicates and other spellings are no more addresses, and the master pays what the account would.
		a := sv.want(sv.as("M", "POST", ipsOfA, `{"data":{"ips":["1.2.3.5","::ffff:1.2.3.5","1.2.3.6"]}}`), 402)
		sv.is(a.data(), `[{"activation_charges":[],"taxes":[],"items":[{"category":"ips","item":"dedicated",
			"name":"Dedicated IP","quantity":3,"billable":3,"maximum":3,"rate":2.5,"total":7.5,
			"prorate":{"additions":true,"removals":true},
			"changes":{"type":"modified","difference":{"quantity":2,"billable":2}}}],
			"summary":{"today":0,"recurring":7.5},"plan":{"ips":{"dedicated":{"name":"Dedicated IP","rate":2.5}}},
			"bookkeeper":{"id":"default_bookkeeper","type":"default","vendor_id":"`+accountM+`"}}]`)
		questions := hook.Questions()
		last := questions[len(questions)-1]
		last.RequestID = ""
		if want := (billingtest.Question{AccountID: accountA, AuthAccountID: accountM, Quantity: 2}); last != want {
			t.Errorf("asked %+v", last)
		}
		sv.want(sv.as("M", "POST", ipsOfA, `{"data":{"quantity":2}}`), 402)
		if asked := hook.Questions(); asked[len(asked)-1].Quantity != 2 {
			t.Errorf("asked about an allocation: %+v", asked)
		}
		sv.want(sv.as("A", "POST", ipsOfA, body(`"1.2.3.5","1.2.3.6"`)), 200)
		hook.counts(accountA, 3)
		sv.want(sv.as("A", "DELETE", ipsOfA+"/1.2.3.4", ""), 200)
		sv.want(sv.as("M", "DELETE", "/v2/ips/1.2.3.5", ""), 200)
		hook.counts(accountA, 1)
		// Who is on no plan is asked for nothing.
		sv.want(sv.as("B", "POST", ipsOfB+"/1.2.3.4", ""), 200)
		hook.counts(accountB, 1)
	})
}

const ipsOfB = "/v2/accounts/" + accountB + "/ips"

// TestNotAsked: billing is asked about what can be had, and only by who may have it.
func TestNotAsked(t *testing.T) {
	t.Parallel()
	sv, hook := billed(t)
	sv.create("1.2.3.4", "1.2.3.5")
	sv.want(sv.as("B", "POST", ipsOfB+"/1.2.3.5", ""), 200)
	hook.Charge(accountA, planOfA)
	before := len(hook.Questions())
	for _, c := range []struct {
		name, method, path, body string
		status                   int
	}{
		{"A", "POST", ipsOfA, `{"data":{"ips":["1.2.3.4","9.9.9.9"]}}`, 400},
		{"A", "POST", ipsOfA, `{"data":{"ips":["1.2.3.4","1.2.3.5"]}}`, 400},
		{"A", "POST", ipsOfA, `{"data":{"ips":["nonsense"]}}`, 400},
		{"A", "POST", ipsOfA, `{"data":{"ips":[]}}`, 400},
		{"A", "POST", ipsOfA, `{"data":{}}`, 200},
		{"A", "POST", ipsOfA, `{"data":{"quantity":0}}`, 400},
		{"A", "POST", ipsOfA, `{"data":{"quantity":4}}`, 409},
		{"A", "POST", ipsOfA + "/9.9.9.9", "", 400},
		{"A", "POST", ipsOfA + "/1.2.3.5", "", 400},
		{"B", "POST", ipsOfA + "/1.2.3.4", "", 403},
		{"A", "GET", ipsOfA + "/1.2.3.4", "", 200},
		{"A", "DELETE", ipsOfA + "/1.2.3.4", "", 400},
		{"B", "DELETE", ipsOfB + "/1.2.3.5", "", 200},
	} {
		sv.want(sv.as(c.name, c.method, c.path, c.body), c.status)
	}
	sv.want(sv.as("A", "POST", ipsOfA+"/1.2.3.4", "", "If-Match", `"1-x"`), 412) // fault B8
	if got := hook.Questions()[before:]; len(got) > 0 {
		t.Errorf("asked %+v", got)
	}
}

// TestBillingIssue: an account that is refused gets nothing, whatever it accepts.
func TestBillingIssue(t *testing.T) {
	t.Parallel()
	sv, hook := billed(t)
	sv.create("1.2.3.4")
	hook.Charge(accountA, planOfA)
	hook.Refuse(accountA, billingtest.Refusal{Reason: "no_credit", Message: "pay your bills"})
	for path, body := range map[string]string{
		ipsOfA:              `{"data":{"ips":["1.2.3.4"]},"accept_charges":true}`,
		ipsOfA + "/1.2.3.4": `{"data":{},"accept_charges":true}`,
	} {
		a := sv.want(sv.as("A", "POST", path, body), 402)
		sv.is(a.data(), `{"reason":"no_credit","message":"pay your bills"}`)
		if a.envelope["message"] != "billing_issue" || a.envelope["error"] != "402" {
			t.Errorf("answer %s", a.text)
		}
		a = sv.want(sv.as("A", "POST", path, strings.ReplaceAll(body, "true", "false")), 402)
		if a.envelope["message"] != "accept charges" {
			t.Errorf("answer %s", a.text)
		}
	}
	wantHolder(t, sv, "1.2.3.4", "")
}

// TestBillingFails: what becomes of an assignment then is the operator's to say. It is counted and logged.
func TestBillingFails(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"away":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"nonsense": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) },
		"elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		},
	} {
		for _, allow := range []bool{false, true} {
			sv, hook := billed(t, func(o *billing.Options) { o.AllowOnError = allow })
			sv.create("1.2.3.4")
			hook.Instead(answer)
			if !allow {
				a := sv.want(sv.as("A", "POST", ipsOfA+"/1.2.3.4?accept_charges=true", "", "X-Request-ID", "it-was-me"), 402)
				sv.is(a.data(), `{"reason":"bookkeeper_fault","message":"billing can't be reached, please try again later"}`)
				if a.envelope["message"] != "billing_issue" {
					t.Errorf("%s: %s", name, a.text)
				}
				wantHolder(t, sv, "1.2.3.4", "")
			} else {
				sv.want(sv.as("A", "POST", ipsOfA+"/1.2.3.4", "", "X-Request-ID", "it-was-me"), 200)
				wantHolder(t, sv, "1.2.3.4", accountA)
			}
			const line = `junctor_billing_call_duration_seconds_count{event="quote",outcome="failed"} 1`
			if text := sv.send("GET", "/metrics", "").text; !strings.Contains(text, line+"\n") {
				t.Errorf("%s: no line %s", name, line)
			}
			if !slices.ContainsFunc(sv.log.lines(t), func(e map[string]any) bool {
				return e["level"] == "error" && e["request_id"] == "it-was-me" && e["account"] == accountA && e["error"] != ""
			}) {
				t.Errorf("%s: nobody reads of it: %s", name, sv.log)
			}
		}
	}
}
