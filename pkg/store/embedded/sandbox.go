package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/dop251/goja"
)

// The limits of a script. A document's emitted rows are in memory until they are stored.
const (
	scriptLimit     = 5 * time.Second // of one call of a function: CouchDB's os_process_timeout
	maxScriptCalls  = 1000            // calls within calls
	maxEmittedRows  = 100_000         // rows of one document in one view
	maxEmittedBytes = 4 << 20         // their JSON text
)

// The reasons why scripts are stopped.
var (
	errScriptLimit = errors.New("the function ran for too long and was stopped")
	errScriptDepth = errors.New("the function called itself too often and was stopped")
)

// sandbox is a JavaScript runtime with the functions of one design document and the globals that CouchDB provides. One
// goroutine uses it at a time. As in CouchDB, all map functions get the same document, which is frozen. What a function
// does to the objects of the language, such as Array.prototype, the next ones find: in CouchDB only its own next call does.
type sandbox struct {
	program   *program
	vm        *goja.Runtime // nil until it is needed, and after a function was stopped
	functions map[*function]goja.Callable
	stringify goja.Callable // JSON's, whatever a script makes of JSON
	freeze    goja.Callable // Object's
	global    *goja.Object
	document  goja.Value // that is mapped; nil until it is converted
	running   *function
	rows      [][2]goja.Value // emitted by the call under way
	alarm     *time.Timer     // interrupts the script at the time limit
}

// sumSource is CouchDB's sum(), which takes the values of objects too and joins strings.
var sumSource = goja.MustCompile("sum",
	"(function (values) { var total = 0; for (var i in values) { total += values[i]; } return total; })", false)

func (s *sandbox) start() {
	vm := goja.New()
	vm.SetMaxCallStackSize(maxScriptCalls)
	*s = sandbox{program: s.program, vm: vm, functions: map[*function]goja.Callable{}, global: vm.GlobalObject()}
	s.alarm = time.AfterFunc(s.program.limit, func() { vm.Interrupt(errScriptLimit) })
	s.alarm.Stop()
	member := func(object, name string) goja.Value { return s.global.Get(object).ToObject(vm).Get(name) }
	s.stringify, _ = goja.AssertFunction(member("JSON", "stringify"))
	s.freeze, _ = goja.AssertFunction(member("Object", "freeze"))
	sum, _ := vm.RunProgram(sumSource) // a function literal: it cannot fail
	for name, value := range map[string]goja.Value{
		"emit":    vm.ToValue(s.emit),
		"log":     vm.ToValue(s.say),
		"require": vm.ToValue(func(goja.FunctionCall) goja.Value { panic(vm.NewGoError(notSupported("require"))) }),
		"sum":     sum,
		"toJSON":  member("JSON", "stringify"),
		"isArray": member("Array", "isArray"),
	} {
		_ = s.global.DefineDataProperty(name, value, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE) // it is not frozen
	}
}

// run lets use call a function under the time limit. The call has a global object of its own whose prototype is the
// sandbox's, so that assignments to undeclared names, or to those of the sandbox, end with the call.
//
// A runtime that was interrupted is not used again, as the interrupt can arrive late and would hit the next call. Neither
// is one that failed in a way that a script can't cause on purpose.
func (s *sandbox) run(ctx context.Context, f *function, use func(goja.Callable) error) (err error) {
	if s.vm == nil {
		s.start()
	}
	vm := s.vm
	scope := vm.CreateObject(s.global)
	_ = scope.DefineDataProperty("globalThis", scope, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE) // it is new
	vm.SetGlobalObject(scope)
	s.running, s.rows = f, nil
	s.alarm.Reset(s.program.limit)
	stop := context.AfterFunc(ctx, func() { vm.Interrupt(context.Cause(ctx)) })
	defer func() {
		if x := recover(); x != nil { // some built-ins of goja panic on absurd arguments: "ab".repeat(2**62)
			err = fmt.Errorf("the function failed: %v", x)
		}
		inTime, wanted := s.alarm.Stop(), stop()
		if !inTime || !wanted || err != nil && !isThrown(err) {
			s.vm, s.document = nil, nil
		}
	}()
	callable, err := s.load(f)
	if err == nil {
		err = use(callable)
	}
	return plain(err)
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

// load evaluates a function's code, once. Its value is the function.
func (s *sandbox) load(f *function) (goja.Callable, error) {
	if loaded := s.functions[f]; loaded != nil {
		return loaded, nil
	}
	value, err := s.vm.RunProgram(f.code)
	if err != nil {
		return nil, err
	}
	callable, ok := goja.AssertFunction(value)
	if !ok {
		return nil, errors.New("the expression does not eval to a function")
	}
	s.functions[f] = callable
	return callable, nil
}

// mapDoc calls a map function with the document, which it converts if that has not been done.
func (s *sandbox) mapDoc(ctx context.Context, f *function, doc string) (rows []emitted, err error) {
	err = s.run(ctx, f, func(function goja.Callable) (err error) {
		if s.document == nil {
			s.document = parseJSON(s.vm, doc, s.freeze)
		}
		if _, err = function(goja.Undefined(), s.document); err == nil {
			rows, err = s.takeRows()
		}
		return err
	})
	return rows, err
}

// reduce calls a reduce function on JSON texts.
func (s *sandbox) reduce(ctx context.Context, f *function, keys, values string, again bool) (
	text json.RawMessage, err error,
) {
	err = s.run(ctx, f, func(function goja.Callable) error {
		result, err := function(goja.Undefined(), parseJSON(s.vm, keys, nil), parseJSON(s.vm, values, nil),
			s.vm.ToValue(again))
		if err == nil {
			text, err = s.encode(result)
		}
		return err
	})
	return text, err
}
