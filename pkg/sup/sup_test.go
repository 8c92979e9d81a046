package sup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	couchdbviews "junctor/couchdb-views"
	"junctor/pkg/account"
	"junctor/pkg/auth"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/pooldb"
	"junctor/pkg/projection"
	"junctor/pkg/store"
)

// Accounts that the recording names.
const (
	accountA = "20d27928305e257782655b7896c79f14"
	accountB = "3a583234b29d88662d41c309f3dfa1e1"
)

// place is an embedded store with what the commands work on.
type place struct {
	*testing.T
	store *store.Store
	deps  Deps
}

// newPlace returns a place with an empty pool and two accounts.
func newPlace(t *testing.T) *place {
	t.Helper()
	s, err := store.Open("memory:", store.Options{})
	p := &place{T: t, store: s}
	p.ok(err)
	t.Cleanup(func() { _ = s.Close() })
	pool := dedicatedip.New(s, dedicatedip.Options{Settings: account.NewConfig(s)})
	reconciler := projection.NewReconciler(pool.Projector(), s, projection.ReconcilerOptions{})
	p.deps = Deps{
		Pool: pool, Views: s, Accounts: account.NewDirectory(s), Provisioner: account.NewProvisioner(s, auth.NewKeyDocument, time.Now),
		Install:   func(ctx context.Context) error { return pooldb.Install(ctx, s) },
		Reconcile: func(ctx context.Context) error { return reconciler.Repair(ctx, false) },
	}
	p.ok(p.deps.Install(t.Context()))
	for _, id := range []string{accountA, accountB} {
		p.put(database(t, id), document.Document{"_id": id, "pvt_type": "account"})
	}
	return p
}

