package billing

import (
	"errors"
	"fmt"
	"net/http"

	"junctor/pkg/httpclient"
)

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

// readQuote reads the response to a proposal. What is not exactly one of the protocol is an error: no account is given
// anything for a response that might have meant something else.
func readQuote(r httpclient.Response) (quote, error) {
	switch r.Status {
	case http.StatusOK:
		invoices, err := readInvoices(r)
		return quote{invoices: invoices}, err
	case http.StatusPaymentRequired:
		return quote{refusal: readRefusal(r)}, nil
	}
	return quote{}, fmt.Errorf("the hook responds with status %d", r.Status)
}

// readInvoices reads {} or {"invoices":[…]}.
func readInvoices(r httpclient.Response) ([]any, error) {
	object, err := r.Object()
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
		return nil, errors.New("invoices in the response is not a list")
	}
	for _, entry := range list {
		if _, ok := entry.(map[string]any); !ok {
			return nil, errors.New("an invoice in the response is not an object")
		}
	}
	return list, nil
}

// readRefusal reads why an account gets no more: {"reason":…,"message":…}. The status alone is a refusal, too.
func readRefusal(r httpclient.Response) map[string]any {
	refusal := map[string]any{"reason": "bookkeeper_rejection", "message": "there is a billing issue with this account"}
	object, _ := r.Object()
	for key := range refusal {
		if text := object.String(key); text != "" {
			refusal[key] = text
		}
	}
	return refusal
}
