// Package billing asks an operator's billing system before an account is given more, and calls it afterwards to
// reconcile what an account has: the part that Kazoo's service plans and bookkeepers play in Crossbar. A Kazoo beside
// junctor is called afterwards, too, so that the count it has recorded follows.
//
// The billing system is a hook, one URL that is sent JSON; docs/billing.md describes the protocol. A client waits for a
// quote, so it is bounded in time, and the operator decides what becomes of one that fails. A response counts only if it
// is exactly one of the protocol. Reconcile calls are made in the background, for each account at least once after its
// last change, unless the hook stays away.
//
// The package does not know what the items are, who may have them, or how the API responds to clients.
package billing

import (
	"cmp"
	"errors"
	"net/url"
	"time"

	"github.com/rs/zerolog"
)

// Options configures a Hook.
type Options struct {
	// URL is the hook's, http(s)://[USER:PASSWORD@]HOST[:PORT]/PATH. See CheckURL.
	URL string
	// AllowOnError gives accounts what they ask for while the hook fails; otherwise it is refused.
	AllowOnError bool
	// QuoteTime bounds how long a quote is waited for; 5 s.
	QuoteTime time.Duration
	Pauses
	// Observe is called after every call of the hook; nil disables it.
	Observe func(Call)
	// Log is for the operator.
	Log zerolog.Logger
}

// Call is one call of the hook, or of Kazoo.
type Call struct {
	Event    string // Quote, Reconcile or KazooReconcile
	Outcome  string
	Duration time.Duration
}

// The events that the hook and Kazoo are called for.
const (
	Quote          = "quote"
	Reconcile      = "reconcile"
	KazooReconcile = "kazoo_reconcile"
)

// The outcomes of calls.
const (
	Free     = "free"     // a quote: nothing is charged
	Quoted   = "quoted"   // a quote: there are charges that are not accepted yet
	Accepted = "accepted" // a quote: the charges were accepted
	Refused  = "refused"  // a quote: the account gets nothing, whatever it accepts
	Done     = "done"     // a reconcile call succeeded
	Failed   = "failed"   // there was no response, or one that is not of the protocol
)

// Hook is a billing system. It is safe for concurrent use.
type Hook struct {
	*Queue
	options Options
}

// New returns the hook at a URL. It need not be reachable yet.
func New(o Options) (*Hook, error) {
	if err := CheckURL(o.URL); err != nil {
		return nil, err
	}
	o.QuoteTime = cmp.Or(o.QuoteTime, 5*time.Second)
	h := &Hook{options: o}
	h.Queue = newQueue("billing hook", Reconcile, h.reconcile, o.Pauses, o.Observe, o.Log)
	return h, nil
}

// CheckURL returns what is wrong with the URL of a hook, without repeating it: it may contain a password.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Fragment != "" {
		return errors.New("not http(s)://[USER:PASSWORD@]HOST[:PORT]/PATH")
	}
	return nil
}
