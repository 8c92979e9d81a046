package auth

import (
	"context"
	"encoding/base64"
	"strings"

	"junctor/pkg/account"
	"junctor/pkg/doccache"
)

// byBasic is the method of requests with the hash of a password in "Authorization: Basic".
const byBasic = "cb_basic_auth"

// verifyBasic verifies base64(account id ":" hash of the user's name and password), as cb_basic_auth does. The
// hash has to be that of exactly one user.
func (a *Authenticator) verifyBasic(ctx context.Context, q *doccache.ReadSet, token string) (*cachedIdentity, error) {
	text, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		return nil, refuse("basic auth: not base64")
	}
	id, proof, _ := strings.Cut(string(text), ":")
	if !account.ValidID(id) {
		return nil, refuse("basic auth: it does not begin with an account id")
	}
	hash, err := basicHash(ctx, a.config(q), proof)
	if err != nil {
		return nil, err
	}
	owner, err := a.onlyUser(ctx, q, id, hash)
	if err != nil {
		return nil, err
	}
	return a.identify(ctx, q, &claims{principal: principal{accountID: id, ownerID: owner}, Method: byBasic})
}

// basicHash returns the hash in a proof, by the setting basic_auth_type. If that is neither of Kazoo's hashes, the proof
// is the name and the password themselves.
func basicHash(ctx context.Context, config account.Config, proof string) (account.Hash, error) {
	kind, err := config.Text(ctx, "crossbar.auth", "basic_auth_type")
	switch kind {
	case "":
		return account.Hash{Kind: account.MD5, Value: proof}, err
	case account.MD5, account.SHA:
		return account.Hash{Kind: kind, Value: proof}, nil
	}
	username, password, _ := strings.Cut(proof, ":")
	return account.HashPassword(account.MD5, username, password), nil
}

// onlyUser returns the one user of an account who has a hash. It reads the user's document as well as the view, so that
// a change of the document counts at once.
func (a *Authenticator) onlyUser(ctx context.Context, q *doccache.ReadSet, id string, hash account.Hash) (string, error) {
	users, err := a.directory.UsersByHash(ctx, id, hash)
	if err != nil {
		return "", err
	}
	if len(users) != 1 {
		return "", refuse("basic auth: not exactly one user has the hash")
	}
	user, err := member(ctx, q, id, users[0])
	if err != nil {
		return "", err
	}
	if !hash.Opens(user) {
		return "", refuse("basic auth: the user has changed the password since")
	}
	return users[0], nil
}
