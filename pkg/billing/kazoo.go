package billing

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/rs/zerolog"

	"junctor/pkg/httpclient"
)

// Kazoo has a Crossbar reconcile the services of accounts whose copies of addresses have changed: it counts them and
// records the result, as its own handler of ips does. Until then the recorded count stays behind.
//
// It logs in with the API key of the master account, whose token may do that for every account. The key is read when
// it is needed, and neither it nor the token is ever logged.
type Kazoo struct {
	*Queue
	options KazooOptions
	token   string // of Run alone; empty until the first log-in
}

// KazooOptions configures a Kazoo.
type KazooOptions struct {
	// URL is where the paths that begin with /v2 are found: http(s)://HOST[:PORT][/PATH].
	URL string
	// APIKey returns the API key of the master account.
	APIKey func(ctx context.Context) (string, error)
	Pauses
	// Observe is called after every reconcile call; nil disables it.
	Observe func(Call)
	// Log is for the operator.
	Log zerolog.Logger
}

// NewKazoo returns a Kazoo. It need not be reachable yet.
func NewKazoo(o KazooOptions) *Kazoo {
	k := &Kazoo{options: o}
	k.Queue = newQueue("Kazoo", KazooReconcile, k.reconcileServices, o.Pauses, o.Observe, o.Log)
	return k
}

// reconcileServices has the services of an account reconciled. A token that is not accepted any more is renewed once.
func (k *Kazoo) reconcileServices(ctx context.Context, accountID string) error {
	isNew := k.token == ""
	if isNew {
		token, err := k.login(ctx)
		if err != nil {
			return fmt.Errorf("logging in to Crossbar: %w", err)
		}
		k.token = token
	}
	path := "/v2/accounts/" + url.PathEscape(accountID) + "/services/reconciliation"
	r, err := k.send(ctx, http.MethodPost, path, k.token, struct{}{})
	if err == nil && r.Status == http.StatusUnauthorized {
		k.token = ""
		if !isNew {
			return k.reconcileServices(ctx, accountID)
		}
	}
	if err == nil {
		err = failure(r)
	}
	if err != nil {
		return fmt.Errorf("asking Crossbar to reconcile services: %w", err)
	}
	return nil
}

// Check logs in, to see whether Crossbar is reachable and accepts the master account's API key.
func (k *Kazoo) Check(ctx context.Context) error {
	if _, err := k.login(ctx); err != nil {
		return fmt.Errorf("logging in to Crossbar: %w", err)
	}
	return nil
}

func (k *Kazoo) login(ctx context.Context) (token string, err error) {
	key, err := k.options.APIKey(ctx)
	if err != nil {
		return "", fmt.Errorf("reading the master account's API key: %w", err)
	}
	r, err := k.send(ctx, http.MethodPut, "/v2/api_auth", "", map[string]string{"api_key": key})
	if err != nil {
		return "", err
	}
	if r.Status == http.StatusUnauthorized || r.Status == http.StatusForbidden {
		return "", fmt.Errorf("the master account's API key is refused with status %d", r.Status)
	}
	if err := failure(r); err != nil {
		return "", err
	}
	envelope, err := r.Object()
	if err != nil {
		return "", err
	}
	if token = envelope.String("auth_token"); token == "" {
		return "", errors.New("the response has no auth_token")
	}
	return token, nil
}

// send makes one request to Crossbar.
func (k *Kazoo) send(ctx context.Context, method, path, token string, data any) (httpclient.Response, error) {
	r, err := httpclient.NewRequest(ctx, method, k.options.URL+path, map[string]any{"data": data})
	if err != nil {
		return httpclient.Response{}, err
	}
	if token != "" {
		r.Header.Set("X-Auth-Token", token)
	}
	return k.exchange(r)
}

// failure returns the status of a response as an error, with what Crossbar says of it, unless the request succeeded.
func failure(r httpclient.Response) error {
	const longest = 200
	if r.Status/100 == 2 {
		return nil
	}
	envelope, _ := r.Object()
	message := envelope.String("message")
	if message == "" {
		return fmt.Errorf("status %d", r.Status)
	}
	return fmt.Errorf("status %d %q", r.Status, message[:min(len(message), longest)])
}
