package embedded

import (
	"strconv"
	"strings"

	"github.com/dop251/goja"
)

// parseJSON returns what JSON.parse would return in a runtime, several times as fast. The text is valid and compact.
// freeze is Object.freeze, for a value that scripts can't change, or nil.
func parseJSON(vm *goja.Runtime, text string, freeze goja.Callable) (goja.Value, error) {
	p := parser{vm: vm, freeze: freeze, rest: text}
	value := p.value()
	return value, p.err
}

type parser struct {
	vm     *goja.Runtime
	freeze goja.Callable
	rest   string
	err    error // a number beyond float64, which goja's JSON.parse refuses
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
		_ = o.DefineDataProperty(name, p.value(), goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_TRUE) // it is not frozen
	}
	p.skip('}')
	return p.finish(o)
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
	number, err := strconv.ParseFloat(p.take(end), 64)
	if err != nil {
		p.err = err
	}
	return p.vm.ToValue(number)
}

// take removes what is before end from the text, and returns it.
func (p *parser) take(end int) string {
	taken := p.rest[:end]
	p.rest = p.rest[end:]
	return taken
}
