package doctor

import (
	"context"
	"fmt"

	"junctor/pkg/fault"
	"junctor/pkg/projection"
)

// ofSurvey is a check of what the survey found. If the pool could not be read, it says so.
func ofSurvey(look func(*examination) Finding) func(*examination, context.Context) Finding {
	return func(e *examination, _ context.Context) Finding {
		switch {
		case e.surveyErr == nil:
			return look(e)
		case fault.Is(e.surveyErr, fault.DatastoreMissing):
			return fine("there is no pool yet")
		}
		return failed(e.surveyErr)
	}
}

func (e *examination) addresses() Finding {
	if odd := e.survey.NotAddresses; odd.Count > 0 {
		return warning(named(odd, "not IP addresses"),
			"\"junctor sup kazoo_ips_maintenance delete TEXT\" removes them; junctor does not list them")
	}
	return fine("%d in the pool", e.survey.Addresses)
}

func (e *examination) spellings() Finding {
	const remedy = "delete all spellings but one: \"junctor sup kazoo_ips_maintenance delete ADDRESS\""
	switch double, contested := e.survey.Spelled, e.survey.Contested; {
	case contested.Count > 0:
		return broken(named(contested, "in several spellings, held by several accounts"), remedy)
	case double.Count > 0:
		return warning(named(double, "in several spellings"), remedy)
	}
	return fine("every address is stored once")
}

func (e *examination) conflicts() Finding {
	if found := e.survey.Conflicts; found.Count > 0 {
		return warning(named(found, "with losing revisions"),
			"check which account should hold them: when junctor next reads one, the winning revision stays, and the others are removed")
	}
	return fine("none")
}

func (e *examination) holders() Finding {
	var found []Finding
	const remedy = "\"junctor sup kazoo_ips_maintenance release ADDRESS\" makes them available again"
	if gone := e.survey.Abandoned; gone.Count > 0 {
		found = append(found, warning(named(gone, "held by accounts that do not exist"), remedy))
	}
	if nobodys := e.survey.Nobodys; nobodys.Count > 0 {
		found = append(found, warning(named(nobodys, "assigned without an account"), remedy))
	}
	return sum(found, fine("all exist"))
}

func (e *examination) copies() Finding {
	var found []Finding
	for _, kind := range []struct {
		tally projection.Sample
		what  string
	}{
		{e.survey.Missing, "missing"}, {e.survey.Stale, "stale"}, {e.survey.LeftOver, "left over"},
	} {
		if kind.tally.Count > 0 {
			found = append(found, warning(named(kind.tally, kind.what), "nothing: junctor repairs them when it serves, "+
				"and bills change with it, as Kazoo 4.3 counts the copies"))
		}
	}
	looked := fmt.Sprintf("examined %s", plural(e.survey.Accounts, "account"))
	if !e.survey.All {
		looked += ", and there are more"
	}
	whole := sum(found, fine("equal to the pool"))
	whole.Found += " (" + looked + ")"
	return whole
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
