package account_test

import (
	"regexp"
	"testing"

	"junctor/pkg/account"
	"junctor/pkg/fault"
)

func TestDatabase(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		accountM:                            "account/07/66/c6d3a0cf0a0f293e7c8cf0bdcab5",
		"zz$_()+-zzzzzzzzzzzzzzzzzzzzzzzz":  "account/zz/$_/()+-zzzzzzzzzzzzzzzzzzzzzzzz",
		"":                                  "",
		accountM[1:]:                        "",
		accountM + "0":                      "",
		"20D27928305E257782655B7896C79F14":  "",
		"../../../../../../system_config/a": "",
		"0766c6d3a0cf0a0f293e7c8cf0bdca/5":  "",
		"0766c6d3a0cf0a0f293e7c8cf0bdc%2f":  "",
		"0766c6d3a0cf0a0f293e7c8cf0bdc é":   "",
	} {
		got, err := account.Database(id)
		if got != want || (want == "") != fault.Is(err, fault.BadIdentifier) {
			t.Errorf("Database(%q) = %q, %v, want %q", id, got, err, want)
		}
	}
}

// legalName is CouchDB's rule for the name of a database.
var legalName = regexp.MustCompile(`^[a-z][a-z0-9_$()+/-]*$`)

func FuzzDatabaseName(f *testing.F) {
	f.Add(accountM, accountA)
	f.Add("20D27928305E257782655B7896C79F14", "20d27928305e257782655b7896c79f14")
	f.Add("aa/bbcccccccccccccccccccccccccccc", "aabb/cccccccccccccccccccccccccccc")
	f.Fuzz(func(t *testing.T, a, b string) {
		nameA, errA := account.Database(a)
		nameB, errB := account.Database(b)
		if errA == nil && !legalName.MatchString(nameA) {
			t.Errorf("Database(%q) = %q, which CouchDB refuses", a, nameA)
		}
		if errA == nil && errB == nil && (nameA == nameB) != (a == b) {
			t.Errorf("accounts %q and %q have databases %q and %q", a, b, nameA, nameB)
		}
		if errA != nil && !fault.Is(errA, fault.BadIdentifier) {
			t.Errorf("Database(%q): %v", a, errA)
		}
	})
}
