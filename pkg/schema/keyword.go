package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// take takes in what stands under a keyword of draft 4. Where schemas have to stand there and do not, it fails; the
// library looks after the rest.
func (n *node) take(l *linker, keyword string, value any) (err error) {
	switch keyword {
	case "properties":
		n.properties, err = n.named(l, keyword, value)
	case "patternProperties":
		err = n.takePatterns(l, value)
	case "dependencies":
		err = n.takeDependencies(l, value)
	case "allOf":
		n.all, err = n.listed(l, keyword, value)
	case "anyOf", "oneOf":
		var choices []*node
		choices, err = n.listed(l, keyword, value)
		n.choices = append(n.choices, choices...)
	case "not":
		var not *node
		not, err = n.one(l, keyword, value)
		n.choices = append(n.choices, not)
	case "additionalProperties":
		n.others, err = n.oneOrBool(l, keyword, value)
	case "additionalItems":
		n.rest, err = n.oneOrBool(l, keyword, value)
	case "items":
		if _, several := value.([]any); several {
			n.items, err = n.listed(l, keyword, value)
		} else {
			n.each, err = n.one(l, keyword, value)
		}
	case "enum":
		n.plain[keyword], n.toll = value, lengthOf(value)/100
		_, err = n.entries(keyword, value)
	case "required":
		if n.plain[keyword] = value; !isPlain(value) {
			return n.wrong(keyword)
		}
		n.required, err = n.entries(keyword, value)
	case "type", "format", "pattern", "uniqueItems", "minLength", "maxLength", "minItems", "maxItems", "minProperties",
		"maxProperties", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf":
		if n.plain[keyword] = value; !isPlain(value) {
			err = n.wrong(keyword)
		}
	}
	return err
}

// entries answers how many there are in a list; too many are refused.
func (n *node) entries(keyword string, value any) (int, error) {
	list, _ := value.([]any)
	if len(list) > maxEntries {
		return 0, fmt.Errorf("%s has more than %d entries at %.100q of %.100q", keyword, maxEntries, n.place.pointer,
			n.place.id)
	}
	return len(list), nil
}

// isPlain reports whether a value has no objects in it, in which the library looks for references wherever they stand.
func isPlain(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		return false
	case []any:
		return !slices.ContainsFunc(v, func(each any) bool { _, ok := each.(string); return !ok })
	}
	return true
}

// reference is how the library is led to a node.
func reference(to *node) map[string]any { return map[string]any{"$ref": to.url()} }

func (n *node) one(l *linker, keyword string, value any) (*node, error) {
	found, err := l.add(n.place.below(keyword), value)
	if err == nil {
		n.plain[keyword] = reference(found)
	}
	return found, err
}

func (n *node) oneOrBool(l *linker, keyword string, value any) (*node, error) {
	if allowed, ok := value.(bool); ok {
		n.plain[keyword] = allowed
		return nil, nil
	}
	return n.one(l, keyword, value)
}

func (n *node) named(l *linker, keyword string, value any) (map[string]*node, error) {
	object, ok := value.(map[string]any)
	if !ok {
		return nil, n.wrong(keyword)
	}
	found, plain := make(map[string]*node, len(object)), make(map[string]any, len(object))
	for name, text := range object {
		each, err := l.add(n.place.below(keyword).below(name), text)
		if err != nil {
			return nil, err
		}
		found[name], plain[name] = each, reference(each)
	}
	n.plain[keyword] = plain
	return found, nil
}

func (n *node) listed(l *linker, keyword string, value any) ([]*node, error) {
	list, ok := value.([]any)
	if !ok {
		return nil, n.wrong(keyword)
	}
	found, plain := make([]*node, 0, len(list)), make([]any, 0, len(list))
	for i, text := range list {
		each, err := l.add(n.place.below(keyword).below(strconv.Itoa(i)), text)
		if err != nil {
			return nil, err
		}
		found, plain = append(found, each), append(plain, reference(each))
	}
	n.plain[keyword] = plain
	return found, nil
}

func (n *node) takePatterns(l *linker, value any) error {
	found, err := n.named(l, "patternProperties", value)
	for text, each := range found {
		compiled, err := regexp.Compile(text)
		if err != nil {
			return err
		}
		n.patterns = append(n.patterns, expression{compiled, each})
	}
	return err
}

// takeDependencies takes schemas, and lists of properties, which are left to the library.
func (n *node) takeDependencies(l *linker, value any) error {
	object, ok := value.(map[string]any)
	if !ok {
		return n.wrong("dependencies")
	}
	plain := make(map[string]any, len(object))
	for name, text := range object {
		if list, ok := text.([]any); ok {
			plain[name] = list
			continue
		}
		each, err := l.add(n.place.below("dependencies").below(name), text)
		if err != nil {
			return err
		}
		n.choices, plain[name] = append(n.choices, each), reference(each)
	}
	n.plain["dependencies"] = plain
	return nil
}
