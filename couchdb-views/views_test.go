package couchdbviews

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/dop251/goja"
)

// source is a function as a design document has it: a string, or an array of lines.
type source []string

func (s *source) UnmarshalJSON(data []byte) error {
	var line string
	if json.Unmarshal(data, &line) == nil {
		*s = source{line}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(s))
}

type design struct {
	ID       string `json:"_id"`
	Language string `json:"language"`
	Views    map[string]struct{ Map, Reduce source }
}

func readDesign(t testing.TB, file string) design {
	t.Helper()
	text, err := Files.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var d design
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return d
}

// view runs one map function, loaded as pkg/store joins it.
type view struct {
	vm      *goja.Runtime
	mapFunc goja.Callable
	rows    []string
}

func loadView(t testing.TB, file, name string) *view {
	t.Helper()
	v := &view{vm: goja.New()}
	function, err := v.vm.RunString("(" + strings.Join(readDesign(t, file).Views[name].Map, "") + ")")
	if err != nil {
		t.Fatalf("%s %s: %v", file, name, err)
	}
	v.mapFunc, _ = goja.AssertFunction(function)
	_ = v.vm.Set("emit", func(key, value goja.Value) error {
		row, err := json.Marshal(v.vm.NewArray(key, value))
		v.rows = append(v.rows, string(row))
		return err
	})
	return v
}

// run gives the emitted rows as JSON texts, [key,value] each.
func (v *view) run(t testing.TB, doc string) []string {
	t.Helper()
	v.rows = nil
	value, err := v.vm.RunString("(" + doc + ")")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.mapFunc(goja.Undefined(), value); err != nil {
		t.Errorf("%s: %v", doc, err)
	}
	return v.rows
}

func TestFiles(t *testing.T) {
	t.Parallel()
	want := map[string]struct {
		id    string
		views []string
	}{
		"dedicated_ips.json": {"_design/dedicated_ips", []string{"assigned_to_listing", "available_listing",
			"host_listing", "summary_listing", "zone_listing"}},
		"junctor_dedicated_ips.json": {"_design/junctor", []string{"available", "by_address", "names"}},
		"ip_history.json":            {"_design/ip_history", []string{"by_account", "by_address", "by_day", "by_time"}},
		"junctor_account.json":       {"_design/junctor", []string{"users_by_md5", "users_by_sha1"}},
		"junctor_accounts.json":      {"_design/junctor", []string{"by_api_key", "by_name", "by_realm"}},
		"routing.json":               {"_design/routing", []string{"by_address", "by_owner", "by_zone", "listing"}},
	}
	files, err := fs.Glob(Files, "*")
	if err != nil || !slices.Equal(files, slices.Sorted(maps.Keys(want))) {
		t.Errorf("files %v, error %v", files, err)
	}
	for file, want := range want {
		d := readDesign(t, file)
		views := slices.Sorted(maps.Keys(d.Views))
		if d.ID != want.id || d.Language != "javascript" || !slices.Equal(views, want.views) {
			t.Errorf("%s: id %s, language %s, views %v", file, d.ID, d.Language, views)
		}
	}
}

// TestLinesJoin holds that no line depends on its end.
func TestLinesJoin(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(Files, "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		for name, view := range readDesign(t, file).Views {
			for _, line := range slices.Concat(view.Map, view.Reduce) {
				if strings.Contains(line, "//") || !strings.ContainsAny(line[len(line)-1:], "{};,('") &&
					line != "_count" && line != "_sum" {
					t.Errorf("%s %s: the line %q needs its end", file, name, line)
				}
				for _, word := range []string{"=>", "let ", "const ", "`", "class ", "..."} {
					if strings.Contains(line, word) {
						t.Errorf("%s %s: %q is not ECMAScript 5", file, name, line)
					}
				}
			}
		}
	}
}

func TestReductions(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"host_listing", "zone_listing"} {
		text := strings.Join(readDesign(t, "dedicated_ips.json").Views[name].Reduce, "")
		value, err := goja.New().RunString("(" + text + ")([[null, 'a']], [null], false)")
		if err != nil || value.Export() != true {
			t.Errorf("%s reduces to %v, error %v", name, value, err)
		}
	}
}

