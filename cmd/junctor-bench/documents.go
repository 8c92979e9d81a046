package main

import (
	"fmt"

	"junctor/pkg/document"
)

// The shape of a pool. It does not depend on the number of addresses, so that listings are equally long in all.
const (
	zones        = 5
	hosts        = 50
	heldEach     = 25  // addresses of an account that has some
	mostAccounts = 100 // that have some
	most         = 1 << 24
)

// written is when the documents say they were, in Gregorian seconds.
const written = 63_900_000_000

// address is the address of a number.
func address(n int) string { return fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255) }

// available is the document of an address that nobody has, as the product writes it.
func available(n int) document.Document {
	zone := fmt.Sprintf("zone-%d", n%zones)
	return document.Document{
		"_id": address(n), "pvt_vsn": "1", "pvt_type": "dedicated_ip", "pvt_status": "available",
		"pvt_zone": zone, "pvt_host": fmt.Sprintf("proxy%d.%s.example.com", n%hosts, zone),
		"pvt_created": document.Number(written), "pvt_modified": document.Number(written),
	}
}

// assigned is the document of an address that an account has, in the pool and in the account's own database.
func assigned(n int, account string) document.Document {
	doc := available(n)
	doc["pvt_status"], doc["pvt_assigned_to"] = "assigned", account
	return doc
}

// addressesEach is how many addresses a routing cluster has: two in each of three zones, in both directions.
const addressesEach = 12

// routingCluster is the document of a routing cluster.
func routingCluster(n int) document.Document {
	ips := map[string]any{}
	for d, direction := range []string{"inbound", "outbound"} {
		byZone := map[string]any{}
		for z, zone := range []string{"central", "east", "west"} {
			first := addressesEach*n + 6*d + 2*z
			byZone[zone] = []any{address(first), address(first + 1)}
		}
		ips[direction] = byZone
	}
	return document.Document{
		"_id": fmt.Sprintf("%032x", n), "pvt_type": "customer_cluster", "owner": "owner",
		"name": fmt.Sprintf("cluster %d", n), "ips": ips, "randomize_routing": false,
	}
}
