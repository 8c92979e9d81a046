package auth

import (
	"context"
	"errors"
	"math"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/doccache"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
)

// Store is what the package uses of a store.
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
	// MasterCluster is the id of the cluster whose master account is the operator's; empty is the own cluster.
	MasterCluster string
	// Node is the process whose settings count.
	Node account.Node
}

// Authenticator authenticates requests and checks what their senders may do. It is safe for concurrent use.
type Authenticator struct {
	documents     *doccache.Cache
	directory     *account.Directory
	keys          *keyring
	policies      *policies
	identities    *identityCache
	now           func() time.Time
	masterCluster string
	node          account.Node
}

// NewAuthenticator returns an Authenticator for the tokens of the cluster whose documents are in s.
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
		identities:    newIdentityCache(),
		now:           o.Now,
		masterCluster: o.MasterCluster,
		node:          o.Node,
	}
}

// config returns the settings in documents.
func (a *Authenticator) config(documents account.Reader) account.Config {
	return account.NewConfig(documents).At(a.node)
}

// Authenticate returns who sent a request. The error is of kind fault.TokenRejected if the token has expired,
// fault.Invalid if the account's trial is over, and fault.Unauthenticated if the credentials prove nothing. Errors of
// the store are returned as they are.
func (a *Authenticator) Authenticate(ctx context.Context, c Credentials) (*Identity, error) {
	if len(c.Token) > maxToken {
		return nil, refuse("longer than any token")
	}
	f := fingerprintOf(c)
	cached, ok := a.identities.Get(f)
	ok = ok && a.now().Unix() < cached.until && a.documents.Valid(cached.validity)
	if !ok || a.documents.Due(cached.validity) {
		verified, err := a.verify(ctx, c)
		switch {
		case err == nil:
			cached = verified
			a.identities.Add(f, cached)
		case !ok || !fault.Is(err, fault.DatastoreUnreachable): // while the store is away, a valid identity is used
			return nil, err
		}
	}
	identity := cached.identity
	return &identity, nil
}

// verify verifies credentials. Before it refuses them because of cached documents, it reads these once more: the
// password or the key may just have changed.
func (a *Authenticator) verify(ctx context.Context, c Credentials) (*cachedIdentity, error) {
	verified, err := doccache.Decide(ctx, a.documents, fault.Unauthenticated,
		func(q *doccache.ReadSet) (*cachedIdentity, error) {
			verified, err := a.verifyWith(ctx, q, c)
			if err == nil {
				verified.validity = q.Validity()
			}
			return verified, err
		})
	if err != nil {
		return nil, err
	}
	if err := checkTrial(verified.trialEnd, a.now()); err != nil {
		return nil, err
	}
	verified.until = min(verified.until, kazoo.FromGregorian(verified.trialEnd).Unix())
	return verified, nil
}

// verifyWith verifies credentials with the documents of q.
func (a *Authenticator) verifyWith(ctx context.Context, q *doccache.ReadSet, c Credentials) (*cachedIdentity, error) {
	switch {
	case c.IsLookupKey():
		return a.verifyLookupKey(ctx, q, c)
	case c.Kind == XAuthToken:
		return a.verifyToken(ctx, q, c)
	case c.Kind == Basic:
		return a.verifyBasic(ctx, q, c.Token)
	}
	return nil, refuse("neither a JWT nor another kind of token that junctor accepts")
}

func (a *Authenticator) verifyToken(ctx context.Context, q *doccache.ReadSet, c Credentials) (*cachedIdentity, error) {
	claims, err := a.readToken(ctx, q, c)
	if err != nil {
		return nil, err
	}
	if err := checkHeader(c, claims.accountID); err != nil {
		return nil, err
	}
	if err := a.checkIdentitySig(ctx, q, claims); err != nil {
		return nil, err
	}
	verified, err := a.identify(ctx, q, claims)
	if err != nil {
		return nil, err
	}
	if claims.Expires != nil {
		verified.until = *claims.Expires
	}
	return verified, nil
}

