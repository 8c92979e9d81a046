package crossbar

import (
	"encoding/base64"
	"errors"
	"strings"

	"junctor/pkg/auth"
	"junctor/pkg/fault"
)

// credentials returns the token that a request carries, from the first place that has one (api_util:get_auth_token). Its
// signing key is read from the store unless the client has shown too many bad tokens.
func (s *Server) credentials(r *Request) auth.Credentials {
	c := auth.Credentials{
		Account: r.Header.Get("X-Auth-Account-Id"), MayReadKey: func() bool { return !s.Throttle.Exhausted(r.Client) },
	}
	if headers := r.Header.Values("X-Auth-Token"); len(headers) > 0 {
		c.Kind, c.Token = auth.XAuthToken, headers[0]
		return c
	}
	if c.Token = r.Text("auth_token"); c.Token != "" {
		c.Kind = auth.XAuthToken
		return c
	}
	text := r.Header.Get("Authorization")
	if text == "" {
		text = r.Text("authorization")
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

// identify authenticates the caller, and returns why that failed. Open resources skip it, so that a client whose token
// ran out can send that along when it fetches a new one.
func (s *Server) identify(r *Request) error {
	if r.resource.Open {
		return nil
	}
	if r.Token.Token == "" { // nothing is read for a request that proves nothing
		return fault.New(fault.Unauthenticated, "")
	}
	foreign, err := s.findCluster(r)
	if err != nil {
		return err
	}
	if r.Identity, err = s.authenticate(r, foreign); err != nil {
		return err
	}
	if r.Cluster == "" {
		r.Cluster = r.Identity.ClusterID
	}
	logIdentity(r)
	if len(r.segments) > 0 && r.segments[0] == ownAccount {
		r.segments = append([]string{"accounts", r.Identity.AccountID}, r.segments[1:]...)
		r.resource, r.Vars = s.routes.find(nil, r.segments)
	}
	return nil
}

// endsRequest reports whether a refusal ends the request before anything is said of its path: the token was good once
// (crossbar_util:response_401), or the trial of its account is over.
func endsRequest(refused error) bool {
	return fault.Is(refused, fault.TokenRejected) || fault.Is(refused, fault.Invalid)
}

// findCluster reads which cluster a request names, and reports whether that is another one, where that matters. Elsewhere
// another cluster's word counts for nothing, and naming one changes nothing (as in Crossbar).
func (s *Server) findCluster(r *Request) (foreign bool, err error) {
	if len(r.segments) == 0 || !s.routes.nouns[r.segments[0]] {
		return false, nil
	}
	if r.Cluster = r.Header.Get("X-Kazoo-Cluster-Id"); r.Cluster == "" {
		r.Cluster = r.Text("kazoo_cluster_id")
	}
	if r.Cluster == "" {
		return false, nil
	}
	own, err := s.Accounts.ClusterID(r.Context())
	return r.Cluster != own, err
}

// authenticate returns who sent r. A good token of our own passes whatever went wrong before; everything that could be a
// guess costs when it fails (see package ratelimit).
func (s *Server) authenticate(r *Request, foreign bool) (*auth.Identity, error) {
	switch {
	case foreign && !r.Token.IsLookupKey():
		return attempt(s, r, r.Cluster, true, func() (*auth.Identity, error) { return s.askCluster(r) })
	case r.Token.Kind == auth.Basic:
		return attempt(s, r, guessed(r.Token), false, func() (*auth.Identity, error) {
			return s.Tokens.Authenticate(r.Context(), r.Token)
		})
	}
	identity, err := s.Tokens.Authenticate(r.Context(), r.Token)
	if err != nil {
		return nil, r.FailedToken(err)
	}
	return identity, nil
}

// askCluster makes the cluster that r names identify the token. Neither tokens of this cluster nor passwords leave it.
func (s *Server) askCluster(r *Request) (*auth.Identity, error) {
	if r.Token.Kind == auth.Basic {
		return nil, fault.Wrap(fault.Unauthenticated, errors.New("credentials of the scheme Basic are for this cluster only"))
	}
	own, err := s.Tokens.Own(r.Context(), r.Token.Token)
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
	return s.Clusters.Identify(r.Context(), r.Cluster, r.Token.Token)
}

// guessed returns the account that Basic credentials are about. The one in the path may be any other, so counting
// guesses by that would let a guesser begin anew with every request.
func guessed(c auth.Credentials) string {
	text, _ := base64.StdEncoding.DecodeString(c.Token)
	id, _, _ := strings.Cut(string(text), ":")
	return id
}

// FailedToken counts a token of our own that was refused because of err, and returns err. For a client that shows too
// many it is fault.TooManyRequests instead.
func (r *Request) FailedToken(err error) error {
	if fault.Is(err, fault.Unauthenticated) {
		if slow := r.server.Throttle.FailedToken(r.Client, r.Vars["account"]); slow != nil {
			return slow
		}
	}
	return err
}

// Attempt calls check, which checks credentials that could be guessed, unless this client got too many wrong.
func (r *Request) Attempt(check func() error) error {
	_, err := attempt(r.server, r, "", false, func() (struct{}, error) { return struct{}{}, check() })
	return err
}

// attempt looks at credentials unless this client got too many wrong. about is the account or cluster they are for, if
// that is known. Of another cluster, an id that is not registered counts as a wrong guess as well.
func attempt[T any](s *Server, r *Request, about string, foreign bool, look func() (T, error)) (result T, err error) {
	end, err := s.Throttle.Attempt(r.Client, about)
	if err != nil {
		return result, err
	}
	defer func() {
		end(fault.Is(err, fault.Unauthenticated) || foreign && fault.Is(err, fault.Forbidden))
	}()
	return look()
}