func database(t *testing.T, id string) string {
	t.Helper()
	db, err := account.Database(id)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func (p *place) ok(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *place) put(db string, doc document.Document) {
	p.Helper()
	p.ok(p.store.CreateDatabase(p.Context(), db))
	_, err := p.store.Put(p.Context(), db, doc)
	p.ok(err)
}

// says checks what a command answers.
func (p *place) says(args, want string, code int) {
	p.Helper()
	if text, got := run(p.Context(), p.deps, strings.Fields(args)); text != want || got != code {
		p.Errorf("%s\n got %q, code %d\nwant %q, code %d", args, text, got, want, code)
	}
}

// recorded is one command of the recording, with what Kazoo printed.
type recorded struct{ args, text string }

var (
	exchange = regexp.MustCompile("(?s)## `kazoo_ips_maintenance:(\\w+)\\((.*?)\\)\\.`\n\n```\n(.*?)\n```")
	argument = regexp.MustCompile(`<<"(.*?)">>`)
	row      = regexp.MustCompile(`(?m)^\| (\S+) +\| (assigned|available) +\| (\S+) +\| (\S+) +\| (\S*) +\|$`)
)

func recording(t *testing.T) (all []recorded) {
	t.Helper()
	text, err := os.ReadFile("testdata/19_sup_maintenance.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range exchange.FindAllStringSubmatch(string(text), -1) {
		args := "kazoo_ips_maintenance " + m[1]
		for _, a := range argument.FindAllStringSubmatch(m[2], -1) {
			args += " " + a[1]
		}
		// The last line is what the function returned, which sup prints unless it is no_return.
		all = append(all, recorded{args, strings.TrimSuffix(strings.TrimSuffix(m[3], "no_return"), "\n")})
	}
	return all
}

const cutIPv6, wholeIPv6 = "2001:0db8:0000:", "2001:0db8:0000:0000:0000:0000:0000:0001"

// TestRecorded runs the recorded commands, in their order, on the pool they were recorded on.
func TestRecorded(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	all := recording(t)
	if len(all) != 21 {
		t.Fatalf("%d commands in the recording", len(all))
	}
	p.fill(all)
	for _, r := range all {
		p.says(r.args, widened(r.text), 0)
	}
}

// fill puts into the pool what the first recorded summary shows, less what the recorded commands added.
func (p *place) fill(all []recorded) {
	p.Helper()
	for _, r := range all {
		if r.args != "kazoo_ips_maintenance summary" {
			continue
		}
		for _, m := range row.FindAllStringSubmatch(r.text, -1) {
			if m[1] == "10.5.0.1" || m[1] == "not-an-ip" {
				continue
			}
			doc := document.Document{"_id": strings.Replace(m[1], cutIPv6, wholeIPv6, 1), "pvt_type": "dedicated_ip",
				"pvt_status": m[2], "pvt_zone": m[3], "pvt_host": m[4]}
			if m[5] != "" {
				doc["pvt_assigned_to"] = m[5]
			}
			p.put(dedicatedip.Database, doc)
		}
	}
}

// widened is a recorded table as it is with a whole IPv6 address in it.
func widened(text string) string {
	if !strings.Contains(text, cutIPv6) {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		fill := " "
		if strings.HasPrefix(line, "+") {
			fill = line[1:2]
		}
		more := strings.Repeat(fill, len(wholeIPv6)-len(cutIPv6))
		if cell := "| " + cutIPv6; strings.HasPrefix(line, cell) {
			lines[i] = "| " + wholeIPv6 + line[len(cell):]
		} else {
			lines[i] = line[:len(cell)] + more + line[len(cell):]
		}
	}
	return strings.Join(lines, "\n")
}

// TestRows is what the recording does not show.
func TestRows(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	const m = "kazoo_ips_maintenance "
	for _, test := range []struct {
		args, want string
		code       int
	}{
		{m + "summary", "No IPs found", 0},
		{m + "add 1.2.3.4 us-east proxy1", "added IP 1.2.3.4 to available dedicated ips\nok", 0},
		{m + "add ::ffff:1.2.3.4 us-east proxy1", "unable to add IP ::ffff:1.2.3.4: conflict\nok", 0},
		{m + "add 1.2.3.4 us-east", "Please use: sup kazoo_ips_maintenance add <ip> <zone> <host>", 2},
		{m + "add _design/x us-east proxy1",
			`unable to add IP _design/x: it needs a zone and a host of at most 1024 characters, and can't begin with "_"`, 1},
		{m + "release 1.2.3.4", "unable to release IP: not_assigned", 0},
		{m + "assign 1.2.3.4 account%2F20%2Fd2%2F7928305e257782655b7896c79f14",
			"assigned IP 1.2.3.4 to account%2F20%2Fd2%2F7928305e257782655b7896c79f14", 0},
		{m + "assign 1.2.3.4 " + accountB, "unable to assign IP: already_assigned", 0},
		{m + "assign not-an-ip " + accountB, "unable to assign IP: not_found", 0},
		{m + "assign 1.2.3.4", "Please use: sup kazoo_ips_maintenance assign <ip> <account>", 2},
		{m + "release ::ffff:1.2.3.4", "released IP ::ffff:1.2.3.4", 0},
		{m + "release not-an-ip", "unable to release IP: not_found", 0},
		{m + "assign 1.2.3.4 account/20/d2/7928305e257782655b7896c79f14",
			"assigned IP 1.2.3.4 to account/20/d2/7928305e257782655b7896c79f14", 0},
		{m + "delete 1.2.3.4 5.6.7.8", "Please use: sup kazoo_ips_maintenance delete <ip>", 2},
		{m + "delete 1.2.3.4", "deleted IP 1.2.3.4", 0},
		{m + "delete _design/dedicated_ips", "unable to delete IP: not_found", 0},
		{m + "refresh", "", 0},
		{m + "refresh now", "Please use: sup kazoo_ips_maintenance refresh", 2},
		{m + "list", `unknown function "list": of kazoo_ips_maintenance there are add, assign, release, delete, ` +
			"summary, refresh", 1},
		{"kapps_maintenance refresh dedicated_ips", "", 0},
		{"kapps_maintenance refresh accounts",
			"unable to refresh accounts: only dedicated_ips can be refreshed here", 1},
		{"kapps_maintenance refresh", "Please use: sup kapps_maintenance refresh dedicated_ips", 2},
		{"kz_maintenance add", `unknown module "kz_maintenance": there are kazoo_ips_maintenance, ` +
			"crossbar_maintenance, kapps_maintenance, kapps_config", 1},
		{"add", `a module and a function of it are needed, as in "sup kazoo_ips_maintenance add"`, 2},
	} {
		p.says(test.args, test.want, test.code)
	}
}

// TestTable: what a document lacks, what is cut, and what is not.
func TestTable(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.put(dedicatedip.Database, document.Document{"_id": "2001:db8:1111:2222::1", "pvt_type": "dedicated_ip",
		"pvt_status": "available"})
	p.put(dedicatedip.Database, document.Document{"_id": "1.2.3.4", "pvt_type": "dedicated_ip", "pvt_status": "assigned",
		"pvt_zone": "a-zone-é-of-many-letters", "pvt_host": strings.Repeat("host", 10), "pvt_assigned_to": accountA})
	p.says("kazoo_ips_maintenance summary", strings.TrimPrefix(`
+-----------------------+------------+------------+--------------------------------+----------------------------------+
| IP                    | Status     | Zone       | Host                           | Account                          |
+=======================+============+============+================================+==================================+
| 2001:db8:1111:2222::1 | available  | undefined  | undefined                      |                                  |
| 1.2.3.4               | assigned   | a-zone-é-o | hosthosthosthosthosthosthostho | 20d27928305e257782655b7896c79f14 |
+-----------------------+------------+------------+--------------------------------+----------------------------------+`,
		"\n"), 0)
}

// TestRefresh: copies are repaired.
func TestRefresh(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.put(dedicatedip.Database, document.Document{"_id": "1.2.3.4", "pvt_type": "dedicated_ip", "pvt_status": "assigned",
		"pvt_assigned_to": accountA})
	p.says("kazoo_ips_maintenance refresh", "", 0)
	if _, err := p.store.Get(t.Context(), database(t, accountA), "1.2.3.4"); err != nil {
		t.Error(err)
	}
}

// TestReleaseNobodys: Crossbar can leave an address assigned to nobody.
func TestReleaseNobodys(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.put(dedicatedip.Database, document.Document{"_id": "1.2.3.4", "pvt_type": "dedicated_ip", "pvt_status": "assigned"})
	p.says("kazoo_ips_maintenance release 1.2.3.4", "released IP 1.2.3.4", 0)
	p.says("kazoo_ips_maintenance assign 1.2.3.4 "+accountA, "assigned IP 1.2.3.4 to "+accountA, 0)
}

// TestNoStore: views that are not there, and a store that is not.
func TestNoStore(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	design, err := p.store.Get(t.Context(), dedicatedip.Database, "_design/dedicated_ips")
	p.ok(err)
	p.ok(p.store.Delete(t.Context(), dedicatedip.Database, design.ID(), design.Rev()))
	p.says("kazoo_ips_maintenance summary", "Unable to list IPs assigned to host undefined: not_found", 0)
	p.says("kazoo_ips_maintenance summary 100%s", "Unable to list IPs assigned to host 100%s: not_found", 0)
	p.says("kapps_maintenance refresh dedicated_ips", "", 0)
	p.says("kazoo_ips_maintenance summary", "No IPs found", 0)
	p.ok(p.store.Close())
	for _, args := range []string{
		"summary", "add 1.2.3.4 z 100%s", "assign 1.2.3.4 " + accountA, "release 1.2.3.4", "delete 1.2.3.4", "refresh",
	} {
		text, code := run(t.Context(), p.deps, strings.Fields("kazoo_ips_maintenance "+args))
		if code != 1 || text == "" || strings.Contains(text, "%!") {
			t.Errorf("%s: %q, code %d", args, text, code)
		}
	}
}

func TestCreateAccount(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	provisioner := account.NewProvisioner(p.store, auth.NewKeyDocument, time.Now)
	const create = "crossbar_maintenance create_account "
	p.says(create+"One one.example.com admin secret",
		"failed to create 'One': there is no master account: run \"junctor bootstrap\" first", 1)
	_, err := provisioner.Bootstrap(t.Context())
	p.ok(err)
	views, err := store.Design(couchdbviews.Files, "junctor_accounts.json")
	p.ok(err)
	p.ok(p.store.Install(t.Context(), "accounts", views))
	text, code := run(t.Context(), p.deps, strings.Fields(create+"One one.example.com admin secret"))
	want := regexp.MustCompile(`^created new account '([0-9a-f]{32})' in db 'account%2F(..)%2F(..)%2F([0-9a-f]{28})'` +
		"\ncreated new account admin user '([0-9a-f]{32})'$")
	m := want.FindStringSubmatch(text)
	if code != 0 || m == nil || m[1] != m[2]+m[3]+m[4] {
		t.Fatalf("%q, code %d", text, code)
	}
	user, err := p.store.Get(t.Context(), database(t, m[1]), m[5])
	p.ok(err)
	if user.String("username") != "admin" || user.String("priv_level") != "admin" {
		t.Errorf("the user is %v", user)
	}
	p.says(create+"One one.example.com admin secret",
		`failed to create 'One': another account has the realm "one.example.com"`, 1)
	p.says(create+"One", "Please use: sup crossbar_maintenance create_account <name> <realm> <username> <password>", 2)
}

// TestReason: every failure has words.
func TestReason(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"conflict":                           fault.New(fault.Conflict, ""),
		"not_found":                          fault.New(fault.DatastoreMissing, ""),
		"datastore unreachable: unplugged":   fault.Wrap(fault.DatastoreUnreachable, errors.New("unplugged")),
		"a Kazoo lives in this store":        fault.New(fault.Forbidden, "a Kazoo lives in this store"),
		"something":                          errors.New("something"),
		"not_found (in a wrapped error too)": fmt.Errorf("x: %w", fault.New(fault.BadIdentifier, "")),
	} {
		if got, _ := result(err, "", "%s", ""); !strings.HasPrefix(want, got) {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

// run parses args and runs the call.
func run(ctx context.Context, d Deps, args []string) (text string, code int) {
	call, text, code := Parse(args)
	if call == nil {
		return text, code
	}
	return call.Run(ctx, d)
}
