package ipfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"junctor/pkg/ipbatch"
	"junctor/pkg/ipfile"
	"junctor/pkg/testutil"
)

type entry = ipbatch.Entry

func readAll(t *testing.T, r io.Reader, o ipfile.Options) (rows []ipfile.Row, err error) {
	t.Helper()
	reader, err := ipfile.NewReader(r, o)
	if err != nil {
		return nil, err
	}
	for {
		row, err := reader.Read()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	full := ipfile.Row{Number: 1, Entry: entry{IP: "192.0.2.1", Zone: "z", Host: "h", Notes: "n"}}
	at := func(number int, r ipfile.Row) ipfile.Row { r.Number = number; return r }
	tests := map[string]struct {
		text string
		want []ipfile.Row
	}{
		"no header":       {"192.0.2.1,z,h,n\n192.0.2.1,z,h,n", []ipfile.Row{full, at(2, full)}},
		"header":          {"ip,zone,host,notes\r\n192.0.2.1,z,h,n\r\n", []ipfile.Row{at(2, full)}},
		"another order":   {"Notes , HOST,Zone,IP\nn,h,z, 192.0.2.1 ", []ipfile.Row{at(2, full)}},
		"byte order mark": {"\xef\xbb\xbfip;zone;host;notes\n192.0.2.1;z;h;n", []ipfile.Row{at(2, full)}},
		"tabs":            {"192.0.2.1\tz\th\tn", []ipfile.Row{full}},
		"address only":    {"192.0.2.1", []ipfile.Row{{1, entry{IP: "192.0.2.1"}}}},
		"header only":     {"ip,zone,host,notes\n", nil},
		"empty lines and cells": {"\nip,zone,host\n\n,,\n192.0.2.1,z,h\n,,,\n",
			[]ipfile.Row{{5, entry{IP: "192.0.2.1", Zone: "z", Host: "h"}}}},
		"more columns": {"ip,zone,host,notes,status,assigned_to\n192.0.2.1,z,h,n,available,",
			[]ipfile.Row{at(2, full)}},
		"a line within quotes": {"192.0.2.1,z,h,\"a,\nb\"\n::1,z,h",
			[]ipfile.Row{{1, entry{IP: "192.0.2.1", Zone: "z", Host: "h", Notes: "a,\nb"}},
				{3, entry{IP: "::1", Zone: "z", Host: "h"}}}},
		"not an address": {"192.0.2.1,z,h\nnonsense",
			[]ipfile.Row{{1, entry{IP: "192.0.2.1", Zone: "z", Host: "h"}},
				{2, entry{IP: "nonsense"}}}},
		"networks and ranges": {"192.0.2.0/24\n192.0.2.1-192.0.2.9",
			[]ipfile.Row{{1, entry{CIDR: "192.0.2.0/24"}},
				{2, entry{Range: "192.0.2.1-192.0.2.9"}}}},
		"columns of these": {"cidr,range\n192.0.2.0/24,\n,192.0.2.1-192.0.2.9",
			[]ipfile.Row{{2, entry{CIDR: "192.0.2.0/24"}},
				{3, entry{Range: "192.0.2.1-192.0.2.9"}}}},
		"JSON": {`[{"ip":"192.0.2.1","zone":"z","host":"h","notes":"n","status":"assigned"}]`,
			[]ipfile.Row{full}},
		"JSON of networks": {` [{"cidr":"192.0.2.0/24","all":true},{"range":"::1-::2"},{"ip":"::/64"}]`,
			[]ipfile.Row{{1, entry{CIDR: "192.0.2.0/24", All: true}},
				{2, entry{Range: "::1-::2"}},
				{3, entry{CIDR: "::/64"}}}},
		"empty JSON": {"[]", nil},
		// The columns of NetBox 4: the labels of the table of addresses, "All data".
		"NetBox": {"ID,Address,VRF,Status,Role,Tenant Group,Tenant,NAT (Inside),NAT (Outside),Assigned,Parent,DNS name,Description,Comments,Tags,zone\n" +
			"7,192.0.2.1/24,,Active,VIP,,,,,True,eth0,h,n,,,z\n", []ipfile.Row{at(2, full)}},
		"NetBox, older": {"address,vrf,tenant,status,role,device,virtual_machine,interface,is_primary,dns_name,description,cf_zone\n" +
			"2001:db8::1/64,,,active,,,,,,h,n,z\n", []ipfile.Row{{2, entry{IP: "2001:db8::1", Zone: "z", Host: "h", Notes: "n"}}}},
		"phpIPAM": {"Section,IP Address,Hostname,Description,VRF,Subnet,MAC,Owner,Device,Note,Tag,Gateway,zone\n" +
			"Customers,192.0.2.1,h,n,default,192.0.2.0/24,,,,more,Used,No,z\n", []ipfile.Row{{2, entry{IP: "192.0.2.1", Zone: "z", Host: "h", Notes: "n; more"}}}},
		"phpIPAM, a subnet": {"Proxies,,\n192.0.2.0/24,,\n,,\n\nip address,ip state,description,hostname,fw object,mac,owner,device,port,note,location\n" +
			"192.0.2.1,Used,n,h,,,,0,,,\n", []ipfile.Row{{6, entry{IP: "192.0.2.1", Host: "h", Notes: "n"}}}},
	}
	for name, test := range tests {
		for way, r := range map[string]io.Reader{
			"at once": strings.NewReader(test.text), "byte by byte": iotest.OneByteReader(strings.NewReader(test.text)),
		} {
			if got, err := readAll(t, r, ipfile.Options{}); err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("%s, %s:\ngot  %+v, %v\nwant %+v", name, way, got, err, test.want)
			}
		}
	}
}

