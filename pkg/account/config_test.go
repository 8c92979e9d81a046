package account_test

import (
	"testing"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/store"
)

// settings are three sections that say different things, and what they leave to each other.
const settings = `{"_id":"app",
	"junctor@api1":{"who":"node","nothing":null,"list":[1],"n":1,"off":false},
	"east":{"who":"zone","nothing":"zone","list":"zone","n":2,"off":true,"deep":{"a":"zone"}},
	"default":{"who":"default","nothing":"default","list":"default","n":3,"off":"false","only":"default",
		"deep":{"a":"default","b":"default"}},
	"junctor@api2":"no section"}`

func configure(t *testing.T, s *store.Store, text string) account.Config {
	t.Helper()
	create(t, s, "system_config")
	doc, err := document.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, "system_config", doc)
	return account.NewConfig(s)
}

// TestConfigOrder: node, zone, default, each setting by itself, and of objects only what is asked for.
func TestConfigOrder(t *testing.T) {
	t.Parallel()
	c := configure(t, open(t), settings)
	both := account.Node{Name: "junctor@api1", Zone: "east"}
	for _, test := range []struct {
		node account.Node
		path []string
		want string
	}{
		{account.Node{}, []string{"who"}, "default"},
		{account.Node{Name: "junctor@api1"}, []string{"who"}, "node"},
		{account.Node{Zone: "east"}, []string{"who"}, "zone"},
		{both, []string{"who"}, "node"},
		{both, []string{"nothing"}, "zone"},
		{both, []string{"list"}, ""}, // it is there, and no text
		{both, []string{"deep", "a"}, "zone"},
		{both, []string{"deep", "b"}, "default"},
		{both, []string{"only"}, "default"},
		{both, []string{"only", "deeper"}, ""},
		{account.Node{Name: "junctor@api2", Zone: "west"}, []string{"who"}, "default"},
	} {
		if got, err := c.At(test.node).Text(t.Context(), "app", test.path...); got != test.want || err != nil {
			t.Errorf("%+v %v: %q, %v, want %q", test.node, test.path, got, err, test.want)
		}
	}
	for node, want := range map[account.Node]int64{both: 1, {Zone: "east"}: 2, {}: 3} {
		if n, ok, err := c.At(node).Int(t.Context(), "app", "n"); n != want || !ok || err != nil {
			t.Errorf("%+v: %d, %t, %v", node, n, ok, err)
		}
	}
	for node, want := range map[account.Node]bool{both: true, {Zone: "east"}: false, {}: true} {
		if off, err := c.At(node).Off(t.Context(), "app", "off"); off != want || err != nil {
			t.Errorf("%+v: off is %t, %v", node, off, err)
		}
	}
}

// TestSwitches: a switch that is there is on where Kazoo takes it for true, and only there.
func TestSwitches(t *testing.T) {
	t.Parallel()
	c := configure(t, open(t), `{"_id":"app","default":{"true":true,"text":"true","null":null,
		"false":false,"no":"false","zero":0,"one":1,"word":"off","capital":"True"}}`)
	for name, want := range map[string]bool{
		"true": false, "text": false, "null": false, "missing": false,
		"false": true, "no": true, "zero": true, "one": true, "word": true, "capital": true,
	} {
		if off, err := c.Off(t.Context(), "app", name); off != want || err != nil {
			t.Errorf("%s: off is %t, %v", name, off, err)
		}
	}
}

// TestMasterOfANode: the settings that the package itself reads are looked up the same way.
func TestMasterOfANode(t *testing.T) {
	t.Parallel()
	s := openKazoo(t)
	change(t, s, "system_config", "accounts", document.Document{
		"east": map[string]any{"master_account_id": accountB},
	})
	for zone, want := range map[string]string{"": accountM, "west": accountM, "east": accountB} {
		d := account.NewDirectory(s).At(account.Node{Name: "junctor@api1", Zone: zone})
		if got, err := d.Master(t.Context()); got != want || err != nil {
			t.Errorf("zone %q: master %s, %v", zone, got, err)
		}
	}
}

// TestZoneNames: the map of the first section that has one counts as a whole, as in Kazoo.
func TestZoneNames(t *testing.T) {
	t.Parallel()
	c := configure(t, open(t), `{"_id":"ips",
		"west":{"zone_name_map":{"west":"us-west"}},"north":{"zone_name_map":"none"},"south":{"zone_name_map":{}},
		"default":{"zone_name_map":{"east":"us-east","west":"hidden","north":"hidden","odd":7,"empty":""}}}`)
	for zone, want := range map[string]string{
		"": "", "east": "us-east", "west": "us-west", "north": "north", "south": "south", "odd": "odd", "empty": "empty",
		"elsewhere": "elsewhere",
	} {
		if got := c.At(account.Node{Zone: zone}).ZoneName(t.Context(), zone); got != want {
			t.Errorf("%q goes by %q, want %q", zone, got, want)
		}
	}
	if got := account.NewConfig(open(t)).ZoneName(t.Context(), "east"); got != "east" {
		t.Errorf("without settings, it goes by %q", got)
	}
}
