package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"junctor/pkg/billing/billingtest"
	"junctor/pkg/testutil"
)

// TestBilling: the hook is asked before an account gets addresses, and told of what changes them, sup included.
func TestBilling(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	hook := billingtest.Start(t, func(string) int { return 0 })
	s := start(t, "--store", home, "--billing-url", hook.At())
	id := s.assign(home)
	testutil.Eventually(t, "the hook to be told", func() bool { return len(hook.Reconciled()) == 1 })
	ok(t, "sup", "kazoo_ips_maintenance", "release", "1.2.3.4", "--store", home)
	testutil.Eventually(t, "the hook to be told of sup's doing", func() bool { return len(hook.Reconciled()) == 2 })

	hook.Charge(id, billingtest.Plan{Name: "Dedicated IP", Rate: 5})
	token, path := s.loginAdmin(home), "/v2/accounts/"+id+assignedAddress
	if status, envelope := s.request("POST", path, token, ""); status != http.StatusPaymentRequired ||
		envelope["message"] != "accept charges" {
		t.Errorf("%d %v", status, envelope)
	}
	if status, envelope := s.request("POST", path+"?accept_charges=true", token, ""); status != http.StatusOK {
		t.Errorf("%d %v", status, envelope)
	}
	for _, line := range []string{
		`junctor_billing_call_duration_seconds_count{event="quote",outcome="free"} 1`,
		`junctor_billing_call_duration_seconds_count{event="quote",outcome="quoted"} 1`,
		`junctor_billing_call_duration_seconds_count{event="quote",outcome="accepted"} 1`,
		`junctor_billing_call_duration_seconds_count{event="reconcile",outcome="done"} 3`,
		`junctor_billing_accounts_waiting{target="hook"} 0`, `junctor_billing_accounts_dropped_total{target="hook"} 0`,
	} {
		testutil.Eventually(t, line, func() bool { return s.shows(line) })
	}
	s.stop()
	if got := hook.Reconciled(); !slices.Equal(got, []string{id, id, id}) {
		t.Errorf("told of %v", got)
	}
	if s.logs(billingtest.Password) {
		t.Errorf("the hook's password is in the log:\n%s", s.stderr)
	}
}

// TestBillingAway: an assignment is refused while the hook is away, unless it is to be allowed.
func TestBillingAway(t *testing.T) {
	t.Parallel()
	const away = "http://junctor:s3cret@127.0.0.1:1/?key=s3cret"
	home := t.TempDir()
	s := start(t, "--store", home, "--billing-url", away, "--billing-on-error", "allow")
	id := s.assign(home)
	s.stop()
	denying := start(t, "--store", home, "--billing-url", away)
	token, path := denying.loginAdmin(home), "/v2/accounts/"+id+assignedAddress
	if status, envelope := denying.request("DELETE", path, token, ""); status != http.StatusOK {
		t.Errorf("%d %v", status, envelope)
	}
	if status, envelope := denying.request("POST", path, token, ""); status != http.StatusPaymentRequired ||
		envelope["message"] != "billing_issue" {
		t.Errorf("%d %v", status, envelope)
	}
	denying.stop()
	if log := s.stderr.String() + denying.stderr.String(); strings.Contains(log, "s3cret") ||
		strings.Count(log, "no quote from the billing hook: the assignment is allowed") != 1 ||
		strings.Count(log, "no quote from the billing hook: the assignment is refused") != 1 {
		t.Errorf("log:\n%s", log)
	}
}