// TestDefaults: a row that has no zone or host has the default.
func TestDefaults(t *testing.T) {
	t.Parallel()
	o := ipfile.Options{Zone: "Z", Host: "H"}
	for name, text := range map[string]string{
		"CSV": "ip,zone,host\n::1,z,\n::1,,h", "JSON": `[{"ip":"::1","zone":"z"},{"ip":"::1","host":"h"}]`,
	} {
		got, err := readAll(t, strings.NewReader(text), o)
		if err != nil || len(got) != 2 || got[0].Zone+got[0].Host+got[1].Zone+got[1].Host != "zHZh" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestReadErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"empty":         {"", "the file is empty"},
		"blank":         {"\n \n", "the file is empty"},
		"no addresses":  {"name,colour\na,b", `line 1 is neither a header with a column "ip" nor begins with an address`},
		"a spreadsheet": {"PK\x03\x04rest", "save it as CSV"},
		"an older one":  {"\xd0\xcf\x11\xe0rest", "save it as CSV"},
		"Latin-1":       {"::1,z,h\n::2,z,h,Z\xfcrich", "line 2 is not UTF-8"},
		"a quote":       {"::1,z,h\n::2,\"z\"x,h", "line 2"},
		"no end":        {"::1,z,h\n::2,\"" + strings.Repeat("x\n", 1<<20), "longer than"},
		"JSON cut off":  {`[{"ip":"::1"},{"ip":`, "element 2: unexpected EOF"},
		"JSON no list":  {`{"ip":"::1"}`, "the file does not have a list of addresses"},
		"JSON twice":    {`[{"ip":"::1"}][{"ip":"::2"}]`, "the file goes on after its list of addresses"},
		"JSON and text": {`[{"ip":"::1"}] more`, "the file goes on after its list of addresses"},
		"JSON halved":   {`[{"ip":"::1"}`, "element 1: unexpected EOF"},
		"JSON long":     {`[{"ip":"::1","notes":"` + strings.Repeat("x", 1<<20) + `"}]`, "longer than"},
	}
	for name, test := range tests {
		if got, err := readAll(t, strings.NewReader(test.text), ipfile.Options{}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %+v, %v, want %s", name, got, err, test.want)
		}
	}
	broken := io.MultiReader(strings.NewReader("::1,z,h\n"), iotest.ErrReader(errors.New("the disk is broken")))
	if _, err := readAll(t, broken, ipfile.Options{}); err == nil || !strings.Contains(err.Error(), "the disk is broken") {
		t.Errorf("a broken disk: %v", err)
	}
}

