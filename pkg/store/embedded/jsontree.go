package embedded

import (
	"strconv"
	"strings"

	"github.com/dop251/goja"
)

// jsonTree is a parsed JSON value. It belongs to no runtime: each one makes copies of its own.
type jsonTree struct {
	kind      kind
	primitive any        // a string, a number, a truth value or nil
	names     []string   // of an object's members
	parts     []jsonTree // members or elements
}

type kind uint8

const (
	kindPrimitive kind = iota
	kindArray
	kindObject
)

// in returns what JSON.parse would return in a runtime. Values of one runtime are never used in another: goja does not
// promise that this is safe.
func (p *jsonTree) in(vm *goja.Runtime) goja.Value {
	switch {
	case p.kind == kindPrimitive && p.primitive == nil:
		return goja.Null()
	case p.kind == kindPrimitive:
		return vm.ToValue(p.primitive)
	case p.kind == kindArray:
		elements := make([]any, len(p.parts))
		for i := range p.parts {
			elements[i] = p.parts[i].in(vm)
		}
		return vm.NewArray(elements...)
	}
	object := vm.NewObject()
	for i, name := range p.names {
		if part := &p.parts[i]; len(part.parts) > 0 {
			part.lazily(vm, object, name)
		} else {
			define(object, name, part.in(vm))
		}
	}
	return object
}

// lazily defines a member that is converted when a script looks at it. Map functions look at few members of a document,
// and the record of changes of an address is larger than the rest of its document.
func (p *jsonTree) lazily(vm *goja.Runtime, object *goja.Object, name string) {
	get := func(goja.FunctionCall) goja.Value {
		value := p.in(vm)
		define(object, name, value)
		return value
	}
	set := func(call goja.FunctionCall) goja.Value {
		define(object, name, call.Argument(0))
		return goja.Undefined()
	}
	_ = object.DefineAccessorProperty(name, vm.ToValue(get), vm.ToValue(set), goja.FLAG_TRUE, goja.FLAG_TRUE)
}

// define defines a member as JSON.parse does. Unlike Set this ignores the prototype, and "__proto__" is a name like
// others. It cannot fail.
func define(object *goja.Object, name string, value goja.Value) {
	_ = object.DefineDataProperty(name, value, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_TRUE)
}

// parser reads a text that is valid and compact JSON.
type parser struct {
	text string
	at   int
	err  error // a number beyond float64
}

func (p *parser) value() jsonTree {
	switch p.text[p.at] {
	case '{':
		return p.object()
	case '[':
		return p.array()
	case '"':
		return jsonTree{primitive: p.string()}
	case 'n':
		p.at += len("null")
		return jsonTree{}
	case 't':
		p.at += len("true")
		return jsonTree{primitive: true}
	case 'f':
		p.at += len("false")
		return jsonTree{primitive: false}
	}
	return p.number()
}

func (p *parser) object() jsonTree {
	const usual = 16 // members without growing the lists
	o := jsonTree{kind: kindObject}
	for p.at++; p.text[p.at] != '}'; p.skip(',') {
		if o.parts == nil {
			o.names, o.parts = make([]string, 0, usual), make([]jsonTree, 0, usual)
		}
		o.names = append(o.names, p.string())
		p.skip(':')
		o.parts = append(o.parts, p.value())
	}
	p.at++
	return o
}

func (p *parser) array() jsonTree {
	a := jsonTree{kind: kindArray}
	for p.at++; p.text[p.at] != ']'; p.skip(',') {
		a.parts = append(a.parts, p.value())
	}
	p.at++
	return a
}

func (p *parser) skip(c byte) {
	if p.text[p.at] == c {
		p.at++
	}
}

func (p *parser) string() string {
	raw := p.text[p.at:]
	raw = raw[:stringEnd(raw)]
	p.at += len(raw)
	return unquote(raw)
}

func (p *parser) number() jsonTree {
	raw := p.text[p.at:]
	if end := strings.IndexAny(raw, ",]}"); end >= 0 {
		raw = raw[:end]
	}
	p.at += len(raw)
	number, err := strconv.ParseFloat(raw, 64)
	if err != nil {
		p.err = err
	}
	return jsonTree{primitive: number}
}
