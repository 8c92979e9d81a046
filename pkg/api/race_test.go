package api_test

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"junctor/pkg/api"
	"junctor/pkg/fault"
	"junctor/pkg/projection"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// TestOneWinner: of 500 requests for one address, from two accounts to two servers that share nothing but a CouchDB, one
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
		servers = append(servers, newService(t, s, cached(t, s, time.Minute), func(c *api.Config) { c.MaxRequests = 1000 }))
	}
	servers[0].create("1.2.3.4")
	tokens := map[string]string{"A": servers[0].token("A"), "B": servers[1].token("B")}

	const requests = 500
	answers := make([]answer, requests)
	names := make([]string, requests)
	start := make(chan struct{})
	var done sync.WaitGroup
	for i := range requests {
		name := "AB"[i/2%2 : i/2%2+1]
		names[i] = name
		done.Go(func() {
			<-start
			answers[i] = servers[i%2].send("POST", "/v2/accounts/"+accountIDs[name]+"/ips/1.2.3.4", "",
				"X-Auth-Token", tokens[name])
		})
	}
	close(start)
	done.Wait()

	winner := ""
	for i, a := range answers {
		switch {
		case a.status == 200 && winner == "":
			winner = names[i]
		case a.status == 200:
			t.Errorf("a second winner: %s, after %s", names[i], winner)
		case a.status != 409 && !(a.status == 400 && refused(a)):
			t.Errorf("no clear refusal: %d %s", a.status, a.text)
		}
	}
	if winner == "" {
		t.Fatal("nobody won")
	}
	wantHolder(t, servers[0], "1.2.3.4", accountIDs[winner])
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
	testutil.Eventually(t, "the copy of "+address, func() bool { // a request waits for 2 s at most
		if holder == "" {
			return true
		}
		_, err := sv.store.Get(t.Context(), databaseOf(holder), address)
		return err == nil
	})
	for _, account := range accountIDs {
		held, err := sv.store.Get(t.Context(), databaseOf(account), address)
		switch {
		case account != holder && !fault.Is(err, fault.BadIdentifier):
			t.Errorf("%s has a copy: %v", account, err)
		case account == holder && err != nil:
			t.Errorf("%s has no copy: %v", account, err)
		case account == holder && !projection.SameContent(held, stored):
			t.Errorf("the copy differs: %s\n%s", jsonText(held), jsonText(stored))
		}
	}
}
