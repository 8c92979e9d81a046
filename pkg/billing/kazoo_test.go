package billing_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"junctor/pkg/billing"
	"junctor/pkg/billing/billingtest"
	"junctor/pkg/testutil"
)

const masterKey = "742db687e10725fa8baee2bc7067393451d0b4eeb2f29b2cd0d44607ee6556d8"

// beside is a Kazoo target, and the Crossbar that it asks.
type beside struct {
	*world
	*billing.Kazoo
	crossbar *billingtest.Crossbar
}

func newBeside(t *testing.T, changes ...func(*billing.KazooOptions)) *beside {
	t.Helper()
	b := &beside{world: &world{T: t, log: &testutil.Log{}}, crossbar: billingtest.StartCrossbar(t, masterKey)}
	o := billing.KazooOptions{
		URL: b.crossbar.URL, Pauses: short, Log: zerolog.New(b.log), Observe: b.observe,
		APIKey: func(context.Context) (string, error) { return masterKey, nil },
	}
	for _, change := range changes {
		change(&o)
	}
	b.Kazoo = billing.NewKazoo(o)
	t.Cleanup(b.Kazoo.Close)
	t.Cleanup(func() {
		if text, token := b.log.String(), b.crossbar.Token(); strings.Contains(text, masterKey) ||
			token != "" && strings.Contains(text, token) {
			t.Errorf("a secret is in the log: %s", text)
		}
	})
	return b
}

func (b *beside) run() (stop func()) { return b.running(b.Kazoo.Run) }

func (b *beside) reconciled(want ...string) {
	b.Helper()
	testutil.Eventually(b, "reconcile calls", func() bool { return len(b.crossbar.Reconciled()) >= len(want) })
	if got := b.crossbar.Reconciled(); !slices.Equal(got, want) {
		b.Errorf("reconciled %v, want %v", got, want)
	}
	testutil.Eventually(b, "an empty queue", func() bool { return b.Stats() == billing.Stats{} })
}

// TestKazooReconciles: Crossbar reconciles each account that has changed, with one log-in for all (K2).
func TestKazooReconciles(t *testing.T) {
	t.Parallel()
	b := newBeside(t)
	b.run()
	b.Reconcile(t.Context(), account)
	b.reconciled(account)
	b.Reconcile(t.Context(), other)
	b.reconciled(account, other)
	if n := b.crossbar.Logins(); n != 1 {
		t.Errorf("logged in %d times", n)
	}
	testutil.Eventually(b, "both calls to be counted", func() bool {
		return slices.Equal(b.outcomes(), []string{"kazoo_reconcile done", "kazoo_reconcile done"})
	})
}

// TestKazooTokenRenewed: a token that has expired is no failure.
func TestKazooTokenRenewed(t *testing.T) {
	t.Parallel()
	b := newBeside(t)
	b.run()
	b.Reconcile(t.Context(), account)
	b.reconciled(account)
	b.crossbar.Expire()
	b.Reconcile(t.Context(), account)
	b.reconciled(account, account)
	if n, got := b.crossbar.Logins(), b.outcomes(); n != 2 || slices.Contains(got, "kazoo_reconcile failed") {
		t.Errorf("logged in %d times, counted %v", n, got)
	}
}

// TestKazooRetried: an account is reconciled when Crossbar is back, whatever was wrong with it.
func TestKazooRetried(t *testing.T) {
	t.Parallel()
	for name, response := range map[string]http.HandlerFunc{
		"hangs up":     func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"500":          says(http.StatusInternalServerError, `{"message":"datastore_fault"}`),
		"429":          says(http.StatusTooManyRequests, `{"message":"too_many_requests"}`),
		"401":          says(http.StatusUnauthorized, `{"message":"invalid_credentials"}`),
		"redirects":    func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"no token":     says(http.StatusCreated, `{"status":"success"}`),
		"not JSON":     saysAs("text/html", http.StatusCreated, "<html>"),
		"endless text": says(http.StatusCreated, `{"auth_token":"`+strings.Repeat("a", 1<<21)+`"}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBeside(t)
			b.crossbar.Instead(first(4, response, func() { b.crossbar.Instead(nil) }))
			b.run()
			b.Reconcile(t.Context(), account)
			b.reconciled(account)
			if !strings.Contains(b.log.String(), `"target":"Kazoo"`) || !strings.Contains(b.log.String(), account) {
				t.Errorf("log: %s", b.log)
			}
		})
	}
}

// TestKazooCheck: what doctor reports.
func TestKazooCheck(t *testing.T) {
	t.Parallel()
	b := newBeside(t)
	if err := b.Check(t.Context()); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*billing.KazooOptions){
		"the master account's API key is refused with status 401": func(o *billing.KazooOptions) {
			o.APIKey = func(context.Context) (string, error) { return "another", nil }
		},
		"reading the master account's API key: no store": func(o *billing.KazooOptions) {
			o.APIKey = func(context.Context) (string, error) { return "", errors.New("no store") }
		},
		"connection refused": func(o *billing.KazooOptions) { o.URL = "http://127.0.0.1:1" },
	} {
		err := newBeside(t, change).Check(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
