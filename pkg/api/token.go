package api

import (
	"net/url"
	"strings"

	"junctor/pkg/auth"
	"junctor/pkg/crossbar"
	"junctor/pkg/fault"
)

// logInByKey handles PUT /api_auth (cb_api_auth): a token for the account that has the key. Keys are as hard to guess
// as tokens, so a good one passes whatever else this client, or whoever shares its address, got wrong.
func (s *Server) logInByKey(r *crossbar.Request) (crossbar.Reply, error) {
	if err := s.Schemas.Validate("api_auth", r.Payload()); err != nil {
		return crossbar.Reply{}, err
	}
	grant, err := s.Issuer.APIKey(r.Context(), r.Data().String("api_key"))
	if fault.Is(err, fault.BadIdentifier) {
		if slow := s.Throttle.FailedToken(r.Client, ""); slow != nil {
			err = slow
		}
	}
	return granted(r, grant, grant.AccountID), err
}

// logIn handles PUT /user_auth (cb_user_auth): a token for the user who knows the password.
func (s *Server) logIn(r *crossbar.Request) (crossbar.Reply, error) {
	if err := s.Schemas.Validate("user_auth", r.Payload()); err != nil {
		return crossbar.Reply{}, err
	}
	var grant auth.Grant
	err := r.Attempt(func() (err error) {
		grant, err = s.Issuer.User(r.Context(), auth.ReadLogin(r.Data()))
		return err
	})
	return granted(r, grant, grant.OwnerID), err
}

// refreshToken handles PUT /auth with the action refresh_token (cb_auth): a new token for whoever has a good one.
func (s *Server) refreshToken(r *crossbar.Request) (crossbar.Reply, error) {
	if action := r.Text("action"); action != "refresh_token" {
		return crossbar.Reply{}, fault.Finding("action", "enum", "Value not found in enumerated list of values",
			map[string]any{"target": []string{"refresh_token"}, "value": action})
	}
	grant, err := s.Issuer.Refresh(r.Context(), r.Identity, r.Token)
	return crossbar.Reply{Data: grant.Data, AuthToken: grant.Token}, err
}

// granted returns the reply to a login. Its location names the account or user the token was issued for.
func granted(r *crossbar.Request, grant auth.Grant, about string) crossbar.Reply {
	return crossbar.Reply{
		Data:      grant.Data,
		AuthToken: grant.Token,
		Location:  strings.TrimRight(r.URL.EscapedPath(), "/") + "/" + url.PathEscape(about),
	}
}

// showToken handles GET /token_auth (cb_token_auth): what the token of the request says, and whether its account is a
// superduper admin, by the name that Crossbar has for it in accounts (cb_accounts:leak_pvt_superduper_admin). Clients can
// offer what the token permits then, without a request that is refused.
func (s *Server) showToken(r *crossbar.Request) (crossbar.Reply, error) {
	data, err := s.Tokens.Describe(r.Context(), r.Identity, r.Token)
	if err == nil && r.Identity.Superduper {
		data["superduper_admin"] = true
	}
	return crossbar.Reply{Data: data}, err
}

// dropToken handles DELETE /token_auth the way Kazoo does: it succeeds without an effect. A JWT is good until it
// expires, or until the secret it is bound to changes.
func (s *Server) dropToken(*crossbar.Request) (crossbar.Reply, error) {
	return crossbar.Reply{Data: map[string]any{}}, nil
}

// tokenInfo handles GET and POST /auth/tokeninfo (cb_auth): whose a token is, to anybody who has it.
func (s *Server) tokenInfo(r *crossbar.Request) (crossbar.Reply, error) {
	data, err := s.Tokens.TokenInfo(r.Context(), auth.Credentials{
		Token: r.Text("token"), MayReadKey: r.Token.MayReadKey,
	})
	if err != nil {
		return crossbar.Reply{}, r.FailedToken(err)
	}
	return crossbar.Reply{Data: data}, nil
}
