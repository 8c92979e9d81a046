package billing

import (
	"errors"
	"fmt"
	"mime"
	"net/http"

	"junctor/pkg/document"
)

// answer is what the hook said.
type answer struct {
	status int
	media  string // its Content-Type
	body   []byte // no more than maxAnswer and one
}

// quote is what a hook says of a proposal.
type quote struct {
	invoices []any
	refusal  map[string]any // nil is none
}

// outcome is what a quote comes to.
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

// quote reads an answer to a proposal. What is not exactly one of the protocol is an error: nobody is given anything
// for an answer that might have said something else.
func (a answer) quote() (quote, error) {
	switch a.status {
	case http.StatusOK:
		invoices, err := a.invoices()
		return quote{invoices: invoices}, err
	case http.StatusPaymentRequired:
		return quote{refusal: a.refusal()}, nil
	}
	return quote{}, fmt.Errorf("the hook answers with status %d", a.status)
}

// invoices reads {} or {"invoices":[…]}.
func (a answer) invoices() ([]any, error) {
	object, err := a.object()
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

// refusal reads why there is no more for an account: {"reason":…,"message":…}. The status alone is a refusal, too.
func (a answer) refusal() map[string]any {
	refusal := map[string]any{"reason": "bookkeeper_rejection", "message": "there is a billing issue with this account"}
	object, err := a.object()
	if err != nil {
		return refusal
	}
	for key := range refusal {
		if text := object.String(key); text != "" {
			refusal[key] = text
		}
	}
	return refusal
}

func (a answer) object() (document.Document, error) {
	if media, _, err := mime.ParseMediaType(a.media); err != nil || media != "application/json" {
		return nil, errors.New("the response is not application/json")
	}
	if len(a.body) > maxAnswer {
		return nil, fmt.Errorf("the response is longer than %d bytes", maxAnswer)
	}
	object, err := document.Decode(a.body)
	if err != nil {
		return nil, fmt.Errorf("the response: %w", err)
	}
	return object, nil
}
