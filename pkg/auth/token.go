package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"junctor/pkg/account"
	"junctor/pkg/auth/lookupkey"
	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// issuer is the iss of every token that a Kazoo issues by itself. Tokens of other providers are not taken.
const issuer = "kazoo"

// maxToken bounds the length of a token. Kazoo's tokens are below 1 KiB.
const maxToken = 16 << 10

// tokenText is what a token consists of: unpadded base64url, and dots between the parts. Decoders of base64 skip line
// breaks; here they are refused.
var tokenText = regexp.MustCompile(`^[A-Za-z0-9._-]*$`)

// parser is golang-jwt's: it takes the key from our look-up only, whatever key, URL or certificate the token
// brings along, checks the signature over the token as it was sent, and accepts every public exponent (Kazoo's is
// 2049). It does not check the claims: Kazoo knows no "nbf", and has rules of its own for "exp".
var parser = jwt.NewParser(
	jwt.WithValidMethods([]string{"RS256", "RS384", "RS512"}),
	jwt.WithStrictDecoding(),
	jwt.WithoutClaimsValidation(),
)

// parse returns the claims of a token that was signed by a key that key returns, given its id.
func parse(token string, key func(kid string) (any, error)) (*claims, error) {
	if len(token) > maxToken || !tokenText.MatchString(token) {
		return nil, refuse("not a JWT: too long, or with characters that no JWT has")
	}
	_, err := parser.Parse(token, func(t *jwt.Token) (any, error) {
		kid, err := keyID(t)
		if err != nil {
			return nil, err
		}
		return key(kid)
	})
	if classified, ok := errors.AsType[*fault.Error](err); ok {
		return nil, classified // about the key: refused, or an error of the store
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unauthenticated, err)
	}
	c, err := readClaims(token)
	return c, fault.Wrap(fault.Unauthenticated, err)
}

// keyID returns the key id in the header of a token. Like Kazoo it ignores "typ". It refuses critical extensions
// ("crit"), as it understands none.
func keyID(t *jwt.Token) (string, error) {
	header, err := part(t.Raw, 0)
	if err != nil {
		return "", fmt.Errorf("header: %w", err)
	}
	if _, ok := header["crit"]; ok {
		return "", errors.New("header: critical extensions")
	}
	return header.String("kid"), nil
}

// Own reports whether a token names a signing key of this cluster. Such a token must not be sent to another cluster,
// which could use it here.
func (a *Authenticator) Own(ctx context.Context, token string) (bool, error) {
	if len(token) > maxToken {
		return false, nil
	}
	if lookupkey.Is(token) { // in a header where it counts for nothing
		return true, nil
	}
	header, err := part(token, 0)
	if err != nil {
		return false, nil //nolint:nilerr // what is no JWT names no key
	}
	_, err = a.keys.private(ctx, a.documents, header.String("kid"))
	if fault.Is(err, fault.Unauthenticated) {
		return false, nil
	}
	return err == nil, err
}

// part decodes the header (0) or the claims (1) of a token. An object in which a name is repeated is refused:
// parsers disagree on which of the values counts.
func part(token string, n int) (document.Document, error) {
	text, err := parser.DecodeSegment(strings.Split(token, ".")[n])
	if err != nil {
		return nil, err
	}
	members, err := document.DecodeMembers(text, 0)
	if err != nil {
		return nil, err
	}
	object := make(document.Document, len(members))
	for _, m := range members {
		if _, repeated := object[m.Key]; repeated {
			return nil, errors.New("a name is repeated")
		}
		object[m.Key] = m.Value
	}
	return object, nil
}

// maxMethod bounds the name of the module that issued a token.
const maxMethod = 64

// claims is what a token says.
type claims struct {
	principal
	Method      string
	IdentitySig *string // nil is a token without one
	Expires     *int64  // Unix seconds; nil is never
	As          As      // the user that its holder acts as; zero is none
	// impersonator is the user for whom Kazoo issued the token to act as another (original_account_id,
	// original_owner_id); zero is none.
	impersonator principal
}

// readClaims reads the claims of a genuine token.
func readClaims(token string) (*claims, error) {
	members, err := part(token, 1)
	if err != nil {
		return nil, fmt.Errorf("claims: %w", err)
	}
	if members.String("iss") != issuer {
		return nil, errors.New("claims: not issued by a Kazoo")
	}
	c := &claims{As: readAs(members["as"])}
	for name, into := range map[string]*string{
		"account_id": &c.accountID, "owner_id": &c.ownerID, "device_id": &c.deviceID, "method": &c.Method,
		"original_account_id": &c.impersonator.accountID, "original_owner_id": &c.impersonator.ownerID,
	} {
		if *into, err = optionalText(members, name); err != nil {
			return nil, err
		}
	}
	if !account.ValidID(c.accountID) {
		return nil, errors.New("claims: no account_id")
	}
	if len(c.Method) > maxMethod { // it is cached with the identity
		return nil, errors.New("claims: method is not the name of a module")
	}
	if sig, ok := members["identity_sig"]; ok {
		text, _ := sig.(string) // one that is no text matches nothing
		c.IdentitySig = &text
	}
	c.Expires, err = expiry(members["exp"])
	return c, err
}

func optionalText(members document.Document, name string) (string, error) {
	value, ok := members[name]
	text, isText := value.(string)
	if ok && (!isText || text == "") {
		return "", fmt.Errorf("claims: %s is not a string", name)
	}
	return text, nil
}

// expiry reads "exp". Kazoo 5 writes null for never.
func expiry(value any) (*int64, error) {
	if value == nil {
		return nil, nil
	}
	number, _ := value.(json.Number)
	seconds, err := strconv.ParseInt(number.String(), 10, 64)
	if err != nil {
		return nil, errors.New("claims: exp is not a whole number")
	}
	return &seconds, nil
}
