package embedded

import (
	"strconv"
	"strings"
	"sync"

	"github.com/dop251/goja"
)

// parseJSON returns what JSON.parse would return in a runtime, several times as fast. The text is valid and compact: of a
// damaged file it may not be, and then parseJSON panics. freeze is Object.freeze, for a value that scripts can't change,
// or nil.
func parseJSON(vm *goja.Runtime, text string, freeze goja.Callable) goja.Value {
	p := parser{vm: vm, freeze: freeze, rest: text}
	return p.value()
}

type parser struct {
	vm     *goja.Runtime
	freeze goja.Callable
	rest   string
}

func (p *parser) value() goja.Value {
	switch p.rest[0] {
	case '{':
		return p.object()
	case '[':
		return p.array()
	case '"':
		return p.vm.ToValue(p.string())
	case 'n':
		p.rest = p.rest[len("null"):]
		return goja.Null()
	case 't':
		p.rest = p.rest[len("true"):]
		return p.vm.ToValue(true)
	case 'f':
		p.rest = p.rest[len("false"):]
		return p.vm.ToValue(false)
	}
	return p.number()
}

// object defines members as JSON.parse does: unlike Set this ignores the prototype, and "__proto__" is a name like others.
func (p *parser) object() goja.Value {
	o := p.vm.NewObject()
	for p.skip('{'); p.rest[0] != '}'; p.skip(',') {
		name := p.string()
		p.skip(':')
		if c := p.rest[0]; p.freeze != nil && (c == '{' || c == '[') {
			p.member(o, name)
		} else {
			_ = o.DefineDataProperty(name, p.value(), goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_TRUE) // it is not frozen
		}
	}
	p.skip('}')
	return p.finish(o)
}

// member defines a member that is parsed when a script looks at it. Map functions look at few members of a document, and
// the record of the changes of an address is larger than the rest of its document.
func (p *parser) member(o *goja.Object, name string) {
	text := p.take(valueEnd(p.rest))
	value := sync.OnceValue(func() goja.Value { return parseJSON(p.vm, text, p.freeze) })
	get := p.vm.ToValue(func(goja.FunctionCall) goja.Value { return value() })
	_ = o.DefineAccessorProperty(name, get, nil, goja.FLAG_TRUE, goja.FLAG_TRUE)
}

func (p *parser) array() goja.Value {
	var elements []any
	for p.skip('['); p.rest[0] != ']'; p.skip(',') {
		elements = append(elements, p.value())
	}
	p.skip(']')
	return p.finish(p.vm.NewArray(elements...))
}

func (p *parser) finish(o *goja.Object) goja.Value {
	if p.freeze != nil {
		_, _ = p.freeze(goja.Undefined(), o) // a new object: it cannot fail
	}
	return o
}

func (p *parser) skip(c byte) {
	if p.rest[0] == c {
		p.rest = p.rest[1:]
	}
}

func (p *parser) string() string {
	return unquote(p.take(stringEnd(p.rest)))
}

func (p *parser) number() goja.Value {
	end := strings.IndexAny(p.rest, ",]}")
	if end < 0 {
		end = len(p.rest)
	}
	if end == 0 { // no value is empty, and to go on would have no end
		panic(errCorrupt)
	}
	number, _ := strconv.ParseFloat(p.take(end), 64) // beyond float64 it is an infinity, as in JavaScript
	return p.vm.ToValue(number)
}

// take removes what is before end from the text, and returns it.
func (p *parser) take(end int) string {
	taken := p.rest[:end]
	p.rest = p.rest[end:]
	return taken
}
