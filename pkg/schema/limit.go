package schema

import (
	"fmt"

	"junctor/pkg/fault"
)

// maxValues bounds how many values, nested ones counted, are looked at in one go. The library collects what is
// wrong with each of them before it answers, some 2 KB a piece, so that a body within the limits of HTTP could
// make gigabytes of findings.
const maxValues = 20000

// The bounds on how many schemas are applied to a value and what is in it, and on how deep in each other. A schema can
// make either grow with the power of the depth of a value, where several ways lead from it to itself.
const (
	maxSteps = 100_000
	maxDepth = 10_000
)

// maxEntries bounds the lists of enum and required, in which the library compares each entry with each other.
const maxEntries = 5000

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

// checkSteps refuses a value that the library would apply too many schemas to.
func (s *Schema) checkSteps(value any) error {
	w := walk{steps: maxSteps}
	if w.visit(s.root, value, 0); w.steps < 0 {
		return errTooManySteps()
	}
	return nil
}

func errTooManySteps() error {
	return fault.Finding("", "maxSize", "Data takes too many steps to check", map[string]any{"target": maxSteps})
}

// walk goes the way of the library through a value, or a longer one: choices are not made.
type walk struct{ steps int }

func (w *walk) visit(n *node, value any, depth int) {
	if w.steps -= 1 + n.toll; w.steps < 0 || depth > maxDepth {
		w.steps = -1
		return
	}
	for _, each := range n.around() {
		w.visit(each, value, depth+1)
	}
	if n.ref != nil {
		return
	}
	switch v := value.(type) {
	case map[string]any:
		// For each key the library compiles every expression, and goes through all properties.
		w.steps -= len(v)*(len(n.patterns)+len(n.properties)/100) + n.required
		for key, nested := range v {
			for _, each := range n.under(key) {
				w.visit(each, nested, depth+1)
			}
		}
	case []any:
		for i, nested := range v {
			if each := n.at(i); each != nil {
				w.visit(each, nested, depth+1)
			}
		}
	}
}