// identify returns the identity that genuine credentials stand for: who logged in, as whom they act, and what their
// accounts may do. It refuses principals that may not use their credentials now, except for a trial that is over,
// which verify checks.
func (a *Authenticator) identify(ctx context.Context, q *doccache.ReadSet, c *claims) (*cachedIdentity, error) {
	identity := Identity{AccountID: c.accountID, OwnerID: c.ownerID, Method: c.Method}
	holder, err := a.admit(ctx, q, c.principal)
	if err != nil {
		return nil, err
	}
	result := &cachedIdentity{trialEnd: trialEnd(holder), until: math.MaxInt64}
	if c.impersonator != (principal{}) {
		impersonator, err := a.admit(ctx, q, c.impersonator)
		if err != nil {
			return nil, err
		}
		result.trialEnd = min(result.trialEnd, trialEnd(impersonator))
	}
	if err := a.rank(ctx, q, &identity, holder); err != nil {
		return nil, err
	}
	if c.As == (As{}) {
		result.identity = identity
		return result, nil
	}
	target, err := checkAs(ctx, q, c.principal, c.As, a.now())
	if fault.Is(err, fault.Forbidden) {
		err = refuse("as: %w", err)
	}
	if err != nil {
		return nil, err
	}
	result.trialEnd = min(result.trialEnd, trialEnd(target))
	result.identity = Identity{AccountID: c.As.AccountID, OwnerID: c.As.OwnerID, Method: c.Method, By: &identity}
	return result, a.rank(ctx, q, &result.identity, target)
}

// admit returns the account of a principal that may use its credentials now.
func (a *Authenticator) admit(ctx context.Context, q *doccache.ReadSet, p principal) (*account.Account, error) {
	holder, err := checkActive(ctx, q, p)
	if err != nil {
		return nil, err
	}
	return holder, checkEnabled(holder, a.now())
}

// checkHeader refuses a token of an account other than X-Auth-Account-ID says.
func checkHeader(c Credentials, claimed string) error {
	if c.Account != "" && c.Account != claimed {
		return refuse("X-Auth-Account-ID names another account than the token")
	}
	return nil
}

// readToken returns the claims of a token that one of our keys signed and that has not expired.
func (a *Authenticator) readToken(ctx context.Context, q *doccache.ReadSet, c Credentials) (*claims, error) {
	claims, err := parse(c.Token, func(kid string) (any, error) {
		if c.MayReadKey != nil && !a.keys.keys.Contains(kid) && !c.MayReadKey() {
			if err := a.mustBeCurrent(ctx, q, kid); err != nil {
				return nil, err
			}
		}
		key, err := a.keys.private(ctx, q, kid)
		if err != nil {
			return nil, err
		}
		return &key.PublicKey, nil
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
		err = refuse("%w %s: not cached, and not read because of too many bad tokens", errKey, kid)
	}
	return err
}

func (a *Authenticator) checkExpiry(expires *int64) error {
	if expires != nil && a.now().Unix() >= *expires {
		return &fault.Error{Kind: fault.TokenRejected, Err: errors.New("the token has expired")}
	}
	return nil
}

// rank sets what the settings and the account make of an identity.
func (a *Authenticator) rank(ctx context.Context, q *doccache.ReadSet, i *Identity, holder *account.Account) error {
	config := a.config(q)
	master, err := config.Master(ctx)
	if err != nil {
		return err
	}
	i.Account, i.Superduper, i.Master = holder, holder.Superduper, holder.ID == master
	i.ClusterID, err = config.ClusterID(ctx)
	return err
}

// trialEnd returns when the trial of an account ends, in Gregorian seconds. Never is math.MaxInt64.
func trialEnd(holder *account.Account) int64 {
	if holder.TrialExpires == 0 {
		return math.MaxInt64
	}
	return holder.TrialExpires
}

// checkTrial refuses accounts whose trial is over, in Crossbar's words (cb_token_auth, account/expired).
func checkTrial(end int64, now time.Time) error {
	if kazoo.Gregorian(now) < end {
		return nil
	}
	return fault.Finding("account", "expired", "account expired", map[string]any{"cause": document.Number(end)})
}
