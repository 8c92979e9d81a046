// Package billing asks an operator's billing system before an account is given more, and tells it afterwards that what
// an account has is another: the part that Kazoo's service plans and bookkeepers play in Crossbar. A Kazoo beside junctor
// is told afterwards, too, so that the count it has recorded follows.
//
// The billing system is a hook, one URL that is sent JSON; README.md describes the protocol. A quote is asked for
// while somebody waits, so it is bounded in time, and what becomes of one that fails is the operator's decision. An
// answer counts only if it was understood. Reconciling is done in the background, for each account at least once after
// its last change, unless the hook stays away.
//
// The package does not know what the items are, who may have them, or how clients are answered.
package billing

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/rs/zerolog"
)

// Options says where the hook is, and how to treat it.
type Options struct {
	// URL is the hook's, http(s)://[USER:PASSWORD@]HOST[:PORT]/PATH. See CheckURL.
	URL string
	// AllowOnError gives accounts what they ask for while the hook fails; otherwise it is refused.
	AllowOnError bool
	// QuoteTime bounds how long a quote is waited for; 5 s.
	QuoteTime time.Duration
	Pauses
	// Observe is told of every call of the hook; nil is nobody.
	Observe func(Call)
	// Log gets what the operator should know.
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
	Quoted   = "quoted"   // a quote: there are charges that nobody has accepted yet
	Accepted = "accepted" // a quote: the charges were accepted
	Refused  = "refused"  // a quote: the account gets nothing, whatever it accepts
	Done     = "done"     // a reconcile was taken
	Failed   = "failed"   // there was no answer, or one that was not understood
)

// Hook is a billing system. It is safe for concurrent use. A nil *Hook is none: it approves everything. Its Queue tells
// it of changes.
type Hook struct {
	*Queue
	options Options
	http    *http.Client
}

// New answers the hook at a URL. It need not be there.
func New(o Options) (*Hook, error) {
	if err := CheckURL(o.URL); err != nil {
		return nil, err
	}
	o.QuoteTime = or(o.QuoteTime, 5*time.Second)
	if o.Observe == nil {
		o.Observe = func(Call) {}
	}
	h := &Hook{options: o, http: newClient()}
	h.Queue = newQueue("billing hook", Reconcile, h.tell, o.Pauses, o.Observe, o.Log)
	return h, nil
}

func or(d, fallback time.Duration) time.Duration {
	if d <= 0 {
		return fallback
	}
	return d
}

// CheckURL says what is wrong with the URL of a hook, without repeating it: there may be a password in it.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Fragment != "" {
		return errors.New("not http(s)://[USER:PASSWORD@]HOST[:PORT]/PATH")
	}
	return nil
}

// Close ends idle connections.
func (h *Hook) Close() { h.http.CloseIdleConnections() }
