package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"junctor/pkg/account"
	"junctor/pkg/inventory"
)

// ipsTest is one command about the pool.
type ipsTest struct {
	args, stdin string
	want        outcome
}

// TestIPs does one list of tasks through the socket of a server, on a store that nobody serves, and on a CouchDB: they
// come to the same.
func TestIPs(t *testing.T) {
	t.Parallel()
	failure := func(code int, text string) outcome { return outcome{code: code, stderr: "junctor: " + text + "\n"} }
	table := func(rows ...string) outcome { return outcome{stdout: strings.Join(rows, "\n") + "\n"} }
	refused := func(rows ...string) outcome { o := table(rows...); o.code = 1; return o }
	const assigned = "IP         ZONE  HOST  STATUS    ACCOUNT                           NAME  NOTES"
	tests := []ipsTest{
		{"ips list", "", table("IP  ZONE  HOST  STATUS  ACCOUNT  NAME  NOTES")},
		{"ips list --json", "", table("[]")},
		{"ips summary", "", table("ZONE  HOST  AVAILABLE  ASSIGNED  COOLING", "all   all   0          0         0")},
		{"ips export", "", table("ip,zone,host,notes,status,assigned_to")},
		{"ips show 192.0.2.1", "", failure(1, "the pool has no address 192.0.2.1")},

		{"ips add 192.0.2.0/29 --zone z --host h --dry-run", "",
			table("addresses: 6 would be created, 0 were there already, 0 refused")},
		{"ips add 192.0.2.0/29 --zone z --host h", "", table("addresses: 6 created, 0 were there already, 0 refused")},
		{"ips add 192.0.2.0/29 --zone z --host h --all --json", "",
			table(`{"created":2,"unchanged":6,"refused":[]}`)},
		{"ips add 192.0.2.1 --zone other --host h", "", refused("addresses: 0 created, 0 were there already, 1 refused",
			"192.0.2.1  the pool has it with another zone or host")},
		{"ips add 2001:DB8::1-2001:db8::2 --zone eu --host h --notes n", "",
			table("addresses: 2 created, 0 were there already, 0 refused")},
		{"ips add 10.0.0.0/8 --zone z --host h", "", refused("addresses: 0 created, 0 were there already, 1 refused",
			"10.0.0.0/8  it has more than 1048576 addresses")},
		{"ips add 192.0.2.1/24 --zone z --host h", "",
			failure(2, `ips add: "192.0.2.1/24" has host bits set: the network is 192.0.2.0/24`)},
		{"ips add 192.0.2.x --zone z --host h", "", failure(2, `ips add: "192.0.2.x" is not an IP address`)},
		{"ips add 192.0.2.1", "", failure(2, "ips add: --zone and --host are needed")},

		{"ips assign One 192.0.2.1 ::ffff:192.0.2.2", "", table(assigned,
			"192.0.2.1  z     h     assigned  ONE  One", "192.0.2.2  z     h     assigned  ONE  One")},
		{"ips assign one.example.com 192.0.2.3 192.0.2.1 192.0.2.99", "",
			failure(1, "nothing is changed:\n  192.0.2.1: ip already assigned\n  192.0.2.99: ip not found")},
		{"ips assign nobody 192.0.2.3", "", failure(1, `there is no account "nobody"`)},
		{"ips assign One x", "", failure(2, `ips assign: "x" is not an IP address`)},
		{"ips show x", "", failure(2, `ips show: "x" is not an IP address`)},
		{"ips history x", "", failure(2, `ips history: "x" is not an IP address`)},
		{"ips allocate One 1 --zone eu --json", "", outcome{stdout: "1 address"}},
		{"ips allocate One 9 --zone eu", "",
			failure(1, "nothing is assigned: of the 9 addresses asked for 1 are available in zone eu")},
		{"ips allocate One 0", "", failure(2, "ips allocate: NUMBER must be from 1 to 1000")},
		{"ips list --account One --zone z", "", table(assigned,
			"192.0.2.1  z     h     assigned  ONE  One", "192.0.2.2  z     h     assigned  ONE  One")},
		{"ips list --cidr 192.0.2.0/30 --status available", "", table(
			"IP         ZONE  HOST  STATUS     ACCOUNT  NAME  NOTES",
			"192.0.2.0  z     h     available", "192.0.2.3  z     h     available")},
		{"ips list --search 192.0.2.1 --json", "", table(`[{"id":"192.0.2.1","ip":"192.0.2.1","zone":"z","host":"h",` +
			`"status":"assigned","type":"dedicated_ip","assigned_to":"ONE","account_name":"One"}]`)},
		{"ips list --status lost", "", failure(2, "ips list: --status: \"lost\" is neither available nor assigned")},
		{"ips list --cidr 192.0.2.1/30", "",
			failure(2, `ips list: --cidr: "192.0.2.1/30" has host bits set: the network is 192.0.2.0/30`)},
		{"ips list --account nobody", "", failure(1, `there is no account "nobody"`)},
		{"ips show ::ffff:192.0.2.1", "", table("address  192.0.2.1", "zone     z", "host     h", "status   assigned",
			"account  ONE One", "notes    none")},
		{"ips summary", "", table("ZONE  HOST  AVAILABLE  ASSIGNED  COOLING", "eu    h     1          1         0",
			"z     h     6          2         0", "all   all   7          3         0")},
		{"ips move 192.0.2.2 Two", "", table(assigned, "192.0.2.2  z     h     assigned  TWO  Two")},
		{"ips move 192.0.2.2 one", "", table(assigned, "192.0.2.2  z     h     assigned  ONE  One")},
		{"ips move 192.0.2.3 Two", "", failure(1, `no account has 192.0.2.3: "junctor ips assign" assigns it`)},
		{"ips move 192.0.2.99 Two", "", failure(1, "the pool has no address 192.0.2.99")},
		{"ips move 192.0.2.2 nobody", "", failure(1, `there is no account "nobody"`)},
		{"ips edit ::ffff:192.0.2.1 --host h2 --notes n --json", "", table(`[{"id":"192.0.2.1","ip":"192.0.2.1","zone":"z",` +
			`"host":"h2","status":"assigned","type":"dedicated_ip","assigned_to":"ONE","notes":"n","account_name":"One"}]`)},
		{"ips show 192.0.2.1", "", table("address  192.0.2.1", "zone     z", "host     h2", "status   assigned",
			"account  ONE One", "notes    n")},
		{"ips edit 192.0.2.1 --host h --notes=", "", table(assigned, "192.0.2.1  z     h     assigned  ONE  One")},
		{"ips edit 192.0.2.1 --notes rack", "", table(assigned, "192.0.2.1  z     h     assigned  ONE  One   rack")},
		{"ips edit 192.0.2.99 --zone x", "", failure(1, "the pool has no address 192.0.2.99")},
		{"ips edit 192.0.2.1", "", failure(2, "ips edit: --zone, --host or --notes is needed")},
		{"ips edit 192.0.2.1 --zone=", "", failure(2, "ips edit: --zone must not be empty")},
		{"account show One", "", outcome{stdout: "192.0.2.1 192.0.2.2"}},

		{"ips release One 192.0.2.2", "", table(
			"IP         ZONE  HOST  STATUS     ACCOUNT  NAME  NOTES", "192.0.2.2  z     h     available")},
		{"ips release One 192.0.2.2", "", failure(1, "nothing is changed:\n  192.0.2.2: ip not assigned")},
		{"ips delete 192.0.2.1 192.0.2.2 192.0.2.99", "", failure(1, "nothing is deleted:\n"+
			"  192.0.2.1: account ONE has it; --force deletes it all the same\n  192.0.2.99: the pool does not have it")},
		{"ips delete 192.0.2.1 192.0.2.1 192.0.2.2 --force", "",
			table("deleted  192.0.2.1  which account ONE had", "deleted  192.0.2.2")},
		{"ips delete 192.0.2.3", "", table("deleted  192.0.2.3")},

		{"ips import - --dry-run", "FILE", refused("addresses: 2 would be created, 1 were there already, 2 refused",
			"row 3  192.0.2.5  the pool has it with another zone or host", "row 4  nonsense   ip must be an IPv4 or IPv6 address")},
		{"ips import PATH", "", refused("addresses: 2 created, 1 were there already, 2 refused",
			"row 3  192.0.2.5  the pool has it with another zone or host", "row 4  nonsense   ip must be an IPv4 or IPv6 address")},
		{"ips import - --json", "FILE", refused(`{"created":0,"unchanged":3,"refused":[{"row":3,"value":"192.0.2.5",` +
			`"code":"exists","message":"the pool has it with another zone or host"},{"row":4,"value":"nonsense",` +
			`"code":"invalid","message":"ip must be an IPv4 or IPv6 address"}]}`)},
		{"ips import - --zone z --host h", "198.51.100.1\n198.51.100.2,,h2\n",
			table("addresses: 2 created, 0 were there already, 0 refused")},
		{"ips import - --zone z --host h", `[{"ip":"nonsense"},{"ip":5},{"ip":"198.51.100.1"}]`,
			refused("addresses: 0 created, 1 were there already, 2 refused", "row 1  nonsense  ip must be an IPv4 or IPv6 address",
				"row 2            ip: Value did not match type(s): string")},
		{"ips import -", "name,colour\n", failure(1, `line 1 is neither a header with a column "ip" nor begins with an address`)},
		{"ips import PATH.none", "", failure(1, "stat PATH.none: no such file or directory")},
		{"ips export --zone eu --format xml", "", failure(2, "ips export: --format: \"xml\" is neither csv nor json")},
		{"ips export --cidr 198.51.100.0/24", "", table("ip,zone,host,notes,status,assigned_to",
			"198.51.100.1,z,h,,available,", "198.51.100.2,z,h2,,available,")},
		{"ips export --cidr 198.51.100.2 --format json", "", table("[",
			`{"ip":"198.51.100.2","zone":"z","host":"h2","notes":"","status":"available","assigned_to":""}`, "]")},
	}
	const file = "ip,zone,host\n192.0.2.5,z,h\n192.0.2.5,x,y\nnonsense,z,h\n203.0.113.0/30,z,h\n"
	path := filepath.Join(t.TempDir(), "ips.csv")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, place := range places(t) {
		t.Run(name, func(t *testing.T) {
			ok(t, place.args("bootstrap")...)
			var one account.Created
			decode(t, ok(t, place.args("account create One --realm one.example.com --json")...), &one)
			var two account.Created
			decode(t, ok(t, place.args("account create Two --json")...), &two)
			words := strings.NewReplacer("PATH", path, "FILE", file)
			for _, test := range tests {
				test.do(t, place, words, strings.NewReplacer(one.ID, "ONE", two.ID, "TWO", path, "PATH"))
			}
		})
	}
}

