package billingtest

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Crossbar is a running Crossbar that logs in the master account and reconciles services, and responds as one that was
// recorded. What is sent to it against its protocol fails the test.
type Crossbar struct {
	*httptest.Server
	t   testing.TB
	key string

	mu         sync.Mutex
	token      string // the one that is accepted
	instead    http.HandlerFunc
	logins     int
	reconciled []string
}

// StartCrossbar starts a Crossbar whose master account has an API key. It runs until the test ends.
func StartCrossbar(t testing.TB, key string) *Crossbar {
	t.Helper()
	c := &Crossbar{t: t, key: key}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

// Reconciled returns the accounts whose services were reconciled so far, in order.
func (c *Crossbar) Reconciled() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.reconciled)
}

// Logins returns how often a token was issued.
func (c *Crossbar) Logins() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.logins
}

// Token returns the token that was issued last.
func (c *Crossbar) Token() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.token
}

// Expire ends the token that was issued last.
func (c *Crossbar) Expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = ""
}

// Instead has something else respond; nil is Crossbar itself again.
func (c *Crossbar) Instead(response http.HandlerFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.instead = response
}

// ServeHTTP responds to one request.
func (c *Crossbar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	instead := c.instead
	c.mu.Unlock()
	if instead != nil {
		instead(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	if r.Header.Get("Content-Type") != "application/json" {
		c.t.Errorf("%s %s is sent as %q", r.Method, r.URL, r.Header.Get("Content-Type"))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	account, ok := strings.CutPrefix(r.URL.Path, "/v2/accounts/")
	account, reconciles := strings.CutSuffix(account, "/services/reconciliation")
	switch {
	case r.Method == http.MethodPut && r.URL.Path == "/v2/api_auth":
		c.login(w, body)
	case r.Method == http.MethodPost && ok && reconciles:
		if string(body) != `{"data":{}}` {
			c.t.Errorf("reconciliation is sent %s", body)
		}
		if c.token == "" || r.Header.Get("X-Auth-Token") != c.token {
			c.respond(w, http.StatusUnauthorized, refused)
			return
		}
		c.reconciled = append(c.reconciled, account)
		c.respond(w, http.StatusOK, map[string]any{"data": map[string]any{}, "status": "success"})
	default:
		c.t.Errorf("Crossbar is asked for %s %s", r.Method, r.URL)
		c.respond(w, http.StatusNotFound, map[string]any{"error": "404", "message": "not_found", "status": "error"})
	}
}

var refused = map[string]any{
	"data": map[string]any{"message": "invalid credentials"}, "error": "401", "message": "invalid_credentials",
	"status": "error",
}

func (c *Crossbar) login(w http.ResponseWriter, body []byte) {
	var sent struct {
		Data struct {
			Key string `json:"api_key"`
		}
	}
	if json.Unmarshal(body, &sent) != nil || sent.Data.Key != c.key {
		c.respond(w, http.StatusUnauthorized, refused)
		return
	}
	c.token = rand.Text()
	c.logins++
	c.respond(w, http.StatusCreated, map[string]any{
		"auth_token": c.token, "data": map[string]any{"is_master_account": true}, "revision": "automatic", "status": "success",
	})
}

func (c *Crossbar) respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
