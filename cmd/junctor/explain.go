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

// explain words an error for the operator. Where the operator's input is at fault the message needs no more around
// it; anything else is shown with its causes.
func explain(err error) string {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err.Error()
	}
	switch f.Kind {
	case fault.Conflict, fault.Forbidden, fault.BadIdentifier:
		return cmp.Or(f.Message, err.Error())
	case fault.Invalid:
		fields, _ := f.Data.(fault.Fields)
		return cmp.Or(f.Message, describe(fields), err.Error())
	}
	return err.Error()
}

// describe lists what is wrong with which field.
func describe(fields fault.Fields) string {
	var findings []string
	for _, path := range slices.Sorted(maps.Keys(fields)) {
		for _, code := range slices.Sorted(maps.Keys(fields[path])) {
			detail, _ := fields[path][code].(map[string]any)
			findings = append(findings, fmt.Sprintf("%s: %v", path, detail["message"]))
		}
	}
	return strings.Join(findings, "; ")
}
