package auth_test

import (
	"encoding/base64"
	"reflect"
	"strings"
	"testing"

	"junctor/pkg/auth"
	"junctor/pkg/document"
	"junctor/pkg/fault"
)

func basic(text string) auth.Credentials {
	return auth.Credentials{Kind: auth.Basic, Token: base64.StdEncoding.EncodeToString([]byte(text))}
}

func TestBasic(t *testing.T) {
	t.Parallel()
	const md5, sha = "daf6e7ebe3a88f36d5cbd2564d0992fa", "29c29317a63eead303e016041bf43f0b35952faf"
	want := &auth.Identity{AccountID: kazooA, OwnerID: kazooAlice, Method: "cb_basic_auth",
		ClusterID: "c6859db6813a0a4507b07b3491e1d9e6"}
	s := openKazoo(t)
	for _, c := range []struct {
		kind, text string
		good       bool
	}{
		{"md5", kazooA + ":" + md5, true}, // 06 n=20
		{"md5", kazooA + ":" + strings.ToUpper(md5), false},
		{"md5", kazooA + ":" + sha, false},
		{"md5", kazooA + ":alice:secret-alice", false},
		{"md5", kazooA + ":" + md5 + ":", false},
		{"md5", kazooA + ":", false},
		{"md5", kazooA, false},
		{"md5", kazooB + ":" + md5, false},
		{"md5", strings.Repeat("9", 32) + ":" + md5, false},
		{"md5", "../../../../../../system_config:" + md5, false},
		{"md5", ":" + md5, false},
		{"md5", "", false},
		{"sha", kazooA + ":" + sha, true},
		{"sha", kazooA + ":" + md5, false},
		{"plain", kazooA + ":alice:secret-alice", true},
		{"plain", kazooA + ":Alice:secret-alice", true},
		{"plain", kazooA + ":alice:wrong", false},
		{"plain", kazooA + ":" + md5, false},
		{"", kazooA + ":" + md5, true},
	} {
		update(t, s, "system_config", "crossbar.auth", document.Document{
			"default": map[string]any{"basic_auth_type": c.kind}})
		got, err := strict(s).Authenticate(t.Context(), basic(c.text))
		if got != nil {
			got.Account = nil
		}
		if c.good && (err != nil || !reflect.DeepEqual(got, want)) ||
			!c.good && (got != nil || !fault.Is(err, fault.Unauthenticated)) {
			t.Errorf("%s %s: %+v, %v", c.kind, c.text, got, err)
		}
	}
}

func TestBasicIsNoBase64(t *testing.T) {
	t.Parallel()
	a := strict(openKazoo(t))
	for _, token := range []string{"", "%", kazooA + ":daf6e7ebe3a88f36d5cbd2564d0992fa", strings.Repeat("A", 1<<20)} {
		_, err := a.Authenticate(t.Context(), auth.Credentials{Kind: auth.Basic, Token: token})
		if !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%.40s: %v", token, err)
		}
	}
}
