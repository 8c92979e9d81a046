package boltfile

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
)

// Guard calls read, which works on the database file path, and returns an error that wraps ErrDamaged where bbolt
// panics or the memory map faults. Without it either would end the process.
//
// What the call had locked may stay locked if it was a write transaction: do not use the database for writes after
// that.
func Guard(path string, read func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if x := recover(); x != nil {
			err = damaged(path, causeOf(x))
		}
	}()
	return read()
}

// causeOf words a panic. One that is neither bbolt's nor a fault of the memory map may be a mistake of our own, whose
// place has to be known.
func causeOf(x any) error {
	err, ok := x.(runtime.Error)
	if !ok {
		return fmt.Errorf("%v", x)
	}
	var fault interface{ Addr() uintptr }
	if errors.As(err, &fault) {
		return errors.New("a part of it can't be read")
	}
	return fmt.Errorf("%w\n%s", err, debug.Stack())
}
