package schema

import (
	"fmt"

	"junctor/pkg/fault"
)

// maxValues bounds how many values, nested ones counted, are looked at in one go. The library collects what is
// wrong with each of them before it answers, some 2 KB a piece, so that a body within the limits of HTTP could
// make gigabytes of findings.
const maxValues = 20000

// checkSize refuses a value of too many parts, in the way Crossbar refuses a body of too many bytes.
func checkSize(value any) error {
	if left(maxValues, value) >= 0 {
		return nil
	}
	message := fmt.Sprintf("Data must not have more than %d values", maxValues)
	return fault.Finding("", "maxSize", message, map[string]any{"target": maxValues})
}

// left answers what is left of a budget of values after value, which is negative if it did not suffice.
func left(budget int, value any) int {
	budget--
	switch v := value.(type) {
	case map[string]any:
		for _, nested := range v {
			if budget < 0 {
				break
			}
			budget = left(budget, nested)
		}
	case []any:
		for i := 0; i < len(v) && budget >= 0; i++ {
			budget = left(budget, v[i])
		}
	}
	return budget
}
