package billing_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"junctor/pkg/billing"
	"junctor/pkg/billing/billingtest"
	"junctor/pkg/document"
	"junctor/pkg/fault"
)

func TestApprove(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	approved := func(accept bool) {
		t.Helper()
		if err := w.Approve(t.Context(), proposal(2, accept)); err != nil {
			t.Error(err)
		}
	}
	approved(false)
	w.hook.Charge(account, plan)
	approved(true)
	w.refuses(proposal(2, false), fault.PaymentRequired, `[{"activation_charges":[],`+
		`"bookkeeper":{"id":"default_bookkeeper","type":"default","vendor_id":"`+reseller+`"},`+
		`"items":[{"billable":3,"category":"ips",`+
		`"changes":{"difference":{"billable":2,"quantity":2},"type":"modified"},`+
		`"item":"dedicated","maximum":3,"name":"Dedicated IP","prorate":{"additions":true,"removals":true},`+
		`"quantity":3,"rate":5,"total":15}],"plan":{"ips":{"dedicated":{"name":"Dedicated IP","rate":5}}},`+
		`"summary":{"recurring":15,"today":0},"taxes":[]}]`)
	w.hook.Refuse(account, billingtest.Refusal{Reason: "past_due", Message: "pay first"})
	w.refuses(proposal(2, false), fault.PaymentRequired, "")
	w.refuses(proposal(2, true), fault.BillingIssue, `{"message":"pay first","reason":"past_due"}`)

	want := billingtest.Question{AccountID: account, AuthAccountID: reseller, RequestID: "request-1", Quantity: 2}
	if got := w.hook.Questions(); len(got) != 5 || got[0] != want || !got[1].AcceptCharges {
		t.Errorf("asked %+v", got)
	}
	outcomes := []string{"quote free", "quote accepted", "quote quoted", "quote quoted", "quote refused"}
	if got := w.outcomes(); !slices.Equal(got, outcomes) {
		t.Errorf("counted %v", got)
	}
}

// refuses checks the kind of a refusal and, unless want is empty, what its data are.
func (w *world) refuses(p billing.Proposal, kind fault.Kind, want string) {
	w.Helper()
	err := w.Approve(w.Context(), p)
	e, _ := errors.AsType[*fault.Error](err)
	if !fault.Is(err, kind) {
		w.Fatalf("got %v, want %v", err, kind)
	}
	if strings.Contains(err.Error(), billingtest.Password) {
		w.Errorf("a secret is shown: %v", err)
	}
	text, err := document.Encode(e.Data)
	if err != nil || want != "" && string(text) != want {
		w.Errorf("%v\ngot  %s\nwant %s", err, text, want)
	}
}

// says responds with a status and a body in JSON.
func says(status int, body string) http.HandlerFunc { return saysAs("application/json", status, body) }

func saysAs(media string, status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// TestRefusals: the status alone is a refusal, whatever is set for errors.
func TestRefusals(t *testing.T) {
	t.Parallel()
	const unsaid = `{"message":"there is a billing issue with this account","reason":"bookkeeper_rejection"}`
	for body, want := range map[string]string{
		"":          unsaid,
		"{}":        unsaid,
		"[]":        unsaid,
		`{"reason"`: unsaid,
		`{"reason":7,"message":"no","secret":"x"}`:    `{"message":"no","reason":"bookkeeper_rejection"}`,
		`{"reason":"no_credit","message":"no money"}`: `{"message":"no money","reason":"no_credit"}`,
	} {
		w := newWorld(t, allowing)
		w.hook.Instead(says(http.StatusPaymentRequired, body))
		w.refuses(proposal(1, false), fault.BillingIssue, want)
	}
}

// TestUnderstood: these responses are of the protocol.
func TestUnderstood(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"{}":                         "",
		` { "invoices" : [ ] } `:     "",
		`{"invoices":[{"x":5.0}]}`:   `[{"x":5.0}]`,
		`{"invoices":[{},{"y":[]}]}`: `[{},{"y":[]}]`,
	} {
		w := newWorld(t)
		w.hook.Instead(saysAs("application/json; charset=utf-8", http.StatusOK, body))
		if want != "" {
			w.refuses(proposal(1, false), fault.PaymentRequired, want)
		} else if err := w.Approve(t.Context(), proposal(1, false)); err != nil {
			t.Errorf("%s: %v", body, err)
		}
		if err := w.Approve(t.Context(), proposal(1, true)); err != nil {
			t.Errorf("%s, accepted: %v", body, err)
		}
	}
}

// TestCallerIsGone: who does not wait for the quote gets nothing, whatever is set.
func TestCallerIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, allowing)
	ctx, cancel := context.WithCancel(t.Context())
	w.hook.Instead(func(rw http.ResponseWriter, r *http.Request) {
		cancel()
		hangs(rw, r)
	})
	if err := w.Approve(ctx, proposal(1, true)); !fault.Is(err, fault.BillingIssue) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestClosedConnection: that the hook closes a connection that was left open is no failure of it.
func TestClosedConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var asked atomic.Int32
	w.hook.Instead(func(rw http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 2 {
			conn, _, err := http.NewResponseController(rw).Hijack()
			if err == nil {
				err = conn.(*net.TCPConn).Close()
			}
			if err != nil {
				t.Error(err)
			}
			return
		}
		says(http.StatusOK, "{}")(rw, r)
	})
	for range 2 {
		if err := w.Approve(t.Context(), proposal(1, false)); err != nil {
			t.Error(err)
		}
	}
	if n := asked.Load(); n != 3 {
		t.Errorf("asked %d times", n)
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for url, good := range map[string]bool{
		"http://hook": true, "https://user:s3cret@hook:8443/billing?key=s3cret": true, "http://[::1]:80/": true,
		"": false, "hook": false, "hook:80": false, "ftp://hook/": false, "http:///billing": false, "http://:80": false,
		"http://user:s3cret%zz@hook/": false, "http://hook:port/s3cret": false, "https://hook/#s3cret": false,
	} {
		err := billing.CheckURL(url)
		if (err == nil) != good || err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", url, err)
		}
		if _, err := billing.New(billing.Options{URL: url}); (err == nil) != good {
			t.Errorf("%s: %v", url, err)
		}
	}
}