// TestRowErrors: a row that is wrong by itself is reported, and the rows after it are read.
func TestRowErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"columns":    {"ip,zone,host,notes\n::1,z,h,a, b\n::2,z,h,,\n", "row 2 ::1: it has 5 columns in place of 4: a text with ',' in it needs quotation marks"},
		"no header":  {"::1;z;h;n;more\n::2;z;h\n", "row 1 ::1: it has 5 columns in place of 4: a text with ';' in it needs quotation marks"},
		"a number":   {`[{"ip":"::1","zone":5},{"ip":"::2"}]`, "row 1 ::1: zone: Value did not match type(s): string"},
		"a boolean":  {`[{"cidr":"::1/128","all":"no"},{"ip":"::2"}]`, "row 1 ::1/128: all: Value did not match type(s): boolean"},
		"no object":  {`["::1",{"ip":"::2"}]`, "row 1 : Value did not match type(s): object"},
		"the last":   {`[{"ip":"::2"},{"ip":5}]`, "row 2 : ip: Value did not match type(s): string"},
		"no address": {`[{"ip":"::2"},{"ip":{"a":"b"},"zone":"z"}]`, "row 2 : ip: Value did not match type(s): string"},
	}
	for name, test := range tests {
		reader, err := ipfile.NewReader(strings.NewReader(test.text), ipfile.Options{})
		testutil.OK(t, err)
		var found, read []string
		for err != io.EOF {
			var row ipfile.Row
			row, err = reader.Read()
			if wrong, ok := errors.AsType[*ipfile.RowError](err); ok {
				found = append(found, fmt.Sprintf("row %d %s: %s", wrong.Row.Number, wrong.Row.Text(), wrong.Message))
			} else if err == nil {
				read = append(read, row.IP)
			} else if err != io.EOF {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if fmt.Sprint(found, read) != fmt.Sprint([]string{test.want}, []string{"::2"}) {
			t.Errorf("%s: found %q, read %q, want %q", name, found, read, test.want)
		}
	}
}

// TestWrite: what is written is read.
func TestWrite(t *testing.T) {
	t.Parallel()
	addresses := []ipfile.Address{
		{IP: "192.0.2.1", Zone: "z", Host: "h", Notes: "a \"b\",\nc;", Status: "assigned", AssignedTo: "account"},
		{IP: "2001:db8::1", Zone: "ü", Host: "h2", Status: "available"},
	}
	for _, format := range ipfile.Formats {
		var text bytes.Buffer
		w, err := ipfile.NewWriter(&text, format)
		testutil.OK(t, err)
		for _, a := range addresses {
			testutil.OK(t, w.Write(a))
		}
		testutil.OK(t, w.Close())
		rows, err := readAll(t, &text, ipfile.Options{})
		if err != nil || len(rows) != len(addresses) {
			t.Fatalf("%s: %+v, %v", format, rows, err)
		}
		for i, a := range addresses {
			if r := rows[i]; r.IP != a.IP || r.Zone != a.Zone || r.Host != a.Host || r.Notes != a.Notes {
				t.Errorf("%s: got %+v, want %+v", format, r, a)
			}
		}
	}
}

// FuzzRead: whatever a file holds, reading it ends, without a panic.
func FuzzRead(f *testing.F) {
	f.Add([]byte("ip,zone,host,notes\n192.0.2.1,z,h,n\n"))
	f.Add([]byte("192.0.2.0/24;z;h\n"))
	f.Add([]byte(`[{"ip":"::1"}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		rows, _ := readAll(t, bytes.NewReader(text), ipfile.Options{})
		if len(rows) > len(text) {
			t.Errorf("%d rows of %d bytes", len(rows), len(text))
		}
	})
}