// do does the command at a place.
func (test ipsTest) do(t *testing.T, p *place, words, mask *strings.Replacer) {
	t.Helper()
	got := tell(t, nil, words.Replace(test.stdin), p.args(words.Replace(test.args))...)
	got.stdout, got.stderr = mask.Replace(got.stdout), mask.Replace(got.stderr)
	switch want := test.want.stdout; want {
	case "1 address":
		var ips []inventory.Row
		if decode(t, got.stdout, &ips); len(ips) != 1 || ips[0].AssignedTo != "ONE" || ips[0].Zone != "eu" {
			t.Errorf("%s: %+v", test.args, got)
		}
		return
	case "192.0.2.1 192.0.2.2":
		if !strings.Contains(got.stdout, want) {
			t.Errorf("%s: %+v", test.args, got)
		}
		return
	}
	if got != test.want {
		t.Errorf("%s:\ngot  %+v\nwant %+v", test.args, got, test.want)
	}
}

// TestRoundTrip: what is exported is imported into another store, and exported from there is the same.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	from, to := t.TempDir(), t.TempDir()
	for _, home := range []string{from, to} {
		ok(t, "bootstrap", "--store", home)
	}
	start(t, "--store", from)
	const notes = "two\nlines, \"quoted\"; ü"
	ok(t, "ips", "add", "192.0.2.0/24", "--zone", "z", "--host", "h", "--notes", notes, "--store", from)
	ok(t, "ips", "add", "2001:db8::/120", "--zone", "eu", "--host", "h2", "--store", from)
	for _, format := range []string{"csv", "json"} {
		exported := ok(t, "ips", "export", "--format", format, "--store", from)
		if o := tell(t, nil, exported, "ips", "import", "-", "--store", to); o.code != 0 {
			t.Fatalf("%s: %+v", format, o)
		}
		if got := ok(t, "ips", "export", "--format", format, "--store", to); got != exported || !strings.Contains(got, "ü") {
			t.Errorf("%s: got %.300s\nwant %.300s", format, got, exported)
		}
	}
}

