package billing

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/rs/zerolog"
)

// Kazoo has a Crossbar reconcile the services of accounts whose copies of addresses have changed: it counts them and
// records the result, as its own handler of ips does. Until then the recorded count stays behind.
//
// It logs in with the API key of the master account, whose token may do that for every account. The key is read when
// it is needed, and neither it nor the token is ever logged.
type Kazoo struct {
	*Queue
	options KazooOptions
	http    *http.Client
	token   string // of Run alone; empty until the first log-in
}

// KazooOptions says which Crossbar is asked, and how.
type KazooOptions struct {
	// URL is where the paths that begin with /v2 are found: http(s)://HOST[:PORT][/PATH].
	URL string
	// APIKey returns the API key of the master account.
	APIKey func(ctx context.Context) (string, error)
	Pauses
	// Observe is called after every reconcile call; nil disables it.
	Observe func(Call)
	// Log gets what the operator should know.
	Log zerolog.Logger
}

// NewKazoo returns a Kazoo. It need not be reachable yet.
func NewKazoo(o KazooOptions) *Kazoo {
	k := &Kazoo{options: o, http: newClient()}
	k.Queue = newQueue("Kazoo", KazooReconcile, k.reconcileServices, o.Pauses, o.Observe, o.Log)
	return k
}

// Close closes idle connections.
func (k *Kazoo) Close() { k.http.CloseIdleConnections() }

// reconcileServices has the services of an account reconciled. A token that is not accepted any more is renewed once.
func (k *Kazoo) reconcileServices(ctx context.Context, accountID string) error {
	renewed := false
	for {
		if k.token == "" {
			token, err := k.login(ctx)
			if err != nil {
				return err
			}
			k.token, renewed = token, true
		}
		a, err := k.send(ctx, http.MethodPost, "/v2/accounts/"+url.PathEscape(accountID)+"/services/reconciliation", k.token, struct{}{})
		if err != nil {
			return fmt.Errorf("asking Crossbar to reconcile services: %w", err)
		}
		switch {
		case a.status/100 == 2:
			return nil
		case a.status == http.StatusUnauthorized && !renewed:
			k.token = ""
			continue
		case a.status == http.StatusUnauthorized:
			k.token = ""
		}
		return fmt.Errorf("asking Crossbar to reconcile services: status %d%s", a.status, said(a))
	}
}

// Check logs in, to see whether Crossbar is reachable and accepts the master account's API key.
func (k *Kazoo) Check(ctx context.Context) error {
	_, err := k.login(ctx)
	return err
}

func (k *Kazoo) login(ctx context.Context) (token string, err error) {
	key, err := k.options.APIKey(ctx)
	if err != nil {
		return "", fmt.Errorf("reading the master account's API key: %w", err)
	}
	a, err := k.send(ctx, http.MethodPut, "/v2/api_auth", "", map[string]string{"api_key": key})
	if err != nil {
		return "", fmt.Errorf("logging in to Crossbar: %w", err)
	}
	switch a.status {
	case http.StatusOK, http.StatusCreated:
	case http.StatusUnauthorized, http.StatusForbidden:
		return "", fmt.Errorf("logging in to Crossbar: the master account's API key is refused with status %d", a.status)
	default:
		return "", fmt.Errorf("logging in to Crossbar: status %d%s", a.status, said(a))
	}
	envelope, err := a.object()
	if err != nil {
		return "", fmt.Errorf("logging in to Crossbar: %w", err)
	}
	if token = envelope.String("auth_token"); token == "" {
		return "", errors.New("logging in to Crossbar: the response has no auth_token")
	}
	return token, nil
}

// send makes one request of Crossbar's.
func (k *Kazoo) send(ctx context.Context, method, path, token string, data any) (answer, error) {
	r, err := newRequest(ctx, method, k.options.URL+path, map[string]any{"data": data})
	if err != nil {
		return answer{}, err
	}
	if token != "" {
		r.Header.Set("X-Auth-Token", token)
	}
	return exchange(k.http, r)
}

// said is what Crossbar says of a failure, to be put behind the status.
func said(a answer) string {
	const longest = 200
	envelope, err := a.object()
	message := envelope.String("message")
	if err != nil || message == "" {
		return ""
	}
	if len(message) > longest {
		message = message[:longest]
	}
	return fmt.Sprintf(" %q", message)
}
