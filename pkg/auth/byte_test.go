package auth_test

import (
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"junctor/pkg/auth"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// spoil returns text with another character at i.
func spoil(text string, i int) string {
	other := byte('0')
	if text[i] == other {
		other = '1'
	}
	return text[:i] + string(other) + text[i+1:]
}

// TestOneByte changes each byte of what a token is judged by in turn; TestTampering does so to the token itself.
func TestOneByte(t *testing.T) {
	t.Parallel()
	home := database(t, master)
	for name, c := range map[string]struct {
		db, id string
		text   string
		fields func(text string) document.Document
	}{
		"secret of the user": {home, userOfMaster, secretOfUserOfMaster, func(text string) document.Document {
			return document.Document{"pvt_signature_secret": text}
		}},
		"secret of the server": {"system_config", "auth", serverSecret, func(text string) document.Document {
			return document.Document{"default": map[string]any{"secret_for_user_signature": text, "system_key": kid}}
		}},
		"public part of the key": {"system_auth", kid, keyFile(t), func(text string) document.Document {
			return attachment(t, []byte(text))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openExample(t)
			a := strict(s)
			spots, step := bytesOf(c.text)
			for i := spots[0]; i < spots[1]; i += step {
				update(t, s, c.db, c.id, c.fields(spoil(c.text, i)))
				checkRefused(t, a, exampleToken(t), fault.Unauthenticated)
			}
			update(t, s, c.db, c.id, c.fields(c.text))
			if _, err := authenticate(t, a, exampleToken(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// bytesOf returns where to begin and to end, and in what steps: of a key's file, the text of the modulus counts,
// and each character of it takes a while to check.
func bytesOf(text string) (spots [2]int, step int) {
	if first := strings.IndexByte(text, '\n') + 1; first > 0 {
		return [2]int{first + 20, first + 350}, 3
	}
	return [2]int{0, len(text)}, 1
}

// keyFile returns the example's key as it is stored.
func keyFile(t *testing.T) string {
	t.Helper()
	var text []byte
	s := openExample(t)
	text, err := s.Attachment(t.Context(), "system_auth", kid, "private_key.pem")
	if err != nil {
		t.Fatal(err)
	}
	if block, _ := pem.Decode(text); block == nil || len(block.Bytes) < base64.StdEncoding.DecodedLen(1000) {
		t.Fatal("no key")
	}
	return string(text)
}

// TestOneClaim changes one byte of each claim, and signs the result with the cluster's own key.
func TestOneClaim(t *testing.T) {
	t.Parallel()
	s := openExample(t)
	a := strict(s)
	good := map[string]string{
		"iss": "kazoo", "account_id": master, "owner_id": userOfMaster,
		"identity_sig": "rj2aISbllULIh6F4T_5U1OnmKNrjWZspeOzJNT57j2o",
	}
	for claim, text := range good {
		for i := range text {
			token := tokenOf(t, master, userOfMaster, secretOfUserOfMaster, map[string]any{claim: spoil(text, i)})
			checkRefused(t, a, token, fault.Unauthenticated)
		}
	}
	// the method is no proof of anything, only a name that restrictions go by
	token := tokenOf(t, master, userOfMaster, secretOfUserOfMaster, map[string]any{"method": "other"})
	if i, err := authenticate(t, a, token); err != nil || i.Method != "other" {
		t.Errorf("another method: %+v, %v", i, err)
	}
}

// TestReasons: the log learns why, and nothing that would let anybody in.
func TestReasons(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*testing.T, *store.Store)
		token  string
		reason string
	}{
		"secret": {func(t *testing.T, s *store.Store) {
			update(t, s, database(t, master), userOfMaster, document.Document{"pvt_signature_secret": "x"})
		}, exampleToken(t), "identity_sig: not the signature of " + userOfMaster},
		"user": {func(t *testing.T, s *store.Store) {
			update(t, s, database(t, master), userOfMaster, document.Document{"pvt_deleted": true})
		}, exampleToken(t), "the identity " + userOfMaster + " is deleted"},
		"account": {func(t *testing.T, s *store.Store) {
			update(t, s, database(t, master), master, document.Document{"pvt_deleted": true})
		}, exampleToken(t), "the account " + master + " is deleted"},
		"key": {func(t *testing.T, s *store.Store) {
			update(t, s, "system_auth", kid, document.Document{"pvt_deleted": true})
		}, exampleToken(t), "key " + kid + ": deleted"},
		"signature": {func(t *testing.T, s *store.Store) {
			update(t, s, "system_auth", kid, attachment(t, otherKey(t)))
		}, exampleToken(t), "signature is invalid"},
		"as": {nil, tokenOf(t, customerB, userOfB, secretOfUserB, map[string]any{
			"as": map[string]any{"account_id": customerA, "owner_id": userOfA}}), customerA + " is not below " + customerB},
		"unbound": {nil, tokenOf(t, customerB, userOfB, secretOfUserB, map[string]any{"identity_sig": ""}),
			"identity_sig: not the signature of " + userOfB},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openExample(t)
			if c.change != nil {
				c.change(t, s)
			}
			checkRefused(t, strict(s), c.token, fault.Unauthenticated)
			_, err := strict(s).Authenticate(t.Context(), auth.Credentials{Kind: auth.XAuthToken, Token: c.token})
			if !strings.Contains(err.Error(), c.reason) {
				t.Errorf("the log gets %q, want %q in it", err, c.reason)
			}
		})
	}
}
