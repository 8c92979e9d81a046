package billing

import (
	"errors"
	"fmt"
	"mime"
	"net/http"

	"junctor/pkg/document"
)

// response is a response of the hook or of Kazoo.
type response struct {
	status int
	media  string // its Content-Type
	body   []byte // at most maxBody and one
}

// object decodes a body that is a JSON object.
func (r response) object() (document.Document, error) {
	if media, _, err := mime.ParseMediaType(r.media); err != nil || media != "application/json" {
		return nil, errors.New("the response is not application/json")
	}
	if len(r.body) > maxBody {
		return nil, fmt.Errorf("the response is longer than %d bytes", maxBody)
	}
	object, err := document.Decode(r.body)
	if err != nil {
		return nil, fmt.Errorf("the response: %w", err)
	}
	return object, nil
}

// quote is what the hook says of a proposal.
type quote struct {
	invoices []any
	refusal  map[string]any // nil is none
}

// outcome returns what a quote comes to.
func (q quote) outcome(accepted bool) string {
	switch {
	case q.refusal != nil:
		return Refused
	case len(q.invoices) == 0:
		return Free
	case accepted:
		return Accepted
	}
	return Quoted
}

// quote reads the response to a proposal. What is not exactly one of the protocol is an error: no account is given
// anything for a response that might have meant something else.
func (r response) quote() (quote, error) {
	switch r.status {
	case http.StatusOK:
		invoices, err := r.invoices()
		return quote{invoices: invoices}, err
	case http.StatusPaymentRequired:
		return quote{refusal: r.refusal()}, nil
	}
	return quote{}, fmt.Errorf("the hook responds with status %d", r.status)
}

// invoices reads {} or {"invoices":[…]}.
func (r response) invoices() ([]any, error) {
	object, err := r.object()
	if err != nil {
		return nil, err
	}
	value, found := object["invoices"]
	if len(object) > 1 || len(object) == 1 && !found {
		return nil, errors.New("the response has members other than invoices")
	}
	if !found {
		return nil, nil
	}
	list, ok := value.([]any)
	if !ok {
		return nil, errors.New("invoices in the response is no list")
	}
	for _, entry := range list {
		if _, ok := entry.(map[string]any); !ok {
			return nil, errors.New("an invoice in the response is no object")
		}
	}
	return list, nil
}

// refusal reads why an account gets no more: {"reason":…,"message":…}. The status alone is a refusal, too.
func (r response) refusal() map[string]any {
	refusal := map[string]any{"reason": "bookkeeper_rejection", "message": "there is a billing issue with this account"}
	object, _ := r.object()
	for key := range refusal {
		if text := object.String(key); text != "" {
			refusal[key] = text
		}
	}
	return refusal
}
