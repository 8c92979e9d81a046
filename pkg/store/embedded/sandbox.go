package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/dop251/goja"
)

// The limits of a script. A document's emitted rows are in memory until they are stored.
const (
	maxScriptCalls  = 1000    // calls within calls
	maxEmittedRows  = 100_000 // rows of one document in one view
	maxEmittedBytes = 4 << 20 // their JSON text
)

// The reasons why scripts are stopped.
var (
	errScriptLimit = errors.New("the function ran for too long and was stopped")
	errScriptDepth = errors.New("the function called itself too often and was stopped")
)

// function is one compiled function with a pool of sandboxes, one per processor. No two functions share a sandbox, so
// none sees what another did to its globals.
type function struct {
	code  *goja.Program
	limit time.Duration
	log   func(message string)
	idle  chan *sandbox // nil for one that has not been created yet
}

// newFunction compiles a function and loads it once.
func newFunction(source string, limit time.Duration, log func(message string)) (*function, error) {
	// As the second operand of a comma the anonymous function that CouchDB asks for is an expression, whatever
	// comments stand around it and semicolons behind it.
	code, err := goja.Compile("", "0,"+source, false)
	if err != nil {
		return nil, err
	}
	f := &function{code: code, limit: limit, log: log, idle: make(chan *sandbox, runtime.GOMAXPROCS(0))}
	for range cap(f.idle) {
		f.idle <- nil
	}
	return f, f.run(context.Background(), func(*sandbox) error { return nil })
}

// run calls use with an idle sandbox, for which it waits, and interrupts it at the time limit or when ctx ends.
func (f *function) run(ctx context.Context, use func(*sandbox) error) error {
	var s *sandbox
	select {
	case s = <-f.idle:
	case <-ctx.Done():
		return ctx.Err()
	}
	if s == nil {
		s = newSandbox(f.limit, f.log)
	}
	err := s.within(ctx, func() error {
		if err := s.load(f.code); err != nil {
			return err
		}
		return use(s)
	})
	if s.spent {
		s = nil
	}
	f.idle <- s
	return err
}

// sandbox is a JavaScript runtime with one function and the globals that CouchDB provides. One goroutine uses it at a
// time.
type sandbox struct {
	vm               *goja.Runtime
	function         goja.Callable // nil until loaded
	parse, stringify goja.Callable // JSON's, whatever a script makes of JSON
	global           *goja.Object
	arrays           *goja.Object    // the prototype of arrays
	rows             [][2]goja.Value // emitted by the call under way
	limit            time.Duration   // of a call
	alarm            *time.Timer     // interrupts the script at the time limit
	spent            bool            // must not be used again
}

// sumSource is CouchDB's sum(), which takes the values of objects too and joins strings.
var sumSource = goja.MustCompile("sum",
	"(function (values) { var total = 0; for (var i in values) { total += values[i]; } return total; })", false)

func newSandbox(limit time.Duration, log func(message string)) *sandbox {
	vm := goja.New()
	vm.SetMaxCallStackSize(maxScriptCalls)
	s := &sandbox{vm: vm, global: vm.GlobalObject(), limit: limit}
	s.alarm = time.AfterFunc(limit, func() { vm.Interrupt(errScriptLimit) })
	s.alarm.Stop()
	object, array := s.global.Get("JSON").ToObject(vm), s.global.Get("Array").ToObject(vm)
	s.parse, _ = goja.AssertFunction(object.Get("parse"))
	s.stringify, _ = goja.AssertFunction(object.Get("stringify"))
	s.arrays = array.Get("prototype").ToObject(vm)
	sum, _ := vm.RunProgram(sumSource) // a function literal: it cannot fail
	for name, value := range map[string]goja.Value{
		"emit":    vm.ToValue(s.emit),
		"log":     vm.ToValue(func(call goja.FunctionCall) goja.Value { return s.say(log, call.Argument(0)) }),
		"require": vm.ToValue(func(goja.FunctionCall) goja.Value { panic(vm.NewGoError(notSupported("require"))) }),
		"sum":     sum,
		"toJSON":  object.Get("stringify"),
		"isArray": array.Get("isArray"),
	} {
		_ = s.global.DefineDataProperty(name, value, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE) // it is not frozen
	}
	return s
}

// within does work under the time limit. A sandbox that was interrupted is not used again, as the interrupt can arrive
// late and would hit the next call. Neither is one that failed in a way that a script can't cause on purpose.
func (s *sandbox) within(ctx context.Context, work func() error) (err error) {
	s.alarm.Reset(s.limit)
	stop := context.AfterFunc(ctx, func() { s.vm.Interrupt(context.Cause(ctx)) })
	defer func() {
		if x := recover(); x != nil { // some built-ins of goja panic on absurd arguments: "ab".repeat(2**62)
			err = fmt.Errorf("the function failed: %v", x)
		}
		inTime, wanted := s.alarm.Stop(), stop()
		s.spent = !inTime || !wanted || err != nil && !isThrown(err)
	}()
	return plain(work())
}

// plain returns the reason for which goja stopped a script, without the place.
func plain(err error) error {
	var interrupted *goja.InterruptedError
	if errors.As(err, &interrupted) {
		return interrupted.Unwrap()
	}
	var overflow *goja.StackOverflowError
	if errors.As(err, &overflow) {
		return errScriptDepth
	}
	return err
}

// isThrown reports whether err is an exception that a script threw and did not catch.
func isThrown(err error) bool {
	var thrown *goja.Exception
	return errors.As(err, &thrown)
}

// load evaluates the program, once. Its value is the function.
func (s *sandbox) load(code *goja.Program) error {
	if s.function != nil {
		return nil
	}
	value, err := s.vm.RunProgram(code)
	if err != nil {
		return err
	}
	function, ok := goja.AssertFunction(value)
	if !ok {
		return errors.New("the expression does not eval to a function")
	}
	s.function = function
	return nil
}

// call calls the function. Each call has a global object of its own whose prototype is the sandbox's, so that assignments
// to undeclared names, or to those of the sandbox, end with the call.
func (s *sandbox) call(arguments ...goja.Value) (goja.Value, error) {
	s.rows = nil
	scope := s.vm.CreateObject(s.global)
	_ = scope.DefineDataProperty("globalThis", scope, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE) // it is new
	s.vm.SetGlobalObject(scope)
	return s.function(goja.Undefined(), arguments...)
}

// reduce calls a reduce function on JSON texts. As in CouchDB, undefined is null.
func (s *sandbox) reduce(keys, values string, again bool) (json.RawMessage, error) {
	k, err := s.parse(goja.Undefined(), s.vm.ToValue(keys))
	if err != nil {
		return nil, err
	}
	v, err := s.parse(goja.Undefined(), s.vm.ToValue(values))
	if err != nil {
		return nil, err
	}
	result, err := s.call(k, v, s.vm.ToValue(again))
	if err != nil {
		return nil, err
	}
	text, err := s.stringify(goja.Undefined(), result)
	if err != nil || goja.IsUndefined(text) {
		return json.RawMessage("null"), err
	}
	return json.RawMessage(text.String()), nil
}
