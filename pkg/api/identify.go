package api

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"junctor/pkg/auth"
	"junctor/pkg/fault"
)

// credentials picks the token a request carries, from the first place that has one (api_util:get_auth_token).
func credentials(r *request) auth.Credentials {
	c := auth.Credentials{Account: r.Header.Get("X-Auth-Account-Id")}
	if headers := r.Header.Values("X-Auth-Token"); len(headers) > 0 {
		c.Kind, c.Token = auth.XAuthToken, headers[0]
		return c
	}
	if c.Token = r.text("auth_token"); c.Token != "" {
		c.Kind = auth.XAuthToken
		return c
	}
	text := r.Header.Get("Authorization")
	if text == "" {
		text = r.text("authorization")
	}
	for scheme, kind := range map[string]auth.Kind{"Basic ": auth.Basic, "Bearer ": auth.Bearer} {
		if token, ok := strings.CutPrefix(text, scheme); ok {
			c.Kind, c.Token = kind, token
			return c
		}
	}
	c.Token = text
	return c
}

// ownAccount is an alias for the account of the token (api_util:parse_path_tokens).
const ownAccount = "account"

// identify finds out who asks for the resource. That need not succeed yet. Nobody is asked for at an open
// resource, so that a client whose token ran out can send it along when it fetches a new one.
func (s *Server) identify(r *request) {
	if r.resource != nil && r.resource.open {
		return
	}
	if r.token.Token == "" { // nothing is read for a request that proves nothing
		r.refused = fault.New(fault.Unauthenticated, "")
		return
	}
	if r.refused = s.findCluster(r); r.refused != nil {
		return
	}
	r.identity, r.refused = s.authenticate(r)
	logActor(r)
	if r.identity != nil && len(r.segments) > 0 && r.segments[0] == ownAccount {
		r.segments = append([]string{"accounts", r.identity.AccountID}, r.segments[1:]...)
		s.route(r)
	}
}

// findCluster settles which cluster a request about routing is about: the one it names, or else our own. Everywhere
// else another cluster's word counts for nothing, and naming one changes nothing (as in Crossbar).
func (s *Server) findCluster(r *request) error {
	if len(r.segments) == 0 || r.segments[0] != "routing" {
		return nil
	}
	own, err := s.Accounts.ClusterID(r.ctx())
	if err != nil {
		return err
	}
	if r.cluster = r.Header.Get("X-Kazoo-Cluster-Id"); r.cluster == "" {
		r.cluster = r.text("kazoo_cluster_id")
	}
	if r.cluster == "" {
		r.cluster = own
	}
	r.foreign = r.cluster != own
	return nil
}

// authenticate answers who sent r. A token of our own that is good passes whatever went wrong before; everything
// that could be a guess costs when it fails (see package throttle).
func (s *Server) authenticate(r *request) (*auth.Identity, error) {
	switch {
	case r.foreign:
		return attempt(s, r, r.cluster, func() (*auth.Identity, error) { return s.askCluster(r) })
	case r.token.Kind == auth.Basic:
		return attempt(s, r, guessed(r.token), func() (*auth.Identity, error) {
			return s.Tokens.Authenticate(r.ctx(), r.token)
		})
	}
	identity, err := withKeys(s, r, r.token, s.Tokens.Authenticate)
	return identity, s.failedToken(r, err)
}

// withKeys looks at a token, and reads the signing key that it names from the store unless its client has shown too many
// bad ones.
func withKeys[T any](
	s *Server, r *request, c auth.Credentials, look func(context.Context, auth.Credentials) (T, error),
) (T, error) {
	c.CachedKeysOnly = true
	result, err := look(r.ctx(), c)
	if errors.Is(err, auth.ErrKeyNotCached) && !s.Throttle.Exhausted(s.client(r.Request)) {
		c.CachedKeysOnly = false
		result, err = look(r.ctx(), c)
	}
	return result, err
}

// askCluster has the cluster that r names identify the token. Neither tokens of this cluster nor passwords leave it.
func (s *Server) askCluster(r *request) (*auth.Identity, error) {
	if r.token.Kind == auth.Basic {
		return nil, fault.Wrap(fault.Unauthenticated, errors.New("credentials of the scheme Basic are for this cluster only"))
	}
	own, err := s.Tokens.Own(r.ctx(), r.token.Token)
	if err != nil {
		return nil, err
	}
	if own {
		return nil, &fault.Error{
			Kind: fault.Forbidden,
			Data: map[string]any{"message": "the token is of this cluster, not of the one that the request names"},
			Err:  errors.New("a token of this cluster about another one"),
		}
	}
	return s.Clusters.Identify(r.ctx(), r.cluster, r.token.Token)
}

// guessed answers the account that Basic credentials are about. The one in the path may be any other, so counting
// guesses by that would let a guesser begin anew with every request.
func guessed(c auth.Credentials) string {
	text, _ := base64.StdEncoding.DecodeString(c.Token)
	id, _, _ := strings.Cut(string(text), ":")
	return id
}

// failedToken passes on why a token of our own was refused, and counts that. Whoever shows too many is told to slow
// down instead.
func (s *Server) failedToken(r *request, err error) error {
	if fault.Is(err, fault.Unauthenticated) {
		if slow := s.Throttle.FailedToken(s.client(r.Request), r.vars["account"]); slow != nil {
			return slow
		}
	}
	return err
}

// attempt looks at credentials unless this client got too many wrong. about is the account or cluster they are
// for, where that is known.
func attempt[T any](s *Server, r *request, about string, look func() (T, error)) (result T, err error) {
	end, err := s.Throttle.Attempt(s.client(r.Request), about)
	if err != nil {
		return result, err
	}
	defer func() {
		unknownCluster := r.foreign && fault.Is(err, fault.Forbidden)
		end(fault.Is(err, fault.Unauthenticated) || unknownCluster)
	}()
	return look()
}

// stops reports whether a token was refused in a way that ends the request before anything is said of its path: it
// was good once (crossbar_util:response_401), or the trial of its account is over.
func stops(refused error) bool {
	return fault.Is(refused, fault.TokenRejected) || fault.Is(refused, fault.Invalid)
}
