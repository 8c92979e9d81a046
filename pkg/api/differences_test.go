package api_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// differences is testdata/differences.json: where the product deliberately answers something other than the
// Crossbar that was recorded.
type differences struct {
	rules []*rule
}

// rule is one difference. It holds for the exchanges it names, each with what is answered there instead, and for
// every exchange in which its condition is true.
type rule struct {
	Difference string               `json:"difference"`
	Reason     string               `json:"reason"`
	When       string               `json:"when"`
	Answer     expected             `json:"answer"`
	Exchanges  map[string]*expected `json:"exchanges"`
	used       map[string]bool
}

// conditions are what a rule may ask for by name. They look at the recorded exchange only.
var conditions = map[string]func(exchange) bool{
	"an error has no content-type": func(e exchange) bool {
		return e.Response.Status >= 400 && e.Response.Headers["content-type"] == ""
	},
	"another module is asked": func(e exchange) bool { return otherModule.MatchString(e.Request.Path) },
	"the methods of /v2/ips are listed": func(e exchange) bool {
		return e.Request.Path == "/v2/ips" &&
			e.Response.Headers["access-control-allow-methods"] == "OPTIONS, POST, PUT, GET, DELETE"
	},
	"the methods of /v2/ips/{IP} are listed": func(e exchange) bool {
		return strings.HasPrefix(e.Request.Path, "/v2/ips/") &&
			e.Response.Headers["access-control-allow-methods"] == "OPTIONS, POST, GET, DELETE"
	},
}

// otherModule matches the paths in the recordings that are served by modules of Crossbar that have no place here.
var otherModule = regexp.MustCompile(`^/v2/(accounts/[0-9a-f]{32}(/token_restrictions|/blacklists|/services(/summary)?)?|user_auth/.+)$`)

func readDifferences(t *testing.T) *differences {
	t.Helper()
	text, err := os.ReadFile("testdata/differences.json")
	if err != nil {
		t.Fatal(err)
	}
	d := &differences{}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d.rules); err != nil {
		t.Fatal(err)
	}
	for _, r := range d.rules {
		r.used = map[string]bool{}
		if r.Difference == "" || r.Reason == "" || (r.When == "") == (len(r.Exchanges) == 0) {
			t.Errorf("incomplete: %s", jsonText(r))
		}
		if r.When != "" && conditions[r.When] == nil {
			t.Errorf("unknown condition %q", r.When)
		}
	}
	return d
}

// allUsed checks that every entry of the table was needed.
func (d *differences) allUsed(t *testing.T) {
	t.Helper()
	for _, r := range d.rules {
		if r.When != "" && len(r.used) == 0 {
			t.Errorf("never needed: %s", r.Difference)
		}
		for name := range r.Exchanges {
			if !r.used[name] {
				t.Errorf("not needed: %s of %q", name, r.Difference)
			}
		}
	}
}

// expect returns what has to come back: what was recorded, and over it what the table says. An entry counts as used
// where what was recorded is not what came back.
func (d *differences) expect(e exchange, got answer) expected {
	want := recordedAnswer(e)
	plain := len(want.compare(got)) == 0
	for _, r := range d.rules {
		other, named := r.Exchanges[e.name]
		if r.When != "" && conditions[r.When](e) {
			other, named = &expected{}, true
		}
		if !named {
			continue
		}
		if !plain || other.Documents != nil {
			r.used[e.name] = true
		}
		want = want.with(r.Answer).with(*other)
	}
	return want
}
