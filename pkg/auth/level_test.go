package auth_test

import (
	"testing"

	"junctor/pkg/account"
	"junctor/pkg/auth"
	"junctor/pkg/document"
	"junctor/pkg/fault"
)

const ownCluster = "c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1"

var levels = []auth.Level{
	auth.LevelBasic, auth.LevelReseller, auth.LevelParentOf, auth.LevelResellerOf, auth.LevelMaster, auth.LevelSuperMaster,
}

// TestLevels asks for every level of everybody: a column each, in the order of the vocabulary.
func TestLevels(t *testing.T) {
	t.Parallel()
	s := openExample(t)
	// D is below A, so below the reseller, too.
	const d = "dddddddddddddddddddddddddddddddd"
	if err := s.CreateDatabase(t.Context(), database(t, d)); err != nil {
		t.Fatal(err)
	}
	update(t, s, database(t, d), d, document.Document{"pvt_tree": []any{master, reseller, customerA}})
	remote := func(cluster string, master bool) *auth.Identity {
		return &auth.Identity{AccountID: reseller, Remote: true, ClusterID: cluster, Master: master}
	}
	own := func(id string) *auth.Identity { return &auth.Identity{AccountID: id, Master: id == master} }
	remoteReseller := remote("other", false)
	remoteReseller.Reseller = true
	for _, c := range []struct {
		name          string
		who           *auth.Identity
		target        string
		masterCluster string
		want          string
	}{
		{"master on A", own(master), customerA, "", "yyyyyy"},
		{"master, named cluster", own(master), customerA, ownCluster, "yyyyyy"},
		{"master of a lesser cluster", own(master), customerA, "other", "yyyyyn"},
		{"master without a target", own(master), "", "", "yynnyy"},
		{"reseller on A", own(reseller), customerA, "", "yyyynn"},
		{"reseller on D", own(reseller), d, "", "yyyynn"},
		{"reseller on B", own(reseller), customerB, "", "yynnnn"},
		{"reseller on itself", own(reseller), reseller, "", "yynnnn"},
		{"A on D", own(customerA), d, "", "ynynnn"},
		{"A on A", own(customerA), customerA, "", "ynnnnn"},
		{"A on its parent", own(customerA), reseller, "", "ynnnnn"},
		{"B on A", own(customerB), customerA, "", "ynnnnn"},
		{"superduper, not master", &auth.Identity{AccountID: customerB, Superduper: true}, customerA, "", "ynnnnn"},
		{"another cluster's master", remote("other", true), customerA, "", "yynnyn"},
		{"another cluster's master, the operator's", remote("other", true), customerA, "other", "yynnyy"},
		{"another cluster's reseller", remoteReseller, customerA, "other", "yynnnn"},
		{"another cluster's account", remote("other", false), customerA, "other", "ynnnnn"},
		{"a cluster without an id", remote("", true), customerA, "", "yynnyn"},
	} {
		a := auth.NewAuthenticator(s, auth.Options{Now: at(now), MasterCluster: c.masterCluster})
		var target *account.Account
		if c.target != "" {
			target = getAccount(t, s, c.target)
		}
		got := ""
		for _, level := range levels {
			switch err := a.Require(t.Context(), c.who, level, target); {
			case err == nil:
				got += "y"
			case fault.Is(err, fault.Forbidden):
				got += "n"
			default:
				t.Errorf("%s, %v: %v", c.name, level, err)
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	for _, level := range levels {
		if err := strict(s).Require(t.Context(), nil, level, nil); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("nobody, %v: %v", level, err)
		}
	}
	if err := strict(s).Require(t.Context(), own(master), auth.Level(99), nil); !fault.Is(err, fault.Forbidden) {
		t.Errorf("an unknown level: %v", err)
	}
}

func TestLevelNames(t *testing.T) {
	t.Parallel()
	got := ""
	for _, level := range levels {
		got += level.String() + " "
	}
	if got != "basic reseller parent_of reseller_of master super_master " || auth.Level(-1).String() != "level -1" {
		t.Errorf("got %s", got)
	}
}

// TestRemoteSeesNothing: another cluster's word gives no right on an account here, whatever it says.
func TestRemoteSeesNothing(t *testing.T) {
	t.Parallel()
	s := openExample(t)
	i := &auth.Identity{AccountID: master, Remote: true, ClusterID: "c", Superduper: true, Master: true}
	for _, id := range []string{master, reseller, customerA} {
		if i.MaySee(getAccount(t, s, id)) {
			t.Errorf("sees %s", id)
		}
	}
}
