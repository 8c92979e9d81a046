package billing_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"junctor/pkg/billing"
	"junctor/pkg/billing/billingtest"
	"junctor/pkg/fault"
)

const noQuote = `{"message":"billing can't be reached, please try again later","reason":"bookkeeper_fault"}`

// TestFailures: the setting decides on any response that is not of the protocol.
func TestFailures(t *testing.T) {
	t.Parallel()
	var followed atomic.Bool
	trap := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		followed.Store(true)
		says(http.StatusOK, "{}")(w, r)
	}))
	t.Cleanup(func() {
		trap.Close()
		if followed.Load() {
			t.Error("a redirect was followed")
		}
	})
	redirect := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, trap.URL, status) }
	}
	for name, response := range map[string]http.HandlerFunc{
		"hangs":              hangs,
		"hangs in the body":  hangsInTheBody,
		"hangs up":           func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"301":                redirect(http.StatusMovedPermanently),
		"302":                redirect(http.StatusFound),
		"307":                redirect(http.StatusTemporaryRedirect),
		"308":                redirect(http.StatusPermanentRedirect),
		"201":                says(http.StatusCreated, "{}"),
		"204":                says(http.StatusNoContent, ""),
		"400":                says(http.StatusBadRequest, "{}"),
		"401":                says(http.StatusUnauthorized, "{}"),
		"404":                says(http.StatusNotFound, `{"invoices":[]}`),
		"500":                says(http.StatusInternalServerError, "{}"),
		"503":                says(http.StatusServiceUnavailable, `{"invoices":[]}`),
		"empty":              says(http.StatusOK, ""),
		"null":               says(http.StatusOK, "null"),
		"a list":             says(http.StatusOK, "[]"),
		"true":               says(http.StatusOK, "true"),
		"cut short":          says(http.StatusOK, `{"invoices":[`),
		"two of them":        says(http.StatusOK, "{}{}"),
		"null invoices":      says(http.StatusOK, `{"invoices":null}`),
		"invoices of an id":  says(http.StatusOK, `{"invoices":{"items":[]}}`),
		"numbered invoices":  says(http.StatusOK, `{"invoices":[1]}`),
		"null as an invoice": says(http.StatusOK, `{"invoices":[null]}`),
		"another member":     says(http.StatusOK, `{"invoice":[{}]}`),
		"one more member":    says(http.StatusOK, `{"invoices":[],"error":"no database"}`),
		"text":               saysAs("text/plain", http.StatusOK, "{}"),
		"a page":             saysAs("text/html", http.StatusOK, "<html>maintenance</html>"),
		"no type":            saysAs("", http.StatusOK, "{}"),
		"too long":           says(http.StatusOK, `{"invoices":[{"a":"`+strings.Repeat("a", 1<<20)+`"}]}`),
		"header too long": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X", strings.Repeat("a", 1<<16))
			says(http.StatusOK, "{}")(w, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, accept := range []bool{false, true} {
				w := newWorld(t, patience(name))
				w.hook.Instead(response)
				w.refuses(proposal(1, accept), fault.BillingIssue, noQuote)
				w.logs("the assignment is refused")
				w = newWorld(t, patience(name), allowing)
				w.hook.Instead(response)
				if err := w.Approve(t.Context(), proposal(1, accept)); err != nil {
					t.Error(err)
				}
				w.logs("the assignment is allowed")
			}
		})
	}
}

// patience is little where the hook hangs, and enough for a slow machine where it does not.
func patience(name string) func(*billing.Options) {
	if strings.HasPrefix(name, "hangs in") || name == "hangs" {
		return hasty
	}
	return func(*billing.Options) {}
}

func hangsInTheBody(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, "{")
	_ = http.NewResponseController(w).Flush()
	hangs(w, r)
}

// logs checks that one line says what was decided, of whom.
func (w *world) logs(text string) {
	w.Helper()
	for line := range strings.Lines(w.log.String()) {
		if strings.Contains(line, text) && strings.Contains(line, account) && strings.Contains(line, "request-1") &&
			strings.Contains(line, `"error":`) {
			return
		}
	}
	w.Errorf("no line says %q:\n%s", text, w.log)
}

// TestNoHook: no server is there, or one without a trusted certificate.
func TestNoHook(t *testing.T) {
	t.Parallel()
	impostor := httptest.NewUnstartedServer(says(http.StatusOK, "{}"))
	impostor.Config.ErrorLog = log.New(io.Discard, "", 0)
	impostor.StartTLS()
	t.Cleanup(impostor.Close)
	const secret = billingtest.Password
	for _, url := range []string{
		"http://127.0.0.1:1/", "http://hook.invalid/", "https://user:" + secret + "@127.0.0.1:1/?key=" + secret, impostor.URL,
	} {
		at := func(o *billing.Options) { o.URL = url }
		newWorld(t, at).refuses(proposal(1, true), fault.BillingIssue, noQuote)
		if err := newWorld(t, at, allowing).Approve(t.Context(), proposal(1, false)); err != nil {
			t.Error(err)
		}
	}
}
