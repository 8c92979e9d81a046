package billing

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/fault"
)

// Proposal is what an account is to be given.
type Proposal struct {
	AccountID     string // the account that is given it
	AuthAccountID string // the account that asks for it
	RequestID     string // identifies the request in logs
	Items         []Item
	AcceptCharges bool // whether the client accepts what it costs
}

// Item is so many more of something, in the words of Kazoo's service plans.
type Item struct {
	Category string `json:"category"`
	Item     string `json:"item"`
	Quantity int    `json:"quantity"`
}

// Approve returns nil if an account may be given something. Charges that were not accepted are a fault.PaymentRequired,
// whose data are the invoices; a refusal is a fault.BillingIssue. The hook is asked before anything is written, and may
// be asked again about the same.
func (h *Hook) Approve(ctx context.Context, p Proposal) error {
	began := time.Now()
	q, err := h.quote(ctx, p)
	outcome := q.outcome(p.AcceptCharges)
	if err != nil {
		outcome = Failed
	}
	h.observe(Call{Event: Quote, Outcome: outcome, Duration: time.Since(began)})
	switch outcome {
	case Failed:
		return h.withoutQuote(ctx, p, err)
	case Refused:
		p.about(h.log.Info()).Any("refusal", q.refusal).Msg("the billing hook refuses an assignment")
		return &fault.Error{Kind: fault.BillingIssue, Data: q.refusal}
	case Quoted:
		return &fault.Error{Kind: fault.PaymentRequired, Data: q.invoices}
	case Accepted:
		p.about(h.log.Info()).Int("invoices", len(q.invoices)).Msg("the client accepted the charges of an assignment")
	}
	return nil
}

// withoutQuote decides what to do without a quote. A client that has gone gets nothing, whatever the setting.
func (h *Hook) withoutQuote(ctx context.Context, p Proposal, err error) error {
	if ctx.Err() != nil {
		return noQuote(ctx.Err())
	}
	event := p.about(h.log.Error().Err(err))
	if h.options.AllowOnError {
		event.Msg("no quote from the billing hook: the assignment is allowed (--billing-on-error allow), and billed once it is reconciled")
		return nil
	}
	event.Msg("no quote from the billing hook: the assignment is refused (--billing-on-error deny)")
	return noQuote(err)
}

// noQuote is Kazoo's refusal where a bookkeeper fails (kz_services_standing), so that clients know it.
func noQuote(err error) error {
	return &fault.Error{Kind: fault.BillingIssue, Err: err, Data: map[string]any{
		"reason": "bookkeeper_fault", "message": "billing can't be reached, please try again later",
	}}
}

// about adds to a log line what it is about.
func (p Proposal) about(event *zerolog.Event) *zerolog.Event {
	return event.Str("request_id", p.RequestID).Str("account", p.AccountID).Str("auth_account", p.AuthAccountID).
		Any("items", p.Items)
}

// quoteMessage is what the hook is sent.
type quoteMessage struct {
	header
	AuthAccountID string `json:"auth_account_id"`
	Items         []Item `json:"items"`
	AcceptCharges bool   `json:"accept_charges"`
}

// quote asks the hook.
func (h *Hook) quote(ctx context.Context, p Proposal) (quote, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, h.options.QuoteTime, errTooLate)
	defer cancel()
	r, err := h.post(ctx, p.RequestID, quoteMessage{
		header{protocol, Quote, p.AccountID}, p.AuthAccountID, p.Items, p.AcceptCharges,
	})
	if err != nil {
		return quote{}, err
	}
	return readQuote(r)
}

var errTooLate = errors.New("no response in time")
