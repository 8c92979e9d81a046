package schema

import (
	"fmt"
	"regexp"
	"strconv"
)

// node is one schema, with those it applies to a value and to what is in it. The library has the same and does not
// show it.
type node struct {
	text   map[string]any
	place  place
	number int

	ref        *node   // another one that stands for it; whatever else it says is void
	choices    []*node // what else speaks of the same value, perhaps: anyOf, oneOf, not, dependencies
	all        []*node // allOf
	properties map[string]*node
	patterns   []expression
	others     *node   // additionalProperties
	each       *node   // items, where it is one for all
	items      []*node // items, where they are by position
	rest       *node   // additionalItems
	required   int     // how many keys an object has to have: each may become a finding
	toll       int     // steps for each value by the length of enum: it stands in each finding

	// plain is what the library gets. It has references to other nodes where they apply, and of the text what the
	// library knows and nothing else: neither references nor ids that could lead it anywhere else.
	plain map[string]any
}

// expression is an entry of patternProperties.
type expression struct {
	*regexp.Regexp
	node *node
}

// url answers how a node is known to the library.
func (n *node) url() string { return bundle + "#/nodes/" + strconv.Itoa(n.number) }

// around answers what speaks of the same value as n.
func (n *node) around() []*node {
	if n.ref != nil {
		return []*node{n.ref}
	}
	return append(n.all[:len(n.all):len(n.all)], n.choices...)
}

// under answers what n says of the value under a key of an object.
func (n *node) under(key string) []*node {
	var found []*node
	if property := n.properties[key]; property != nil {
		found = append(found, property)
	}
	for _, p := range n.patterns {
		if p.MatchString(key) {
			found = append(found, p.node)
		}
	}
	if len(found) == 0 && n.others != nil {
		found = append(found, n.others)
	}
	return found
}

// at answers what n says of the i-th value of a list, nil where that is nothing.
func (n *node) at(i int) *node {
	switch {
	case n.items == nil:
		return n.each
	case i < len(n.items):
		return n.items[i]
	}
	return n.rest
}

// loops reports whether n, or one that speaks of the same value, leads back to itself. The library would go round for
// ever. onPath has what is known: whether a node is on the way that led here.
func (n *node) loops(onPath map[*node]bool) bool {
	if on, known := onPath[n]; known {
		return on
	}
	onPath[n] = true
	for _, next := range n.around() {
		if next.loops(onPath) {
			return true
		}
	}
	onPath[n] = false
	return false
}

// read takes in what the text says.
func (n *node) read(l *linker) (err error) {
	n.plain = map[string]any{}
	if ref, ok := n.text["$ref"]; ok {
		text, ok := ref.(string)
		if !ok {
			return n.wrong("$ref")
		}
		if n.ref, err = l.refer(n.place, text); err == nil {
			n.plain = reference(n.ref)
		}
		return err
	}
	for keyword, value := range n.text {
		if err := n.take(l, keyword, value); err != nil {
			return err
		}
	}
	return nil
}

// wrong says that what stands under a keyword is not what has to stand there.
func (n *node) wrong(keyword string) error {
	return fmt.Errorf("wrong %s at %.100q of %.100q", keyword, n.place.pointer, n.place.id)
}
