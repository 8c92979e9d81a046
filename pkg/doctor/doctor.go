// Package doctor examines a store, usually a Kazoo's CouchDB. It reports what would keep junctor from serving on it, and
// what an operator should know before it does.
//
// Each check is a small function that returns one finding: what was found and what to do about it. Checks write nothing,
// not even a view of ours: their Store has no methods for it. Whether copies and keys are right is decided by the packages
// that own them; only what no other package examines, such as the exact text of Kazoo's design documents, is known here.
// The package does not print, and does not know how it was called.
package doctor

import (
	"context"

	"junctor/pkg/account"
	"junctor/pkg/projection"
)

// State says how bad a finding is.
type State string

// The states of findings.
const (
	OK      State = "ok"
	Warning State = "warning" // junctor works, but an operator should look at it
	Broken  State = "broken"  // something would not work
)

// Finding is what a check found.
type Finding struct {
	Check  string `json:"check"`
	State  State  `json:"state"`
	Found  string `json:"found"`
	Remedy string `json:"remedy,omitempty"` // what to do about it
}

// Store is what checks may do with a store: *store.Store can, and more.
type Store interface {
	projection.ViewStore
	DatabaseExists(ctx context.Context, db string) (bool, error)
	Attachment(ctx context.Context, db, id, name string) ([]byte, error)
}

// Options says what else to look at. The zero value is an embedded store.
type Options struct {
	CouchDB  string                          // its address, as store.Open takes it; empty is an embedded store
	Alone    bool                            // no Kazoo is there or will be: the store is an embedded one of junctor's
	AMQP     string                          // the URL of Kazoo's broker; empty is none
	Node     account.Node                    // whose settings count
	Kazoo    func(ctx context.Context) error // logs in to the Crossbar of --kazoo-url; nil where there is none
	Accounts int                             // how many accounts' copies are looked at; 5,000
}

// examination is one look at a store.
type examination struct {
	Options
	store  Store
	config account.Config

	survey    projection.Survey
	surveyErr error
}

// check is one thing to look at.
type check struct {
	name   string
	look   func(*examination, context.Context) Finding
	beside bool   // it makes sense beside a Kazoo only
	alone  string // the remedy where no Kazoo is, instead of Kazoo's own
}

// refound is the remedy for what an embedded store lacks.
const refound = "run \"junctor bootstrap\", which creates what is missing; lost data comes back only from a backup"

// checks are all but those of the server, in the order in which a store is understood.
var checks = []check{
	{name: "databases", look: (*examination).databases, alone: refound},
	{name: "settings", look: (*examination).settings, alone: refound},
	{name: "signing key", look: (*examination).signingKey, alone: refound},
	{name: "master account", look: (*examination).masterAccount, alone: refound},
	{name: "account views", look: (*examination).accountViews, beside: true},
	{name: "Kazoo's views", look: (*examination).kazooViews, beside: true},
	{name: "addresses", look: ofSurvey((*examination).addresses)},
	{name: "spellings", look: ofSurvey((*examination).spellings)},
	{name: "conflicts", look: ofSurvey((*examination).conflicts)},
	{name: "holders", look: ofSurvey((*examination).holders)},
	{name: "copies", look: ofSurvey((*examination).copies)},
	{name: "broker", look: (*examination).broker, beside: true},
	{name: "reconciliation", look: (*examination).reconciliation, beside: true},
}

// Examine examines a store. If a CouchDB does not respond, that is the only finding.
func Examine(ctx context.Context, s Store, o Options) []Finding {
	if o.Accounts == 0 {
		o.Accounts = 5000
	}
	e := &examination{Options: o, store: s, config: account.NewConfig(s).At(o.Node)}
	var findings []Finding
	if o.CouchDB != "" {
		findings = e.examineServer(ctx)
		if findings[0].State == Broken {
			return findings
		}
	}
	e.survey, e.surveyErr = projection.TakeSurvey(ctx, s, o.Accounts)
	for _, c := range checks {
		asked := c.name == "broker" && o.AMQP != "" || c.name == "reconciliation" && o.Kazoo != nil
		if c.beside && o.Alone && !asked {
			continue
		}
		f := c.look(e, ctx)
		f.Check = c.name
		if o.Alone && f.State != OK && c.alone != "" {
			f.Remedy = c.alone
		}
		findings = append(findings, f)
	}
	return findings
}

// Worst returns the worst state among findings.
func Worst(findings []Finding) State {
	worst := OK
	for _, f := range findings {
		worst = worse(worst, f.State)
	}
	return worst
}

func worse(a, b State) State {
	if a == Broken || b == OK {
		return a
	}
	return b
}
