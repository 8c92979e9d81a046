package api

import (
	"strings"
)

// issueToken answers PUT /api_auth (cb_api_auth): a token for the account that has the key.
func (s *Server) issueToken(r *request) (reply, error) {
	if err := s.Schemas.Validate("api_auth", r.body.data); err != nil {
		return reply{}, err
	}
	token, holder, err := s.Issuer.APIKey(r.ctx(), r.data().String("api_key"))
	if err != nil {
		return reply{}, err
	}
	data, err := s.Accounts.Describe(r.ctx(), holder)
	return reply{
		data:      data,
		authToken: token,
		location:  strings.TrimRight(r.URL.Path, "/") + "/" + holder.ID,
	}, err
}
