package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"junctor/pkg/auth"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/httpclient"
	"junctor/pkg/kazoo"
)

// errSilent is in the error about a cluster that did not respond itself, which counts for its breaker.
var errSilent = errors.New("the cluster itself did not respond")

func unreachable(reason error) error { return fault.Wrap(fault.ClusterUnreachable, reason) }

// silence is unreachable with errSilent.
func silence(reason error) error { return unreachable(fmt.Errorf("%w: %w", errSilent, reason)) }

// interpret returns the identity or the error that a response to a question means. The statuses that a proxy in front of a
// Kazoo sends count as silence. A Kazoo's own 500 does not: a token can provoke it, and must not open the breaker for
// others.
func (q question) interpret(r httpclient.Response) (*auth.Identity, error) {
	switch r.Status {
	case http.StatusOK:
		return q.accept(r)
	case http.StatusUnauthorized:
		return nil, refuse("cluster " + q.cluster.ID + " does not take it")
	case http.StatusForbidden: // the token is restricted: to what is not known here
		return nil, fault.Wrap(fault.Forbidden, errors.New("the token may not read token_auth there"))
	case http.StatusBadRequest:
		if err := expiredTrial(r); err != nil {
			return nil, err
		}
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return nil, silence(fmt.Errorf("cluster %s: status %d", q.cluster.ID, r.Status))
	}
	return nil, unreachable(fmt.Errorf("cluster %s responded with status %d", q.cluster.ID, r.Status))
}

// accept reads the token's holder. A Kazoo before 4.3 sends neither cluster_id nor is_master_account, so its tokens do
// not have the rights of a master account.
func (q question) accept(r httpclient.Response) (*auth.Identity, error) {
	envelope, err := r.Object()
	if err != nil {
		return nil, unreachable(fmt.Errorf("cluster %s: %w", q.cluster.ID, err))
	}
	object, _ := envelope["data"].(map[string]any)
	data := document.Document(object)
	if envelope.String("status") != "success" || !isID(data["account_id"]) ||
		!isOptionalID(data["owner_id"]) || !isOptionalID(data["reseller_id"]) {
		return nil, unreachable(fmt.Errorf("cluster %s: the response is not about a token", q.cluster.ID))
	}
	if id := data["cluster_id"]; id != nil && id != q.cluster.ID {
		return nil, refuse("what responds for cluster " + q.cluster.ID + " says it is another")
	}
	return &auth.Identity{
		AccountID: data.String("account_id"),
		OwnerID:   data.String("owner_id"),
		ClusterID: q.cluster.ID,
		Remote:    true,
		Master:    data.Bool("is_master_account"),
	}, nil
}

// isUserDeleted reports whether a Kazoo says of a token that its user is deleted (kazoo_auth).
func isUserDeleted(r httpclient.Response) bool {
	envelope, _ := r.Object()
	return r.Status == http.StatusInternalServerError && envelope.String("message") == "invalid_identity_provider"
}

// expiredTrial returns Crossbar's refusal of an account whose trial is over in our own words, nil if the response is
// about something else.
func expiredTrial(r httpclient.Response) error {
	envelope, _ := r.Object()
	data, _ := envelope["data"].(map[string]any)
	account, _ := data["account"].(map[string]any)
	expired, ok := account["expired"].(map[string]any)
	if !ok {
		return nil
	}
	more := map[string]any{}
	if cause, ok := expired["cause"].(json.Number); ok {
		more["cause"] = cause
	}
	return fault.Finding("account", "expired", "account expired", more)
}

func isID(value any) bool {
	text, _ := value.(string)
	return kazoo.IsID(text)
}

func isOptionalID(value any) bool { return value == nil || isID(value) }
