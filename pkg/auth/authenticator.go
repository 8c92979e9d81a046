package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/doccache"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
)

// Store is what the package needs of a store.
type Store interface {
	account.Store
	Attachment(ctx context.Context, db, id, name string) ([]byte, error)
	Text(ctx context.Context, db, id string) ([]byte, error)
}

// Options adjusts an Authenticator. The zero value is strict.
type Options struct {
	// Now is the clock; nil is the real one.
	Now func() time.Time
	// Documents caches the documents that decide. A deleted user may log in for as long as they may be stale. Before
	// credentials are refused because of a cached document, that document is read once more, at most once a second.
	// Nil reads every document for every request.
	Documents *doccache.Cache
	// AllowMissingIdentitySig takes tokens that are bound to no secret, and so can't be revoked, as Kazoo does.
	AllowMissingIdentitySig bool
	// MasterCluster is the id of the cluster whose master account is the operator's; empty is the own cluster.
	MasterCluster string
	// Node is the process whose settings count.
	Node account.Node
}

// Authenticator tells whose token a request carries, and what its holder may do. It is safe for concurrent use.
type Authenticator struct {
	documents     *doccache.Cache
	directory     *account.Directory
	keys          *keyring
	policies      *policies
	verdicts      *verdicts
	now           func() time.Time
	unbound       bool // tokens without identity_sig are taken
	masterCluster string
	node          account.Node
}

// NewAuthenticator answers an Authenticator for the tokens of the cluster whose documents are in s.
func NewAuthenticator(s Store, o Options) *Authenticator {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Documents == nil {
		o.Documents = doccache.New(s, doccache.Options{})
	}
	return &Authenticator{
		documents:     o.Documents,
		directory:     account.NewDirectory(s).Reading(o.Documents).At(o.Node),
		keys:          newKeyring(s),
		policies:      newPolicies(s),
		verdicts:      newVerdicts(),
		now:           o.Now,
		unbound:       o.AllowMissingIdentitySig,
		masterCluster: o.MasterCluster,
		node:          o.Node,
	}
}

// config answers the settings in documents.
func (a *Authenticator) config(documents account.Reader) account.Config {
	return account.NewConfig(documents).At(a.node)
}

// Authenticate answers who sent a request. A token that expired is fault.TokenRejected, an account whose trial
// is over fault.Invalid, and whatever else proves nothing fault.Unauthenticated. A store that does not answer is
// neither: its error passes as it is.
func (a *Authenticator) Authenticate(ctx context.Context, c Credentials) (*Identity, error) {
	if len(c.Token) > maxToken {
		return nil, refuse(errors.New("longer than any token"))
	}
	f := fingerprintOf(c)
	made, ok := a.verdicts.Get(f)
	if !ok || !a.stands(made) {
		var err error
		if made, err = a.judge(ctx, c); err != nil {
			return nil, err
		}
		a.verdicts.Add(f, made)
	}
	if err := a.checkExpiry(made.expires); err != nil {
		return nil, err
	}
	if err := checkHeader(c, made.claimed); err != nil {
		return nil, err
	}
	identity := made.identity
	return &identity, nil
}

// stands reports whether an earlier verdict would be the same now.
func (a *Authenticator) stands(v *verdict) bool {
	return a.documents.Valid(v.validity) && a.checkTrials(v) == nil
}

// judge examines credentials. It refuses none by what it only remembers: the password may have been changed, or
// the key be new, since.
func (a *Authenticator) judge(ctx context.Context, c Credentials) (*verdict, error) {
	q := a.documents.ReadSet()
	made, err := a.examine(ctx, q, c)
	if fault.Is(err, fault.Unauthenticated) && q.Reread(ctx) {
		q = a.documents.ReadSet()
		made, err = a.examine(ctx, q, c)
	}
	if err != nil {
		return nil, err
	}
	made.validity = q.Validity()
	return made, nil
}

func (a *Authenticator) examine(ctx context.Context, q *doccache.ReadSet, c Credentials) (*verdict, error) {
	switch c.Kind {
	case XAuthToken:
		return a.examineToken(ctx, q, c)
	case Basic:
		return a.examineBasic(ctx, q, c.Token)
	}
	return nil, refuse(errors.New("no kind of token that is taken here"))
}

func (a *Authenticator) examineToken(ctx context.Context, q *doccache.ReadSet, c Credentials) (*verdict, error) {
	claims, err := a.verify(ctx, q, c)
	if err != nil {
		return nil, err
	}
	if err := checkHeader(c, claims.AccountID); err != nil {
		return nil, err
	}
	if err := a.checkBinding(ctx, q, claims); err != nil {
		return nil, err
	}
	made, err := a.decide(ctx, q, claims)
	if err != nil {
		return nil, err
	}
	made.expires = claims.Expires
	return made, a.checkTrials(made)
}

