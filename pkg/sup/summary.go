package sup

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"junctor/pkg/pooldb"
)

// The widths of Kazoo's columns: IP, Status, Zone, Host, Account. What is longer is cut, but for the IP: half an
// IPv6 address is none, so its column is as wide as the longest.
var widths = [...]int{15, 10, 10, 30, 32}

// undefined is how Kazoo prints what is not there.
const undefined = "undefined"

func summary(ctx context.Context, d Deps, args []string) (string, int) {
	host, named := "", undefined
	if len(args) > 0 {
		host, named = args[0], args[0]
	}
	rows, err := pooldb.Summary(ctx, d.Views, host)
	if err != nil {
		return result(err, "", "Unable to list IPs assigned to host "+strings.ReplaceAll(named, "%", "%%")+": %s", "")
	}
	if len(rows) == 0 {
		return "No IPs found", 0
	}
	return table(rows), 0
}

func table(rows []pooldb.SummaryRow) string {
	w := widths
	for _, row := range rows {
		w[0] = max(w[0], utf8.RuneCountInString(row.IP))
	}
	var b strings.Builder
	rule(&b, w, "-")
	line(&b, w, "IP", "Status", "Zone", "Host", "Account")
	rule(&b, w, "=")
	for _, row := range rows {
		line(&b, w, row.IP, cmp.Or(row.Status, undefined), cmp.Or(row.Zone, undefined), cmp.Or(row.Host, undefined),
			row.AssignedTo)
	}
	rule(&b, w, "-")
	return strings.TrimSuffix(b.String(), "\n")
}

func rule(b *strings.Builder, w [5]int, of string) {
	for _, width := range w {
		b.WriteString("+" + strings.Repeat(of, width+2))
	}
	b.WriteString("+\n")
}

func line(b *strings.Builder, w [5]int, cells ...string) {
	for i, cell := range cells {
		fmt.Fprintf(b, "| %-*.*s ", w[i], w[i], cell)
	}
	b.WriteString("|\n")
}
