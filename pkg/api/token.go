package api

import (
	"net/url"
	"strings"

	"junctor/pkg/auth"
	"junctor/pkg/fault"
)

// logInByKey handles PUT /api_auth (cb_api_auth): a token for the account that has the key. Keys are as hard to guess
// as tokens, so a good one passes whatever else this client, or whoever shares its address, got wrong.
func (s *Server) logInByKey(r *request) (reply, error) {
	if err := s.Schemas.Validate("api_auth", r.body.data); err != nil {
		return reply{}, err
	}
	grant, err := s.Issuer.APIKey(r.Context(), r.data().String("api_key"))
	if fault.Is(err, fault.BadIdentifier) {
		if slow := s.Throttle.FailedToken(r.client, ""); slow != nil {
			err = slow
		}
	}
	return granted(r, grant, grant.AccountID), err
}

// logIn handles PUT /user_auth (cb_user_auth): a token for the user who knows the password.
func (s *Server) logIn(r *request) (reply, error) {
	if err := s.Schemas.Validate("user_auth", r.body.data); err != nil {
		return reply{}, err
	}
	grant, err := attempt(s, r, "", false, func() (auth.Grant, error) {
		return s.Issuer.User(r.Context(), auth.ReadLogin(r.data()))
	})
	return granted(r, grant, grant.OwnerID), err
}

// refreshToken handles PUT /auth with the action refresh_token (cb_auth): a new token for whoever has a good one.
func (s *Server) refreshToken(r *request) (reply, error) {
	if action := r.text("action"); action != "refresh_token" {
		return reply{}, fault.Finding("action", "enum", "Value not found in enumerated list of values",
			map[string]any{"target": []string{"refresh_token"}, "value": action})
	}
	grant, err := s.Issuer.Refresh(r.Context(), r.identity, r.token)
	return reply{data: grant.Data, authToken: grant.Token}, err
}

// granted returns the reply to a login. Its location names the account or user the token was issued for.
func granted(r *request, grant auth.Grant, about string) reply {
	return reply{
		data:      grant.Data,
		authToken: grant.Token,
		location:  strings.TrimRight(r.URL.EscapedPath(), "/") + "/" + url.PathEscape(about),
	}
}

// showToken handles GET /token_auth (cb_token_auth): what the token of the request says.
func (s *Server) showToken(r *request) (reply, error) {
	data, err := s.Tokens.Describe(r.Context(), r.identity, r.token)
	return reply{data: data}, err
}

// dropToken handles DELETE /token_auth the way Kazoo does: it succeeds without an effect. A JWT is good until it
// expires, or until the secret it is bound to changes.
func (s *Server) dropToken(*request) (reply, error) { return reply{data: map[string]any{}}, nil }

// tokenInfo handles GET and POST /auth/tokeninfo (cb_auth): whose a token is, to anybody who has it.
func (s *Server) tokenInfo(r *request) (reply, error) {
	data, err := s.Tokens.TokenInfo(r.Context(), auth.Credentials{
		Token: r.text("token"), MayReadKey: r.token.MayReadKey,
	})
	if err != nil {
		return reply{}, s.failedToken(r, err)
	}
	return reply{data: data}, nil
}
