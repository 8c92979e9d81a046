package auth_test

import (
	"crypto"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"junctor/pkg/fault"
	"junctor/pkg/testutil"
)

// TestClaimsAreNotCached: a client chooses what stands in "as", so only ids of a token are cached. Each of
// these tokens takes 300 KiB when it is decoded: fault S5. (It is not parallel: others would use memory meanwhile.)
func TestClaimsAreNotCached(t *testing.T) {
	a := strict(openExample(t))
	const tokens, most = 150, 5 << 20
	nested := "[" + strings.Repeat(`{"a":1},`, 1000) + "{}]"
	made := make([]string, tokens)
	for i := range made {
		claims := `{"iss":"kazoo","account_id":"` + master + `","owner_id":"` + userOfMaster + `","method":"cb_user_auth",` +
			`"identity_sig":"` + identitySig(userOfMaster, secretOfUserOfMaster, serverSecret) + `",` +
			`"n":` + strconv.Itoa(i) + `,"as":{"x":` + nested + `}}`
		made[i] = sign(t, exampleKey(t), crypto.SHA256, header, claims)
	}
	before := testutil.HeapBytes()
	for _, token := range made {
		if _, err := authenticate(t, a, token); err != nil {
			t.Fatal(err)
		}
	}
	if after := testutil.HeapBytes(); after > before+most {
		t.Errorf("%d tokens take %d KiB", tokens, (after-before)>>10)
	}
	runtime.KeepAlive(made)
	runtime.KeepAlive(a)
	long := tokenOf(t, master, userOfMaster, secretOfUserOfMaster, map[string]any{"method": strings.Repeat("x", 65)})
	checkRefused(t, a, long, fault.Unauthenticated)
}
