// Package billingtest is a billing hook to test with. It is also the reference implementation for authors of hooks.
//
// The hook has plans, with a price for each dedicated IP, and a standing for each account. It responds as Kazoo does: an
// account without a plan pays nothing; an account with a plan gets an invoice for what it would have after the
// assignment; after the client has accepted the charges, the assignment is approved unless the account is refused.
// The test counts what an account has.
package billingtest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The credentials that the hook requires.
const (
	User     = "junctor"
	Password = "hook-s3cret"
)

// Hook is a running hook. A message that breaks the protocol fails the test.
type Hook struct {
	*httptest.Server
	t     testing.TB
	count func(accountID string) int

	mu         sync.Mutex
	plans      map[string]Plan
	refusals   map[string]Refusal
	instead    http.HandlerFunc
	questions  []Question
	reconciled []string
}

// Plan is what an account pays for an item.
type Plan struct {
	Name   string
	Rate   float64
	Vendor string // the account whose plan it is
}

// Refusal is why an account must not be assigned more.
type Refusal struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// Question is a request for a quote.
type Question struct {
	AccountID     string
	AuthAccountID string
	RequestID     string
	Quantity      int
	AcceptCharges bool
}

// Start starts a hook, which runs until the test ends. count returns how many dedicated IPs an account has.
func Start(t testing.TB, count func(accountID string) int) *Hook {
	t.Helper()
	h := &Hook{t: t, count: count, plans: map[string]Plan{}, refusals: map[string]Refusal{}}
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	return h
}

// At returns the hook's URL, credentials included.
func (h *Hook) At() string {
	return strings.Replace(h.URL, "http://", "http://"+User+":"+Password+"@", 1) + "/billing?key=" + Password
}

// Charge puts an account on a plan.
func (h *Hook) Charge(accountID string, p Plan) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.plans[accountID] = p
}

// Uncharge takes an account off its plan.
func (h *Hook) Uncharge(accountID string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.plans, accountID)
}

// Refuse ends the good standing of an account.
func (h *Hook) Refuse(accountID string, r Refusal) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refusals[accountID] = r
}

// Instead replaces the handler of the hook; nil restores it.
func (h *Hook) Instead(handler http.HandlerFunc) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.instead = handler
}

// Questions returns the requests for quotes so far.
func (h *Hook) Questions() []Question {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.questions)
}

// Reconciled returns the accounts of the reconcile messages so far, in order.
func (h *Hook) Reconciled() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.reconciled)
}

// message is a request to the hook.
type message struct {
	Version       int    `json:"version"`
	Event         string `json:"event"`
	AccountID     string `json:"account_id"`
	AuthAccountID string `json:"auth_account_id"`
	Items         []struct {
		Category string `json:"category"`
		Item     string `json:"item"`
		Quantity int    `json:"quantity"`
	} `json:"items"`
	AcceptCharges *bool `json:"accept_charges"`
}

// ServeHTTP responds to one message.
func (h *Hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	instead := h.instead
	h.mu.Unlock()
	if instead != nil {
		instead(w, r)
		return
	}
	if user, password, _ := r.BasicAuth(); user != User || password != Password {
		h.t.Errorf("the hook got user %q and password %q", user, password)
		http.Error(w, "wrong user or password", http.StatusUnauthorized)
		return
	}
	var m message
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&m)
	if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || m.Version != 1 {
		h.t.Errorf("the hook got %s %s %+v, %v", r.Method, r.Header, m, err)
		http.Error(w, "not a message of the protocol", http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case m.Event == "quote" && len(m.Items) == 1 && m.AcceptCharges != nil:
		h.quote(w, Question{m.AccountID, m.AuthAccountID, r.Header.Get("X-Request-ID"), m.Items[0].Quantity,
			*m.AcceptCharges})
	case m.Event == "reconcile" && m.AccountID != "":
		h.reconciled = append(h.reconciled, m.AccountID)
		w.WriteHeader(http.StatusNoContent)
	default:
		h.t.Errorf("the hook got %+v", m)
		http.Error(w, "not a message of the protocol", http.StatusBadRequest)
	}
}

func (h *Hook) quote(w http.ResponseWriter, q Question) {
	h.questions = append(h.questions, q)
	plan, charged := h.plans[q.AccountID]
	refusal, refused := h.refusals[q.AccountID]
	switch {
	case !charged:
		respond(w, http.StatusOK, struct{}{})
	case refused && q.AcceptCharges:
		respond(w, http.StatusPaymentRequired, refusal)
	default:
		invoice := plan.invoice(h.count(q.AccountID)+q.Quantity, q.Quantity)
		respond(w, http.StatusOK, map[string]any{"invoices": []any{invoice}})
	}
}

func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

type object = map[string]any

// invoice is Kazoo's invoice for a number of dedicated IPs, so many of them new.
func (p Plan) invoice(quantity, added int) object {
	total := p.Rate * float64(quantity)
	return object{
		"activation_charges": []any{},
		"items": []any{object{
			"category": "ips", "item": "dedicated", "name": p.Name,
			"quantity": quantity, "billable": quantity, "maximum": quantity, "rate": p.Rate, "total": total,
			"prorate": object{"additions": true, "removals": true},
			"changes": object{"type": "modified", "difference": object{"quantity": added, "billable": added}},
		}},
		"taxes":      []any{},
		"summary":    object{"today": 0.0, "recurring": total},
		"plan":       object{"ips": object{"dedicated": object{"name": p.Name, "rate": p.Rate}}},
		"bookkeeper": object{"id": "default_bookkeeper", "type": "default", "vendor_id": p.Vendor},
	}
}
