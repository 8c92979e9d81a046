package api_test

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"junctor/pkg/fault"
	"junctor/pkg/projection"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// TestOneWinner: of 100 requests for one address, from two accounts to two servers that share nothing but a CouchDB, one
// is told that it won, all others why not, and the documents agree with what was told.
func TestOneWinner(t *testing.T) {
	t.Parallel()
	dsn := storetest.FreshCouch(t)
	var servers []*service
	for range 2 {
		s := storetest.Open(t, dsn)
		if len(servers) == 0 {
			loadKazoo(t, s)
		}
		servers = append(servers, newService(t, s, cached(t, s, time.Minute)))
	}
	tokens := map[string]string{"A": servers[0].token("A"), "B": servers[1].token("B")}
	round := 0
	testutil.Eventually(t, "a race without a timeout", func() bool { // of which there are some on a busy machine
		round++
		address := "1.2.3." + itoa(round)
		made := servers[0].as("M", "PUT", "/v2/ips", `{"data":{"ip":"`+address+`","zone":"z","host":"h"}}`)
		if made.status != 201 {
			return false
		}
		winner, timeouts := raceFor(t, servers, tokens, address)
		if timeouts == 0 {
			wantHolder(t, servers[0], address, accountIDs[winner])
		}
		return timeouts == 0
	})
}

// raceFor lets requests race for an address. It returns whose has won, and how many were not decided in time.
func raceFor(t *testing.T, servers []*service, tokens map[string]string, address string) (winner string, timeouts int) {
	t.Helper()
	const requests = 100
	answers := make([]answer, requests)
	names := make([]string, requests)
	start := make(chan struct{})
	var done sync.WaitGroup
	for i := range requests {
		name := "AB"[i/2%2 : i/2%2+1]
		names[i] = name
		done.Go(func() {
			<-start
			answers[i] = servers[i%2].send("POST", "/v2/accounts/"+accountIDs[name]+"/ips/"+address, "",
				"X-Auth-Token", tokens[name])
		})
	}
	close(start)
	done.Wait()
	for i, a := range answers {
		switch {
		case a.status == 200 && winner == "":
			winner = names[i]
		case a.status == 200:
			t.Errorf("a second winner: %s, after %s", names[i], winner)
		case a.status == 503:
			timeouts++
		case a.status != 409 && !(a.status == 400 && refused(a)):
			t.Errorf("no clear refusal: %d %s", a.status, a.text)
		}
	}
	if winner == "" && timeouts == 0 {
		t.Error("nobody won")
	}
	return winner, timeouts
}

// refused reports whether an answer says who has the address.
func refused(a answer) bool {
	var data map[string]map[string]struct{ Message string }
	_ = json.Unmarshal([]byte(jsonText(a.data())), &data)
	entry := data["ips%2E0"]
	return entry["superfluous"].Message == "ip already assigned" ||
		entry["forbidden"].Message == "ip assigned to another account"
}

// wantHolder checks that an account holds an address, and that its copy, and no other, says so too.
func wantHolder(t *testing.T, sv *service, address, holder string) {
	t.Helper()
	stored, err := sv.store.Get(t.Context(), "dedicated_ips", address)
	if err != nil {
		t.Fatal(err)
	}
	if got := stored.String("pvt_assigned_to"); got != holder {
		t.Errorf("held by %s, but %s was told so", got, holder)
	}
	for _, account := range accountIDs {
		testutil.Eventually(t, "the copy of "+address, func() bool { // a request waits for 2 s at most
			held, err := sv.store.Get(t.Context(), databaseOf(account), address)
			if account != holder {
				return fault.Is(err, fault.BadIdentifier)
			}
			return err == nil && projection.SameContent(held, stored)
		}, account, jsonText(stored))
	}
}
