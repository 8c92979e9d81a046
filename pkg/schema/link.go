package schema

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"junctor/pkg/document"
)

// maxText bounds the length of a schema, together with those it refers to. Kazoo's own stay far below it.
const maxText = 1 << 20

// linker finds the schemas that one is made of: those within its text, and those that it refers to, there or in other
// texts. Each becomes a node once. References are followed here alone; see node.plain for what the library gets.
type linker struct {
	lookUp func(id string) (document.Document, error)
	texts  map[string]document.Document
	length int
	nodes  []*node
	known  map[place]*node
}

// place is where a schema stands: in the text of an id, at a JSON pointer.
type place struct{ id, pointer string }

// below answers the place of what stands under a name at p.
func (p place) below(name string) place {
	return place{p.id, p.pointer + "/" + escaper.Replace(name)}
}

var (
	escaper   = strings.NewReplacer("~", "~0", "/", "~1")
	unescaper = strings.NewReplacer("~1", "/", "~0", "~")
)

// link answers the schemas that the one of an id is made of, itself first. They are gone through in a row and not one
// within the other, since references may form chains of any length.
func (l *linker) link(id string) ([]*node, error) {
	text, err := l.load(id)
	if err != nil {
		return nil, err
	}
	if _, err := l.add(place{id: id}, map[string]any(text)); err != nil {
		return nil, err
	}
	for i := 0; i < len(l.nodes); i++ {
		if err := l.nodes[i].read(l); err != nil {
			return nil, err
		}
	}
	onPath := map[*node]bool{}
	if slices.ContainsFunc(l.nodes, func(n *node) bool { return n.loops(onPath) }) {
		return nil, errors.New("it applies itself to the same value")
	}
	return l.nodes, nil
}

// load fetches a text, once.
func (l *linker) load(id string) (document.Document, error) {
	if text, ok := l.texts[id]; ok {
		return text, nil
	}
	text, err := l.lookUp(id)
	if err == nil {
		err = checkDraft(text)
	}
	if err != nil {
		return nil, fmt.Errorf("%.100q: %w", id, err)
	}
	if l.length += lengthOf(text); l.length > maxText {
		return nil, fmt.Errorf("it is, with what it refers to, longer than %d bytes", maxText)
	}
	l.texts[id] = text
	return text, nil
}

// checkDraft refuses what is written in another language. Where a text does not say, it is draft 4, as in Kazoo.
func checkDraft(text document.Document) error {
	draft, given := text["$schema"]
	name, _ := draft.(string)
	if given && strings.TrimSuffix(name, "#") != "http://json-schema.org/draft-04/schema" {
		return fmt.Errorf("its $schema is not draft 4, but %.100q", name)
	}
	return nil
}

// lengthOf answers how long a text is, or a part of one.
func lengthOf(text any) int {
	encoded, err := document.Encode(text)
	if err != nil {
		return maxText + 1
	}
	return len(encoded)
}

// add answers the schema that stands at a place.
func (l *linker) add(at place, value any) (*node, error) {
	if n, ok := l.known[at]; ok {
		return n, nil
	}
	text, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("no schema at %.100q of %.100q", at.pointer, at.id)
	}
	n := &node{text: text, place: at, number: len(l.nodes)}
	l.nodes = append(l.nodes, n)
	l.known[at] = n
	return n, nil
}

// refer answers what a reference is to: the id of a text, a fragment that is a pointer, or both. It may look like the
// address of something else, and still is an id.
func (l *linker) refer(from place, ref string) (*node, error) {
	id, fragment, _ := strings.Cut(ref, "#")
	if id == "" {
		id = from.id
	}
	text, err := l.load(id)
	if err != nil {
		return nil, err
	}
	pointer, err := url.PathUnescape(fragment)
	if err != nil {
		return nil, err
	}
	return l.add(place{id, pointer}, pointedAt(map[string]any(text), pointer))
}

// pointedAt answers what a JSON pointer leads to in value, nil where that is nothing.
func pointedAt(value any, pointer string) any {
	if pointer == "" {
		return value
	}
	if !strings.HasPrefix(pointer, "/") {
		return nil
	}
	for name := range strings.SplitSeq(pointer[1:], "/") {
		switch v := value.(type) {
		case map[string]any:
			value = v[unescaper.Replace(name)]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}
