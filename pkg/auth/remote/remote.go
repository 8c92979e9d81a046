// Package remote has other Kazoo clusters verify their tokens.
//
// A token does not name the cluster that issued it, and only that cluster has the documents to verify it with. So a
// request names the cluster, and that cluster's API is asked whose token it is, as any client can (cb_token_auth,
// cb_auth). The result is cached for a while. A token is accepted only if the response says so clearly: otherwise the
// result is a refusal if the cluster refused, and fault.ClusterUnreachable if its response makes no sense.
//
// A caller chooses among registered clusters and nothing else: the URL comes from the registry, redirects are not
// followed, and only ids and tokens of the right shape are sent. The package knows HTTP as a client only. The caller
// decides what an identity may do.
package remote

import (
	"context"
	"errors"
	"regexp"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"junctor/pkg/auth"
	"junctor/pkg/auth/trust"
	"junctor/pkg/breaker"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
)

const (
	// totalTime bounds a whole call, the look into the registry included.
	totalTime = 3 * time.Second
	// breakAfter is how many calls in a row have to fail for a cluster's breaker to open.
	breakAfter = 5
	// breakTime is how long it stays open before the next call is let through.
	breakTime = 5 * time.Second
)

// Registry knows the clusters that may be asked; *trust.Registry is one.
type Registry interface {
	Get(ctx context.Context, id string) (trust.Cluster, error)
}

// Introspector identifies the holders of other clusters' tokens. It is safe for concurrent use.
type Introspector struct {
	registry Registry
	client   *client
	now      func() time.Time
	accepted *lru.Cache[string, cachedIdentity]
	// breakers has a *breaker.Breaker for each URL: a cluster that is registered anew elsewhere starts afresh. There are
	// no more of them than clusters were ever registered.
	breakers sync.Map
}

// New returns an Introspector for the clusters in r. now is the clock.
func New(r Registry, now func() time.Time) *Introspector {
	accepted, _ := lru.New[string, cachedIdentity](maxCached) // fails for sizes below 1 only
	return &Introspector{registry: r, client: newClient(), now: now, accepted: accepted}
}

// Close ends idle connections.
func (i *Introspector) Close() { i.client.http.CloseIdleConnections() }

// maxToken bounds the length of a token: the web server in Kazoo (cowboy) accepts no longer header.
const maxToken = 4096

// validToken is the shape of tokens: a JWT, or the id of a legacy one.
var validToken = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// Identify returns the identity of a token's holder, according to the cluster of that id.
//
// A cluster that is not registered is fault.Forbidden, and so is a token that is restricted there. A token that the cluster
// refuses, or says is another cluster's, is fault.Unauthenticated, and an account whose trial is over there fault.Invalid.
// No usable response within three seconds is fault.ClusterUnreachable. Errors of the registry's store are returned as they
// are.
func (i *Introspector) Identify(ctx context.Context, clusterID, token string) (*auth.Identity, error) {
	if !kazoo.IsID(clusterID) {
		return nil, notRegistered(errors.New("not the id of a cluster"))
	}
	if len(token) > maxToken || !validToken.MatchString(token) {
		return nil, refuse("too long for a token, or with characters that no token has")
	}
	// A client that hangs up does not count as an outage of the cluster.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), totalTime)
	defer cancel()
	cluster, err := i.registry.Get(ctx, clusterID)
	if fault.Is(err, fault.BadIdentifier) {
		return nil, notRegistered(err)
	}
	if err != nil {
		return nil, err
	}
	return i.identify(ctx, question{cluster, token})
}

func (i *Introspector) identify(ctx context.Context, q question) (*auth.Identity, error) {
	if known, ok := i.accepted.Get(q.key()); ok && i.now().Before(known.expires) {
		return &known.identity, nil
	}
	return i.ask(ctx, q)
}

// ask asks the cluster unless its breaker is open, and caches an identity. The caller bounds how often a client may show
// tokens that are refused.
func (i *Introspector) ask(ctx context.Context, q question) (*auth.Identity, error) {
	of, _ := i.breakers.LoadOrStore(q.cluster.URL, breaker.New(breakAfter, breakTime))
	call, ok := of.(*breaker.Breaker).Allow(i.now())
	if !ok {
		return nil, unreachable(errors.New("the last calls had no response; the next one is made after a pause"))
	}
	identity, err := i.client.ask(ctx, q)
	now := i.now()
	if errors.Is(err, errSilent) {
		call.Failed(now)
	} else {
		call.Succeeded()
	}
	if err == nil {
		i.accepted.Add(q.key(), cachedIdentity{*identity, expiry(q.token, now.Add(acceptedFor))})
	}
	return identity, err
}

func notRegistered(reason error) error {
	return &fault.Error{
		Kind: fault.Forbidden,
		Data: map[string]any{"message": "the cluster is not registered here"},
		Err:  reason,
	}
}

func refuse(reason string) error { return fault.Wrap(fault.Unauthenticated, errors.New(reason)) }
