package auth_test

import (
	"testing"

	"junctor/pkg/account"
	"junctor/pkg/auth"
	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// TestSettingsOfANode: tokens are issued and verified by the settings of the node.
func TestSettingsOfANode(t *testing.T) {
	t.Parallel()
	s := openIssuing(t)
	east := account.Node{Name: "junctor@api1", Zone: "east"}
	update(t, s, "system_config", "auth", document.Document{
		"east": map[string]any{"secret_for_user_signature": "00000000000000000000000000000000"},
	})
	grant, err := auth.NewIssuer(s, at(now)).At(east).APIKey(t.Context(), keyOfA)
	if err != nil {
		t.Fatal(err)
	}
	there := auth.NewAuthenticator(s, auth.Options{Now: at(now), Node: east})
	if i, err := authenticate(t, there, grant.Token); err != nil || i.AccountID != grant.AccountID {
		t.Errorf("in its zone: %+v, %v", i, err)
	}
	checkRefused(t, strict(s), grant.Token, fault.Unauthenticated)
}

// TestRestrictionsOfANode: each method is looked up by itself.
func TestRestrictionsOfANode(t *testing.T) {
	t.Parallel()
	s := openKazoo(t)
	none, all := parse(t, `{"_":{}}`), parse(t, `{"_":{"_":[{"rules":{"#":["_"]}}]}}`)
	update(t, s, "system_config", "crossbar.token_restrictions", document.Document{
		"default": map[string]any{"cb_user_auth": none, "default_priv_level": "admin"},
		"east":    map[string]any{"cb_user_auth": all},
		"west":    map[string]any{"cb_api_auth": none},
	})
	adam := *kazooIdentities["adam"]
	adam.Method = "cb_user_auth"
	for zone, allowed := range map[string]bool{"": false, "east": true, "west": false} {
		a := auth.NewAuthenticator(s, auth.Options{Now: at(now), Node: account.Node{Zone: zone}})
		err := a.CheckRestrictions(t.Context(), &adam, auth.Access{Path: []string{"ips"}, Verb: "GET"})
		if (err == nil) != allowed || err != nil && !fault.Is(err, fault.Forbidden) {
			t.Errorf("zone %q: %v", zone, err)
		}
	}
}
