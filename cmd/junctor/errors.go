package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"junctor/pkg/fault"
)

// partial is why a command has done a part of its work only.
type partial struct {
	error
	done string // what it has done, and what to do
}

func (e partial) Error() string { return e.error.Error() + "; " + e.done }
func (e partial) Unwrap() error { return e.error }

// explain words an error for the operator. Where the operator's input is at fault the message needs no more around
// it; anything else is shown with its causes.
func explain(err error) string {
	if part, ok := err.(partial); ok {
		return explain(part.error) + "; " + part.done
	}
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err.Error()
	}
	switch f.Kind {
	case fault.Conflict, fault.Forbidden, fault.BadIdentifier:
		return cmp.Or(f.Message, err.Error())
	case fault.Invalid:
		return cmp.Or(f.Message, strings.Join(findings(err), "; "), err.Error())
	}
	return err.Error()
}

// findings lists what is wrong with which field, where err is a fault that says so.
func findings(err error) (texts []string) {
	f, _ := errors.AsType[*fault.Error](err)
	if f == nil {
		return nil
	}
	fields, _ := f.Data.(fault.Fields)
	for _, path := range slices.Sorted(maps.Keys(fields)) {
		for _, code := range slices.Sorted(maps.Keys(fields[path])) {
			detail, _ := fields[path][code].(map[string]any)
			text := strings.TrimPrefix(fmt.Sprintf("%s: %v", path, detail["message"]), ": ") // the whole has no path
			if value, ok := detail["value"].(string); ok && value != path {
				text += fmt.Sprintf(" (%q)", value)
			}
			texts = append(texts, text)
		}
	}
	return texts
}
