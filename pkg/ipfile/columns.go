package ipfile

import (
	"slices"
	"strings"

	"junctor/pkg/ipbatch"
)

// Columns are found by their names, of which only letters count: "IP Address", "ip_address" and "ipAddress" are one. These
// are our own names and those of the exports of
//   - NetBox (netbox/ipam/tables/ip.py, the labels of the table; in older versions the names of the fields): Address or IP
//     Address, DNS Name, Description, Comments. An address has the prefix length of its network. Custom fields have their
//     own names, with cf_ in files for NetBox's own import.
//   - phpIPAM (app/admin/import-export/export-ipaddr.php, app/subnets/addresses/export-subnet.php): IP Address, Hostname,
//     Description, Note.
//
// Neither has a zone, unless as a custom field.
var (
	namesOfIP      = []string{"ip"} // an address, a network or a range
	namesOfAddress = []string{"address", "ipaddress", "ipaddr"}
	namesOfCIDR    = []string{"cidr"}
	namesOfRange   = []string{"range"}
	namesOfZone    = []string{"zone", "cfzone"}
	namesOfHost    = []string{"host", "cfhost", "dnsname", "hostname"}
	namesOfNotes   = []string{"notes", "cfnotes", "description", "note", "comments"} // all that are there
)

// columns has the index of each column of a CSV file, -1 for those that the file does not have.
type columns struct {
	ip, address, cidr, ranges, zone, host int
	notes                                 []int
	width                                 int // columns of the file
}

// ownColumns are those of a file without a header.
var ownColumns = columns{ip: 0, address: -1, cidr: -1, ranges: -1, zone: 1, host: 2, notes: []int{3}, width: 4}

// findColumns finds the columns by a header. ok is false if record is not a header.
func findColumns(record []string) (c columns, ok bool) {
	names := make([]string, len(record))
	for i, cell := range record {
		names[i] = plainName(cell)
	}
	find := func(known []string) int {
		for _, name := range known {
			if i := slices.Index(names, name); i >= 0 {
				return i
			}
		}
		return -1
	}
	c = columns{
		ip: find(namesOfIP), address: find(namesOfAddress), cidr: find(namesOfCIDR), ranges: find(namesOfRange),
		zone: find(namesOfZone), host: find(namesOfHost), width: len(record),
	}
	for _, name := range namesOfNotes {
		if i := slices.Index(names, name); i >= 0 {
			c.notes = append(c.notes, i)
		}
	}
	return c, c.ip >= 0 || c.address >= 0 || c.cidr >= 0 || c.ranges >= 0
}

// plainName returns the letters of a column's name in lower case.
func plainName(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(text))
}

// row returns the row of a record.
func (c columns) row(record []string) (row Row) {
	cell := func(i int) string {
		if i < 0 || i >= len(record) {
			return ""
		}
		return strings.TrimSpace(record[i])
	}
	row.CIDR, row.Range, row.Zone, row.Host = cell(c.cidr), cell(c.ranges), cell(c.zone), cell(c.host)
	if row.IP, _, _ = strings.Cut(cell(c.address), "/"); row.IP == "" {
		setIP(&row.Entry, cell(c.ip))
	}
	var notes []string
	for _, i := range c.notes {
		if text := cell(i); text != "" && !slices.Contains(notes, text) {
			notes = append(notes, text)
		}
	}
	row.Notes = strings.Join(notes, "; ")
	return row
}

// beyond reports whether a record has text after the last column, as a text with a separator has without quotation marks.
func (c columns) beyond(record []string) bool {
	return len(record) > c.width && slices.ContainsFunc(record[c.width:], func(cell string) bool {
		return strings.TrimSpace(cell) != ""
	})
}

// setIP sets what a column or field named ip holds.
func setIP(e *ipbatch.Entry, text string) {
	e.IP = ""
	switch {
	case strings.Contains(text, "/"):
		e.CIDR = text
	case strings.Contains(text, "-"):
		e.Range = text
	default:
		e.IP = text
	}
}

// isData reports whether the first cell of a record is an address, a network or a range.
func isData(record []string) bool {
	e := ipbatch.Entry{All: true}
	setIP(&e, strings.TrimSpace(record[0]))
	_, err := e.Block()
	return err == nil
}
