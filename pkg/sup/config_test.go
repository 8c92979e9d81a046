package sup

import (
	"strings"
	"testing"

	"junctor/pkg/document"
)

// TestSettings: settings are shown as Erlang prints them, and set for all nodes. What can't be is refused.
func TestSettings(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.ok(p.store.CreateDatabase(t.Context(), "system_config"))
	p.says("kapps_config get ips cooling_s", "undefined", 0)
	p.says("kapps_config get ips cooling_s 60", "60", 0)
	p.says("kapps_config get ips cooling_s", "undefined", 0)
	p.says("kapps_config set_default ips cooling_s 3600", "ok", 0)
	p.says("kapps_config get ips cooling_s 60", "3600", 0)
	p.says("kapps_config set_default ips max_per_account -1", "ok", 0)
	for _, args := range []string{"cooling_s soon", "cooling_s -1", "cooling_s 1.5", "max_per_account 1x", "max_per_account -2"} {
		p.refuses("kapps_config set_default ips " + args)
	}
	doc, err := p.store.Get(t.Context(), "system_config", "ips")
	p.ok(err)
	section, _ := doc["default"].(map[string]any)
	if n, ok := document.Document(section).Int("cooling_s"); !ok || n != 3600 || doc["pvt_type"] != "config" || len(section) != 2 {
		t.Errorf("stored is %v", doc)
	}
	p.says("kapps_config set_default crossbar.auth token_auth_expiry_s 60", "ok", 0)
	p.put("system_config", document.Document{"_id": "accounts", "pvt_node": "kazoo_apps@api1"}) // a Kazoo lives here
	p.refuses("kapps_config set_default crossbar.auth token_auth_expiry_s 60")
	p.says("kapps_config set_default ips cooling_s 3600", "ok", 0)
	p.put("system_config", document.Document{"_id": "a", "default": map[string]any{"t": "x", "b": true, "o": map[string]any{"k": "v"}}})
	p.says("kapps_config get a t", `<<"x">>`, 0)
	p.says("kapps_config get a b", "true", 0)
	p.says("kapps_config get a o", `{"k":"v"}`, 0)
	p.says("kapps_config get a", "Please use: sup kapps_config get <category> <key> [<default>]", misuse)
	p.says("kapps_config set_default ips cooling_s", "Please use: sup kapps_config set_default <category> <key> <value>", misuse)
}

// refuses checks that a command fails.
func (p *place) refuses(args string) {
	p.Helper()
	if text, code := run(p.Context(), p.deps, strings.Fields(args)); code != failed {
		p.Errorf("%s: %q, code %d", args, text, code)
	}
}

// TestAssignCooling: an address that cools is refused with a reason of ours, which Kazoo has none of.
func TestAssignCooling(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.ok(p.store.CreateDatabase(t.Context(), "system_config"))
	p.says("kapps_config set_default ips cooling_s 3600", "ok", 0)
	p.says("kazoo_ips_maintenance add 192.0.2.1 z h", "added IP 192.0.2.1 to available dedicated ips\nok", 0)
	p.says("kazoo_ips_maintenance assign 192.0.2.1 "+accountA, "assigned IP 192.0.2.1 to "+accountA, 0)
	p.says("kazoo_ips_maintenance release 192.0.2.1", "released IP 192.0.2.1", 0)
	p.says("kazoo_ips_maintenance assign 192.0.2.1 "+accountB, "unable to assign IP: cooling", failed)
	p.says("kazoo_ips_maintenance assign 192.0.2.1 "+accountA, "assigned IP 192.0.2.1 to "+accountA, 0)
}