// Documents as Kazoo writes them, and some it should not have.
const (
	available = `{"_id":"1.2.3.4","_rev":"1-a","pvt_vsn":"1","pvt_type":"dedicated_ip","pvt_status":"available",
		"pvt_zone":"us-east","pvt_host":"proxy1.us-east.myswitch.com","pvt_created":63900000000,"pvt_modified":63900000000}`
	assigned = `{"_id":"2001:db8::1","_rev":"2-b","pvt_vsn":"1","pvt_type":"dedicated_ip","pvt_status":"assigned",
		"pvt_zone":"us-west","pvt_host":"proxy2","pvt_assigned_to":"009afc511c97b2ae693c6cc4920988e8"}`
	bare      = `{"_id":"5.6.7.8","pvt_type":"dedicated_ip"}`
	deleted   = `{"_id":"1.2.3.5","pvt_type":"dedicated_ip","pvt_deleted":true,"pvt_status":"available","pvt_zone":"z"}`
	otherType = `{"_id":"1.2.3.6","pvt_type":"device","pvt_status":"available","pvt_zone":"z"}`
	noType    = `{"_id":"1.2.3.7"}`
	account   = `{"_id":"0766c6d3a0cf0a0f293e7c8cf0bdcab5","name":"Master Account, Ltd. №1","realm":"Master.Example.COM",
		"pvt_type":"account","pvt_api_key":"742db687e108baee2bc7067393451d0b4eeb2f29b2cd0d44607ee6556d8"}`
	bareAccount = `{"_id":"09c766718e5cfdbc70c929dccb4e00fc","pvt_type":"account","name":"世界","realm":""}`
	oddAccount  = `{"_id":"20d27928305e257782655b7896c79f14","pvt_type":"account","name":7,"realm":{},"pvt_api_key":""}`
	user        = `{"_id":"97a0c7b50967fbbe2f9e94f7687fb33f","pvt_type":"user","username":"Alice","enabled":true,
		"pvt_md5_auth":"daf6","pvt_sha1_auth":"29c2","pvt_account_id":"20d27928305e257782655b7896c79f14"}`
	disabledUser = `{"_id":"a","pvt_type":"user","username":"adam","enabled":false,"pvt_md5_auth":"b","pvt_sha1_auth":"c"}`
	deletedUser  = `{"_id":"a","pvt_type":"user","pvt_deleted":true,"username":"adam","enabled":true,
		"pvt_md5_auth":"b","pvt_sha1_auth":"c"}`
	hashlessUser   = `{"_id":"a","pvt_type":"user","username":7,"enabled":true}`
	deletedAccount = `{"_id":"3a583234b29d88662d41c309f3dfa1e1","pvt_type":"account","pvt_deleted":true,"name":"a",
		"realm":"b","pvt_api_key":"c"}`
)

