package sup

import (
	"context"
	"fmt"
	"strconv"

	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// getSetting prints a setting as Erlang would, and without a value the default that is given.
func getSetting(ctx context.Context, d Deps, args []string) (string, int) {
	value, err := d.Accounts.Value(ctx, args[0], args[1])
	if err != nil {
		return fmt.Sprintf("unable to read %s of %s: %s", args[1], args[0], said(err)), failed
	}
	if value == nil && len(args) == 3 {
		value = settingOf(args[2])
	}
	return termOf(value), 0
}

// setSetting sets a setting for all nodes. Kazoo prints the whole document.
func setSetting(ctx context.Context, d Deps, args []string) (string, int) {
	err := d.Provisioner.SetDefault(ctx, args[0], args[1], settingOf(args[2]))
	if fault.Is(err, fault.Invalid) {
		return fmt.Sprintf("unable to set %s of %s: %q is not a whole number that it can be", args[1], args[0], args[2]), failed
	}
	if err != nil {
		return fmt.Sprintf("unable to set %s of %s: %s", args[1], args[0], said(err)), failed
	}
	return "ok", 0
}

// settingOf returns what an argument stands for: a whole number, a boolean or a text.
func settingOf(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return document.Number(n)
	}
	switch text {
	case "true":
		return true
	case "false":
		return false
	}
	return text
}

// termOf returns a value as Erlang prints it. Objects and lists are JSON.
func termOf(value any) string {
	switch value := value.(type) {
	case nil:
		return undefined
	case string:
		return `<<"` + value + `">>`
	}
	text, err := document.Encode(value)
	if err != nil {
		return undefined
	}
	return string(text)
}
