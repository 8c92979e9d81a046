package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestIPs does one list of tasks through the socket of a server, on a store that nobody serves, and on a CouchDB: they
// come to the same.
func TestIPs(t *testing.T) {
	t.Parallel()
	refused := func(rows ...string) outcome { o := prints(rows...); o.code = 1; return o }
	const assigned = "IP         ZONE  HOST  STATUS    ACCOUNT                           NAME  NOTES"
	tasks := []task{
		{"ips list", "", nil, prints("IP  ZONE  HOST  STATUS  ACCOUNT  NAME  NOTES")},
		{"ips list --json", "", nil, prints("[]")},
		{"ips summary", "", nil, prints("ZONE  HOST  AVAILABLE  ASSIGNED  COOLING", "all   all   0          0         0")},
		{"ips export", "", nil, prints("ip,zone,host,notes,status,assigned_to")},
		{"ips show 192.0.2.1", "", nil, fails("the pool has no address 192.0.2.1")},

		{"ips add 192.0.2.0/29 --zone z --host h --dry-run", "", nil,
			prints("addresses: 6 would be created, 0 were there already, 0 refused")},
		{"ips add 192.0.2.0/29 --zone z --host h", "", nil, prints("addresses: 6 created, 0 were there already, 0 refused")},
		{"ips add 192.0.2.0/29 --zone z --host h --all --json", "", nil,
			prints(`{"created":2,"unchanged":6,"refused":[]}`)},
		{"ips add 192.0.2.1 --zone other --host h", "", nil, refused("addresses: 0 created, 0 were there already, 1 refused",
			"192.0.2.1  the pool has it with another zone or host")},
		{"ips add 2001:DB8::1-2001:db8::2 --zone eu --host h --notes n", "", nil,
			prints("addresses: 2 created, 0 were there already, 0 refused")},
		{"ips add 10.0.0.0/8 --zone z --host h", "", nil, refused("addresses: 0 created, 0 were there already, 1 refused",
			"10.0.0.0/8  it has more than 1048576 addresses")},
		{"ips add 192.0.2.1/24 --zone z --host h", "", nil,
			misuses(`ips add: "192.0.2.1/24" has host bits set: the network is 192.0.2.0/24`)},
		{"ips add 192.0.2.x --zone z --host h", "", nil, misuses(`ips add: "192.0.2.x" is not an IP address`)},
		{"ips add 192.0.2.1", "", nil, misuses("ips add: --zone and --host are needed")},

		{"ips assign One 192.0.2.1 ::ffff:192.0.2.2", "", nil, prints(assigned,
			"192.0.2.1  z     h     assigned  ONE  One", "192.0.2.2  z     h     assigned  ONE  One")},
		{"ips assign one.example.com 192.0.2.3 192.0.2.1 192.0.2.99", "", nil,
			fails("nothing is changed:\n  192.0.2.1: ip already assigned\n  192.0.2.99: ip not found")},
		{"ips assign nobody 192.0.2.3", "", nil, fails(`there is no account "nobody"`)},
		{"ips assign One x", "", nil, misuses(`ips assign: "x" is not an IP address`)},
		{"ips show x", "", nil, misuses(`ips show: "x" is not an IP address`)},
		{"ips history x", "", nil, misuses(`ips history: "x" is not an IP address`)},
		{"ips allocate One 1 --zone eu --json", "", nil, prints(`[{"id":"X","ip":"X","zone":"eu","host":"h",` +
			`"status":"assigned","type":"dedicated_ip","assigned_to":"ONE","notes":"n","account_name":"One"}]`)},
		{"ips allocate One 9 --zone eu", "", nil,
			fails("nothing is assigned: of the 9 addresses asked for 1 are available in zone eu")},
		{"ips allocate One 0", "", nil, misuses("ips allocate: NUMBER must be from 1 to 1000")},
		{"ips list --account One --zone z", "", nil, prints(assigned,
			"192.0.2.1  z     h     assigned  ONE  One", "192.0.2.2  z     h     assigned  ONE  One")},
		{"ips list --cidr 192.0.2.0/30 --status available", "", nil, prints(
			"IP         ZONE  HOST  STATUS     ACCOUNT  NAME  NOTES",
			"192.0.2.0  z     h     available", "192.0.2.3  z     h     available")},
		{"ips list --search 192.0.2.1 --json", "", nil, prints(`[{"id":"192.0.2.1","ip":"192.0.2.1","zone":"z","host":"h",` +
			`"status":"assigned","type":"dedicated_ip","assigned_to":"ONE","account_name":"One"}]`)},
		{"ips list --status lost", "", nil, misuses("ips list: --status: \"lost\" is neither available nor assigned")},
		{"ips list --cidr 192.0.2.1/30", "", nil,
			misuses(`ips list: --cidr: "192.0.2.1/30" has host bits set: the network is 192.0.2.0/30`)},
		{"ips list --account nobody", "", nil, fails(`there is no account "nobody"`)},
		{"ips show ::ffff:192.0.2.1", "", nil, prints("address  192.0.2.1", "zone     z", "host     h", "status   assigned",
			"account  ONE One", "notes    none")},
		{"ips summary", "", nil, prints("ZONE  HOST  AVAILABLE  ASSIGNED  COOLING", "eu    h     1          1         0",
			"z     h     6          2         0", "all   all   7          3         0")},
		{"ips move 192.0.2.2 Two", "", nil, prints(assigned, "192.0.2.2  z     h     assigned  TWO  Two")},
		{"ips move 192.0.2.2 one", "", nil, prints(assigned, "192.0.2.2  z     h     assigned  ONE  One")},
		{"ips move 192.0.2.3 Two", "", nil, fails(`no account has 192.0.2.3: "junctor ips assign" assigns it`)},
		{"ips move 192.0.2.99 Two", "", nil, fails("the pool has no address 192.0.2.99")},
		{"ips move 192.0.2.2 nobody", "", nil, fails(`there is no account "nobody"`)},
		{"ips edit ::ffff:192.0.2.1 --host h2 --notes n --json", "", nil, prints(`[{"id":"192.0.2.1","ip":"192.0.2.1","zone":"z",` +
			`"host":"h2","status":"assigned","type":"dedicated_ip","assigned_to":"ONE","notes":"n","account_name":"One"}]`)},
		{"ips show 192.0.2.1", "", nil, prints("address  192.0.2.1", "zone     z", "host     h2", "status   assigned",
			"account  ONE One", "notes    n")},
		{"ips edit 192.0.2.1 --host h --notes=", "", nil, prints(assigned, "192.0.2.1  z     h     assigned  ONE  One")},
		{"ips edit 192.0.2.1 --notes rack", "", nil, prints(assigned, "192.0.2.1  z     h     assigned  ONE  One   rack")},
		{"ips edit 192.0.2.99 --zone x", "", nil, fails("the pool has no address 192.0.2.99")},
		{"ips edit 192.0.2.1", "", nil, misuses("ips edit: --zone, --host or --notes is needed")},
		{"ips edit 192.0.2.1 --zone=", "", nil, misuses("ips edit: --zone must not be empty")},
		{"account show One", "", nil, prints("account    ONE", "name       One", "realm      one.example.com",
			"parent     MASTER", "state      enabled", "addresses  192.0.2.1 192.0.2.2 X")},

		{"ips repair --json", "", nil, prints(`{"equal":true}`)},
		{"ips rebuild --from-copies --json", "", nil, prints(`{"accounts":3,"restored":0,"present":3}`)},
		{"ips release One 192.0.2.2", "", nil, prints(
			"IP         ZONE  HOST  STATUS     ACCOUNT  NAME  NOTES", "192.0.2.2  z     h     available")},
		{"ips release One 192.0.2.2", "", nil, fails("nothing is changed:\n  192.0.2.2: ip not assigned")},
		{"ips delete 192.0.2.1 192.0.2.2 192.0.2.99", "", nil, fails("nothing is deleted:\n" +
			"  192.0.2.1: account ONE has it; --force deletes it all the same\n  192.0.2.99: the pool does not have it")},
		{"ips delete 192.0.2.1 192.0.2.1 192.0.2.2 --force", "", nil,
			prints("deleted  192.0.2.1  which account ONE had", "deleted  192.0.2.2")},
		{"ips delete 192.0.2.3", "", nil, prints("deleted  192.0.2.3")},

		{"ips import - --dry-run", "FILE", nil, refused("addresses: 2 would be created, 1 were there already, 2 refused",
			"row 3  192.0.2.5  the pool has it with another zone or host", "row 4  nonsense   ip must be an IPv4 or IPv6 address")},
		{"ips import PATH", "", nil, refused("addresses: 2 created, 1 were there already, 2 refused",
			"row 3  192.0.2.5  the pool has it with another zone or host", "row 4  nonsense   ip must be an IPv4 or IPv6 address")},
		{"ips import - --json", "FILE", nil, refused(`{"created":0,"unchanged":3,"refused":[{"row":3,"value":"192.0.2.5",` +
			`"code":"exists","message":"the pool has it with another zone or host"},{"row":4,"value":"nonsense",` +
			`"code":"invalid","message":"ip must be an IPv4 or IPv6 address"}]}`)},
		{"ips import - --zone z --host h", "198.51.100.1\n198.51.100.2,,h2\n", nil,
			prints("addresses: 2 created, 0 were there already, 0 refused")},
		{"ips import - --zone z --host h", `[{"ip":"nonsense"},{"ip":5},{"ip":"198.51.100.1"}]`, nil,
			refused("addresses: 0 created, 1 were there already, 2 refused", "row 1  nonsense  ip must be an IPv4 or IPv6 address",
				"row 2            ip: Value did not match type(s): string")},
		{"ips import -", "name,colour\n", nil, fails(`line 1 is neither a header with a column "ip" nor begins with an address`)},
		{"ips import PATH.none", "", nil, fails("open PATH.none: no such file or directory")},
		{"ips export --zone eu --format xml", "", nil, misuses("ips export: --format: \"xml\" is neither csv nor json")},
		{"ips export --cidr 198.51.100.0/24", "", nil, prints("ip,zone,host,notes,status,assigned_to",
			"198.51.100.1,z,h,,available,", "198.51.100.2,z,h2,,available,")},
		{"ips export --cidr 198.51.100.2 --format json", "", nil, prints("[",
			`{"ip":"198.51.100.2","zone":"z","host":"h2","notes":"","status":"available","assigned_to":""}`, "]")},
	}
	const file = "ip,zone,host\n192.0.2.5,z,h\n192.0.2.5,x,y\nnonsense,z,h\n203.0.113.0/30,z,h\n"
	path := filepath.Join(t.TempDir(), "ips.csv")
	write(t, path, file)
	for name, place := range places(t) {
		t.Run(name, func(t *testing.T) {
			master := bootstrapped(t, place.args("")...).AccountID
			one := newAccount(t, "One", place.args("--realm one.example.com")...).ID
			two := newAccount(t, "Two", place.args("")...).ID
			place.does(t, tasks, anyOfEU, "PATH", path, "FILE", file, "ONE", one, "TWO", two, "MASTER", master)
		})
	}
}

// anyOfEU is the address that was drawn of two.
var anyOfEU = regexp.MustCompile(`2001:db8::[12]`)

// TestRoundTrip: what is exported is imported into another store, and exported from there is the same.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	from, to := t.TempDir(), t.TempDir()
	for _, home := range []string{from, to} {
		ok(t, "bootstrap", "--store", home)
	}
	start(t, "--store", from)
	const notes = "two\nlines, \"quoted\"; ü"
	ok(t, "ips", "add", "192.0.2.0/28", "--zone", "z", "--host", "h", "--notes", notes, "--store", from)
	ok(t, "ips", "add", "2001:db8::/125", "--zone", "eu", "--host", "h2", "--store", from)
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