// TestServersZone: the zone of a server in the environment does not choose the addresses of a command.
func TestServersZone(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	ok(t, "bootstrap", "--store", home)
	ok(t, "ips", "add", "192.0.2.1", "--zone", "z", "--host", "h", "--store", home)
	env := environment{"JUNCTOR_ZONE": "other", "JUNCTOR_HOST": "other", "JUNCTOR_STORE": home}
	if o := call(t, env, "ips", "export"); !strings.Contains(o.stdout, "192.0.2.1") {
		t.Errorf("%+v", o)
	}
	if o := call(t, env, "ips", "add", "192.0.2.2"); o.code != 2 {
		t.Errorf("%+v", o)
	}
	if o := call(t, env, "ips", "list", "--help"); strings.Contains(o.stdout, "JUNCTOR_ZONE") {
		t.Errorf("%s", o.stdout)
	}
}

// TestTableFits: on a terminal the rows of a table are not longer than a line, and ids and addresses are whole.
func TestTableFits(t *testing.T) {
	t.Parallel()
	var stdout strings.Builder
	c := &cli{stdout: &stdout}
	c.terminal.Columns = 60
	rows := [][]string{{"IP", "HOST", "ACCOUNT", "NOTES"}}
	for range 3 {
		rows = append(rows, []string{"192.0.2.1", "proxy1.example.com", strings.Repeat("a", 20), strings.Repeat("ü ", 40)})
	}
	if err := c.print(nil, rows, 1, 3); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(stdout.String()) {
		if width := len([]rune(strings.TrimSuffix(line, "\n"))); width > 60 {
			t.Errorf("%d columns: %s", width, line)
		}
	}
	if strings.Count(stdout.String(), strings.Repeat("a", 20)) != 3 || strings.Count(stdout.String(), "…") < 3 {
		t.Errorf("printed\n%s", &stdout)
	}
}

// TestTableCells: what a terminal would obey is written out.
func TestTableCells(t *testing.T) {
	t.Parallel()
	var stdout strings.Builder
	c := &cli{stdout: &stdout}
	rows := [][]string{{"ZONE", "NOTES"}, {"a\x1b[2J\x1b]0;x\a", "\u202eb\r\nc\u009b31m"}, {"Zürich", "‘é’ 日本"}}
	if err := c.print(nil, rows); err != nil {
		t.Fatal(err)
	}
	want := "ZONE                NOTES\n" + `a\x1b[2J\x1b]0;x\a  \u202eb\r\nc\u009b31m` + "\nZürich              ‘é’ 日本\n"
	if stdout.String() != want {
		t.Errorf("printed %q, want %q", &stdout, want)
	}
}