// decide is the one place that says what genuine credentials are worth now: who logged in, as whom they act, and
// whether each of them may still do so. A trial that is over is left to checkTrials.
func (a *Authenticator) decide(ctx context.Context, q *doccache.ReadSet, c *claims) (*verdict, error) {
	identity := Identity{AccountID: c.AccountID, OwnerID: c.OwnerID, Method: c.Method}
	holder, err := a.admit(ctx, q, c.principal())
	if err != nil {
		return nil, err
	}
	made := &verdict{claimed: c.AccountID, holders: []*account.Account{holder}}
	if c.impersonator != (principal{}) {
		impersonator, err := a.admit(ctx, q, c.impersonator)
		if err != nil {
			return nil, err
		}
		made.holders = append(made.holders, impersonator)
	}
	if err := a.rank(ctx, q, &identity, holder); err != nil {
		return nil, err
	}
	if c.As == (As{}) {
		made.identity = identity
		return made, nil
	}
	if holder == nil {
		return nil, refuse(errors.New("as: the token's account does not exist"))
	}
	target, err := checkAs(ctx, q, c.principal(), c.As, a.now())
	if fault.Is(err, fault.Forbidden) {
		err = refuse(fmt.Errorf("as: %w", err))
	}
	if err != nil {
		return nil, err
	}
	made.holders = append(made.holders, target)
	made.identity = Identity{AccountID: c.As.AccountID, OwnerID: c.As.OwnerID, Method: c.Method, By: &identity}
	return made, a.rank(ctx, q, &made.identity, target)
}

// admit returns the account of a principal that may use its credentials now.
func (a *Authenticator) admit(ctx context.Context, q *doccache.ReadSet, p principal) (*account.Account, error) {
	if a.unbound {
		if _, err := account.Get(ctx, q, p.accountID); account.Missing(err) {
			return nil, nil // Kazoo lets it in, and it has no right on anything
		}
	}
	holder, err := checkActive(ctx, q, p)
	if err != nil {
		return nil, err
	}
	return holder, checkEnabled(holder, a.now())
}

// checkHeader refuses a token of an account other than X-Auth-Account-ID says. It is about tokens alone.
func checkHeader(c Credentials, claimed string) error {
	if c.Kind == XAuthToken && c.Account != "" && c.Account != claimed {
		return refuse(errors.New("X-Auth-Account-ID names another account than the token"))
	}
	return nil
}

// verify answers what a token claims if it is genuine and has not expired.
func (a *Authenticator) verify(ctx context.Context, q *doccache.ReadSet, c Credentials) (*claims, error) {
	claims, err := parse(c.Token, func(kid string) (any, error) {
		if c.CachedKeysOnly && !a.keys.keys.Contains(kid) {
			if err := a.mustBeCurrent(ctx, q, kid); err != nil {
				return nil, err
			}
		}
		return a.keys.public(ctx, q, kid)
	})
	if err != nil {
		return nil, err
	}
	return claims, a.checkExpiry(claims.Expires)
}

// mustBeCurrent refuses keys other than the one that the cluster signs with.
func (a *Authenticator) mustBeCurrent(ctx context.Context, q *doccache.ReadSet, kid string) error {
	current, err := a.config(q).Text(ctx, "auth", "system_key")
	if err == nil && kid != current {
		err = refuse(fmt.Errorf("%w %s: %w", errKey, kid, ErrKeyNotCached))
	}
	return err
}

func (a *Authenticator) checkExpiry(expires *int64) error {
	if expires != nil && a.now().Unix() >= *expires {
		return &fault.Error{Kind: fault.TokenRejected, Err: errors.New("the token has expired")}
	}
	return nil
}

// rank fills in what an identity is by its account, nil where there is none.
func (a *Authenticator) rank(ctx context.Context, q *doccache.ReadSet, i *Identity, holder *account.Account) error {
	if holder == nil {
		return nil
	}
	master, err := a.config(q).Master(ctx)
	if err != nil {
		return err
	}
	i.Superduper, i.Master = holder.Superduper, holder.ID == master
	return nil
}

func (a *Authenticator) checkTrials(v *verdict) error {
	for _, holder := range v.holders {
		if err := checkTrial(holder, a.now()); err != nil {
			return err
		}
	}
	return nil
}

// checkTrial refuses accounts whose trial is over, in Crossbar's words (cb_token_auth, account/expired).
func checkTrial(holder *account.Account, now time.Time) error {
	if holder == nil || holder.TrialExpires == 0 || kazoo.Gregorian(now) < holder.TrialExpires {
		return nil
	}
	return fault.Finding("account", "expired", "account expired",
		map[string]any{"cause": document.Number(holder.TrialExpires)})
}
