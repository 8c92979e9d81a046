package auth

import (
	"context"
	"fmt"
	"math"

	"junctor/pkg/auth/lookupkey"
	"junctor/pkg/doccache"
	"junctor/pkg/fault"
)

// IsLookupKey reports whether credentials have the form of a look-up key. It is valid for the routing of all clusters, and
// is never sent to another one.
func (c Credentials) IsLookupKey() bool { return c.Kind == XAuthToken && lookupkey.Is(c.Token) }

// verifyLookupKey verifies a look-up key.
func (a *Authenticator) verifyLookupKey(
	ctx context.Context, q *doccache.ReadSet, c Credentials,
) (*cachedIdentity, error) {
	if err := checkHeader(c, ""); err != nil {
		return nil, err
	}
	name, err := lookupkey.Verify(ctx, q, c.Token)
	if fault.Is(err, fault.BadIdentifier) {
		return nil, refuse("no such look-up key")
	}
	if err != nil {
		return nil, err
	}
	own, err := a.config(q).ClusterID(ctx)
	return &cachedIdentity{
		identity: Identity{LookupKey: name, Method: "lookup_key", ClusterID: own},
		trialEnd: math.MaxInt64, until: math.MaxInt64,
	}, err
}

// checkLookup refuses what a look-up key can't be used for.
func checkLookup(i *Identity, wanted Access) error {
	if wanted.Verb != "GET" || len(wanted.Path) == 0 || wanted.Path[0] != "routing" {
		return fault.Wrap(fault.Forbidden, fmt.Errorf("look-up key %s: %s %q", i.LookupKey, wanted.Verb, wanted.Path))
	}
	return nil
}
