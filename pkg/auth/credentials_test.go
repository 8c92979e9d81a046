package auth_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"junctor/pkg/auth"
	"junctor/pkg/fault"
)

// exampleToken was signed with openssl.
func exampleToken(t testing.TB) string {
	t.Helper()
	return strings.TrimSpace(string(read(t, "testdata/example.jwt")))
}

func TestExampleToken(t *testing.T) {
	t.Parallel()
	s := openExample(t)
	identity, err := authenticate(t, strict(s), exampleToken(t))
	want := &auth.Identity{
		AccountID: master, OwnerID: userOfMaster, Method: "cb_user_auth", Superduper: true, Master: true,
		ClusterID: ownCluster,
	}
	if err != nil || !reflect.DeepEqual(identity, want) {
		t.Errorf("got %+v, %v, want %+v", identity, err, want)
	}
	const exp = 4102444800
	justBefore := auth.NewAuthenticator(s, auth.Options{Now: at(time.Unix(exp-1, 999))})
	if _, err := authenticate(t, justBefore, exampleToken(t)); err != nil {
		t.Error(err)
	}
	justThen := auth.NewAuthenticator(s, auth.Options{Now: at(time.Unix(exp, 0))})
	checkRefused(t, justThen, exampleToken(t), fault.TokenRejected)
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	a := strict(openExample(t))
	// The header is about the token, not about whom it acts as (cb_token_auth).
	as := tokenOf(t, reseller, userOfReseller, secretOfUserOfReseller, asA)
	password := basic(customerA + ":" + hashOfA)
	for _, c := range []struct {
		auth.Credentials
		good bool
	}{
		{auth.Credentials{Kind: auth.XAuthToken, Token: as, Account: reseller}, true},
		{auth.Credentials{Kind: auth.XAuthToken, Token: as, Account: customerA}, false},
		{auth.Credentials{Kind: auth.XAuthToken, Token: exampleToken(t), Account: master}, true},
		{auth.Credentials{Kind: auth.XAuthToken, Token: exampleToken(t), Account: customerA}, false},
		{auth.Credentials{Kind: auth.Basic, Token: password.Token, Account: customerB}, true}, // it is about tokens only
		{auth.Credentials{Kind: auth.Unknown, Token: exampleToken(t)}, false},
		{auth.Credentials{Kind: auth.Basic, Token: exampleToken(t)}, false},
		{auth.Credentials{Kind: auth.Bearer, Token: exampleToken(t)}, false},
		{auth.Credentials{Kind: auth.XAuthToken}, false},
		{auth.Credentials{}, false},
	} {
		identity, err := a.Authenticate(t.Context(), c.Credentials)
		if c.good != (identity != nil) || c.good != (err == nil) || !c.good && !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("kind %d, account %q: %+v, %v", c.Kind, c.Account, identity, err)
		}
	}
}
