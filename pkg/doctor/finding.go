package doctor

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"junctor/pkg/fault"
	"junctor/pkg/projection"
)

func fine(format string, values ...any) Finding {
	return Finding{State: OK, Found: fmt.Sprintf(format, values...)}
}

func warning(found, remedy string) Finding {
	return Finding{State: Warning, Found: found, Remedy: remedy}
}

func broken(found, remedy string) Finding {
	return Finding{State: Broken, Found: found, Remedy: remedy}
}

// failed is a check that could not be made.
func failed(err error) Finding {
	return broken("the store did not respond: "+reason(err), "see the log of CouchDB")
}

// reason returns the text of an error without the kind that a fault puts before it.
func reason(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Message == "" && f.Err != nil {
		return f.Err.Error()
	}
	return err.Error()
}

// sum combines findings into one that has the worst state of them. Without findings it returns otherwise.
func sum(found []Finding, otherwise Finding) (whole Finding) {
	if len(found) == 0 {
		return otherwise
	}
	var texts, remedies []string
	for _, f := range found {
		whole.State = worse(whole.State, f.State)
		texts = append(texts, f.Found)
		if !slices.Contains(remedies, f.Remedy) {
			remedies = append(remedies, f.Remedy)
		}
	}
	whole.Found, whole.Remedy = strings.Join(texts, "; "), strings.Join(remedies, "; ")
	return whole
}

// named returns a sample as text: what, how many, and the first few.
func named(t projection.Sample, what string) string {
	more := ""
	if t.Count > len(t.First) {
		more = ", …"
	}
	return fmt.Sprintf("%s (%d): %s%s", what, t.Count, strings.Join(t.First, ", "), more)
}