func TestMapFunctions(t *testing.T) {
	t.Parallel()
	const owner = `{"account_id":"0766c6d3a0cf0a0f293e7c8cf0bdcab5"}`
	pool := []string{available, assigned, bare, deleted, otherType, noType}
	const login = `{"owner_id":"97a0c7b50967fbbe2f9e94f7687fb33f","account_id":"20d27928305e257782655b7896c79f14"}`
	users := []string{user, disabledUser, deletedUser, hashlessUser, account, noType}
	accounts := []string{account, bareAccount, oddAccount, deletedAccount, available, noType}
	tests := []struct {
		file, view string
		docs       []string
		want       []string // a row or nothing for each of the documents
	}{
		{"dedicated_ips.json", "available_listing", pool,
			[]string{`["us-east",{"ip":"1.2.3.4","zone":"us-east"}]`, "", "", "", "", ""}},
		{"dedicated_ips.json", "assigned_to_listing", pool,
			[]string{"", `["009afc511c97b2ae693c6cc4920988e8",{"ip":"2001:db8::1","zone":"us-west"}]`, "", "", "", ""}},
		{"dedicated_ips.json", "host_listing", pool,
			[]string{`["proxy1.us-east.myswitch.com",null]`, `["proxy2",null]`, `[null,null]`, "", "", ""}},
		{"dedicated_ips.json", "zone_listing", pool,
			[]string{`["us-east",null]`, `["us-west",null]`, `[null,null]`, "", "", ""}},
		{"dedicated_ips.json", "summary_listing", pool, []string{
			`["proxy1.us-east.myswitch.com",{"ip":"1.2.3.4","zone":"us-east","host":"proxy1.us-east.myswitch.com",` +
				`"status":"available","assigned_to":""}]`,
			`["proxy2",{"ip":"2001:db8::1","zone":"us-west","host":"proxy2","status":"assigned",` +
				`"assigned_to":"009afc511c97b2ae693c6cc4920988e8"}]`,
			`[null,{"ip":"5.6.7.8","assigned_to":""}]`, "", "", ""}},
		{"junctor_dedicated_ips.json", "available", pool, []string{
			`[["us-east","us-east","312e322e332e34"],{"ip":"1.2.3.4","zone":"us-east"}]`, "", "", "", "", ""}},
		{"junctor_dedicated_ips.json", "available", []string{
			`{"_id":"a \u00e9","pvt_type":"dedicated_ip","pvt_status":"available"}`},
			[]string{`[[null,null,"6120c3a9"],{"ip":"a é"}]`}},
		{"junctor_dedicated_ips.json", "names", pool, []string{
			`["zone us-east",null] ["host proxy1.us-east.myswitch.com",null]`,
			`["zone us-west",null] ["host proxy2",null]`, "", "", "", ""}},
		{"junctor_dedicated_ips.json", "names", []string{
			`{"_id":"1.2.3.4","pvt_type":"dedicated_ip","pvt_zone":"\u00adz \u0001","pvt_host":["h"]}`},
			[]string{`["zone %C2%ADz%20%01",null]`}},
		{"junctor_dedicated_ips.json", "by_address", pool,
			[]string{`["00000000000000000000ffff01020304",null]`, `["20010db8000000000000000000000001",null]`,
				`["00000000000000000000ffff05060708",null]`, "", "", ""}},
		{"junctor_accounts.json", "by_api_key", accounts,
			[]string{`["742db687e108baee2bc7067393451d0b4eeb2f29b2cd0d44607ee6556d8",` + owner + `]`, "", "", "", "", ""}},
		{"junctor_accounts.json", "by_realm", accounts,
			[]string{`["master.example.com",` + owner + `]`, "", "", "", "", ""}},
		{"junctor_accounts.json", "by_name", accounts,
			[]string{`["masteraccountltd1",` + owner + `]`, "", "", "", "", ""}},
		{"junctor_account.json", "users_by_md5", users, []string{`["daf6",` + login + `]`, "", "", "", "", ""}},
		{"junctor_account.json", "users_by_sha1", users, []string{`["29c2",` + login + `]`, "", "", "", "", ""}},
	}
	for _, test := range tests {
		t.Run(test.view, func(t *testing.T) {
			t.Parallel()
			v := loadView(t, test.file, test.view)
			for i, doc := range test.docs {
				if got := strings.Join(v.run(t, doc), " "); got != test.want[i] {
					t.Errorf("%s\n got %s\nwant %s", doc, got, test.want[i])
				}
			}
		})
	}
}

// checkAddress compares by_address with netip on any text.
func checkAddress(t testing.TB, v *view, id string) {
	t.Helper()
	doc, err := json.Marshal(map[string]string{"_id": id, "pvt_type": "dedicated_ip"})
	if err != nil {
		t.Fatal(err)
	}
	want := ""
	if addr, err := netip.ParseAddr(id); err == nil && addr.Zone() == "" {
		bytes := addr.As16()
		want = fmt.Sprintf(`["%s",null]`, hex.EncodeToString(bytes[:]))
	}
	if got := strings.Join(v.run(t, string(doc)), " "); got != want {
		t.Errorf("%q emits %s, want %s", id, got, want)
	}
}

