package auth_test

import (
	"testing"

	"junctor/pkg/auth"
	"junctor/pkg/fault"
)

const ownCluster = "c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1"

var levels = []auth.Level{auth.LevelMaster, auth.LevelSuperMaster}

// TestLevels checks every level for every kind of account: a column each, in the order of levels.
func TestLevels(t *testing.T) {
	t.Parallel()
	s := openExample(t)
	remote := func(cluster string, master bool) *auth.Identity {
		return &auth.Identity{AccountID: reseller, Remote: true, ClusterID: cluster, Master: master}
	}
	own := func(id string) *auth.Identity {
		return &auth.Identity{AccountID: id, ClusterID: ownCluster, Master: id == master}
	}
	for _, c := range []struct {
		name          string
		who           *auth.Identity
		masterCluster string
		want          string
	}{
		{"master", own(master), "", "yy"},
		{"master, named cluster", own(master), ownCluster, "yy"},
		{"master of a lesser cluster", own(master), "other", "yn"},
		{"reseller", own(reseller), "", "nn"},
		{"customer", own(customerA), "", "nn"},
		{"superduper, not master", &auth.Identity{AccountID: customerB, Superduper: true}, "", "nn"},
		{"another cluster's master", remote("other", true), "", "yn"},
		{"another cluster's master, the operator's", remote("other", true), "other", "yy"},
		{"another cluster's account", remote("other", false), "other", "nn"},
		{"a cluster without an id", remote("", true), "", "yn"},
	} {
		a := auth.NewAuthenticator(s, auth.Options{Now: at(now), MasterCluster: c.masterCluster})
		got := ""
		for _, level := range levels {
			switch err := a.Require(c.who, level); {
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
