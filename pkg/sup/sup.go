// Package sup is what Kazoo's operators type after "sup": a module, a function and its arguments, and the texts that
// come back. They are Kazoo's, letter by letter, since scripts read them; where Kazoo would crash, there is a text.
//
// A command that Kazoo ends with exit code 0 although it was refused ends so here. What Kazoo does not know (a
// function, a store that does not respond) ends with another code, and its text belongs on the standard error.
//
// The package knows neither the store nor the socket that a command may have come by: it has the pool, the accounts
// and two things to start.
package sup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"junctor/pkg/account"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/history"
	"junctor/pkg/store"
)

// Deps is what the commands work on.
type Deps struct {
	Pool        *dedicatedip.Pool
	Views       store.Viewer       // of the store that the pool is in
	Accounts    *account.Directory // with the settings, as they are for this node
	Provisioner *account.Provisioner
	By          history.Actor // who typed the command
	// Install makes sure of the database of the pool and its views.
	Install func(ctx context.Context) error
	// Reconcile makes the copies of all accounts equal to the pool.
	Reconcile func(ctx context.Context) error
}

// Exit codes, beside 0.
const (
	failed = 1
	misuse = 2
)

// command is one function of a module.
type command struct {
	module, function string
	args             string // as its usage names them; those in brackets may be missing
	explains         bool   // without arguments it prints its usage, as in Kazoo
	run              func(ctx context.Context, d Deps, args []string) (text string, code int)
}

var commands = []command{
	{"kazoo_ips_maintenance", "add", "<ip> <zone> <host>", true, add},
	{"kazoo_ips_maintenance", "assign", "<ip> <account>", true, assign},
	{"kazoo_ips_maintenance", "release", "<ip>", true, release},
	{"kazoo_ips_maintenance", "delete", "<ip>", true, remove},
	{"kazoo_ips_maintenance", "summary", "[<host>]", false, summary},
	{"kazoo_ips_maintenance", "refresh", "", false, refresh},
	{"crossbar_maintenance", "create_account", "<name> <realm> <username> <password>", false, createAccount},
	{"kapps_maintenance", "refresh", "dedicated_ips", false, refreshViews},
	{"kapps_config", "get", "<category> <key> [<default>]", false, getSetting},
	{"kapps_config", "set_default", "<category> <key> <value>", false, setSetting},
}

func (c command) usage() string {
	return strings.TrimSpace(fmt.Sprintf("Please use: sup %s %s %s", c.module, c.function, c.args))
}

// takes reports whether it takes so many arguments.
func (c command) takes(n int) bool {
	most := len(strings.Fields(c.args))
	return n <= most && n >= most-strings.Count(c.args, "[")
}

// Call is a command with its arguments.
type Call struct {
	command
	args []string
}

// Run carries a call out. text has no line break at its end; with a code of 0 it belongs on the standard output, where
// it is not empty, else on the standard error.
func (c *Call) Run(ctx context.Context, d Deps) (text string, code int) { return c.run(ctx, d, c.args) }

// ReadOnly reports whether a call changes nothing.
func (c *Call) ReadOnly() bool { return c.function == "summary" || c.function == "get" }

// Parse returns the call that args are: a module, a function and its arguments. If they are none it returns nil, and
// what there is to say about that, as Call.Run does.
func Parse(args []string) (call *Call, text string, code int) {
	if len(args) < 2 {
		return nil, `a module and a function of it are needed, as in "sup kazoo_ips_maintenance add"`, misuse
	}
	module, function, args := args[0], args[1], args[2:]
	var functions []string
	for _, c := range commands {
		if c.module != module {
			continue
		}
		if c.function == function {
			return c.parse(args)
		}
		functions = append(functions, c.function)
	}
	if functions == nil {
		return nil, fmt.Sprintf("unknown module %q: there are %s", module, strings.Join(modules(), ", ")), failed
	}
	return nil, fmt.Sprintf("unknown function %q: of %s there are %s", function, module, strings.Join(functions, ", ")), failed
}

func (c command) parse(args []string) (*Call, string, int) {
	switch {
	case c.takes(len(args)):
		return &Call{c, args}, "", 0
	case c.explains && len(args) == 0:
		return nil, c.usage(), 0
	default:
		return nil, c.usage(), misuse
	}
}

func modules() (names []string) {
	for _, c := range commands {
		if !slices.Contains(names, c.module) {
			names = append(names, c.module)
		}
	}
	return names
}