func TestByAddressTexts(t *testing.T) {
	t.Parallel()
	v := loadView(t, "junctor_dedicated_ips.json", "by_address")
	for _, id := range []string{
		"0.0.0.0", "255.255.255.255", "::", "::1", "1::", "::ffff:1.2.3.4", "::FFFF:1.2.3.4", "::ffff:102:304",
		"2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8:0:0:0:0:0:1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:1.2.3.4",
		"1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "64:ff9b::1.2.3.4", "::1.2.3.4", "1::2:1.2.3.4",
		"", ":", ":::", "::::", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.04", "1.2.3.", ".1.2.3",
		" 1.2.3.4", "1.2.3.4 ", "1.2.3.4\n", "1.2.3.4/32", "[::1]", "fe80::1%eth0", "1.2.3.4%eth0", ":1.2.3.4",
		"1.2.3.4::", "1.2.3.4:1::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8",
		"1::2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "12345::", "00001::", "g::", "1:::2", ":1::2", "1::2:", "1:", ":1",
		"a host name", "0x7f.1", "١.٢.٣.٤", "::ffff:1.2.3.4.5", "::1.2.3", "1..2", "::-1", "::1.2.3.4:5",
	} {
		checkAddress(t, v, id)
	}
}

func TestByAddressRandom(t *testing.T) {
	t.Parallel()
	v := loadView(t, "junctor_dedicated_ips.json", "by_address")
	r := rand.New(rand.NewPCG(1, 2))
	valid := 0
	for range 4000 {
		id := spelling(r)
		if _, err := netip.ParseAddr(id); err == nil {
			valid++
		}
		checkAddress(t, v, id)
		checkAddress(t, v, damage(r, id))
	}
	if valid < 4000 {
		t.Errorf("only %d of the spellings are addresses", valid)
	}
}

// spelling writes a random address, with many zeros, in a random one of its spellings.
func spelling(r *rand.Rand) string {
	if r.IntN(5) == 0 {
		return fmt.Sprintf("%d.%d.%d.%d", r.IntN(256), r.IntN(256), r.IntN(20), r.IntN(3))
	}
	groups := make([]string, 8)
	for i := range groups {
		if r.IntN(2) == 0 {
			groups[i] = randomGroup(r, r.IntN(0x10000))
		} else {
			groups[i] = randomGroup(r, 0)
		}
	}
	if r.IntN(4) == 0 {
		groups = append(groups[:6], fmt.Sprintf("%d.%d.%d.%d", r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(256)))
	}
	from := r.IntN(6)
	to := from
	for to < 6 && strings.Trim(groups[to], "0") == "" {
		to++
	}
	if to == from || r.IntN(5) == 0 {
		return strings.Join(groups, ":")
	}
	return strings.Join(groups[:from], ":") + "::" + strings.Join(groups[to:], ":")
}

func randomGroup(r *rand.Rand, value int) string {
	text := fmt.Sprintf("%0*x", 1+r.IntN(4), value)
	if r.IntN(2) == 0 {
		return strings.ToUpper(text)
	}
	return text
}

// damage replaces, inserts or removes a character.
func damage(r *rand.Rand, text string) string {
	const alphabet = "019afAFg:.:.% "
	at := r.IntN(len(text))
	with := string(alphabet[r.IntN(len(alphabet))])
	return text[:at] + []string{with, with + text[at:at+1], ""}[r.IntN(3)] + text[at+1:]
}

func FuzzByAddress(f *testing.F) {
	for _, id := range []string{"1.2.3.4", "2001:0DB8::1", "::ffff:1.2.3.4", "1:2:3:4:5:6:7::"} {
		f.Add(id)
	}
	v := loadView(f, "junctor_dedicated_ips.json", "by_address")
	f.Fuzz(func(t *testing.T, id string) { checkAddress(t, v, id) })
}
