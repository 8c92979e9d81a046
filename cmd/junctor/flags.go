package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// parse reads flags, wherever they stand among the operands, and then the environment for those that were not
// given. All that follows "--" are operands.
func parse(fs *flag.FlagSet, args []string, getenv func(string) string) (operands []string, err error) {
	fs.SetOutput(io.Discard) // errors and help are worded and printed by others
	var rest []string
	if i := slices.Index(args, "--"); i >= 0 {
		args, rest = args[:i], args[i+1:]
	}
	for {
		if err := fs.Parse(args); err != nil {
			return nil, plainFlagError(fs.Name(), err)
		}
		if fs.NArg() == 0 {
			break
		}
		operands = append(operands, fs.Arg(0))
		args = fs.Args()[1:]
	}
	return append(operands, rest...), fromEnvironment(fs, getenv)
}

func fromEnvironment(fs *flag.FlagSet, getenv func(string) string) (err error) {
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	fs.VisitAll(func(f *flag.Flag) {
		name := variable(f.Name)
		if given[f.Name] || err != nil {
			return
		}
		value := withoutNewline(getenv(name))
		if secretFlags[f.Name] {
			value, err = secretVariable(getenv, name)
		}
		if value == "" || err != nil {
			return
		}
		if cause := fs.Set(f.Name, value); cause != nil {
			err = fmt.Errorf("%s: %w", name, plainFlagError(fs.Name(), cause))
		}
	})
	return err
}

// secretFlags are those whose value may have a password in it. It can come from a file, see secretVariable.
var secretFlags = map[string]bool{"store": true, "amqp-url": true, "billing-url": true, "password": true}

// plainFlagError words the errors of package flag.
func plainFlagError(subcommand string, err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	text := err.Error()
	if name, found := strings.CutPrefix(text, "flag provided but not defined: -"); found {
		return fmt.Errorf("there is no flag --%s; \"junctor %s --help\" lists them", name, subcommand)
	}
	if name, found := strings.CutPrefix(text, "flag needs an argument: -"); found {
		return fmt.Errorf("--%s needs a value", name)
	}
	text = strings.ReplaceAll(text, "parse error", "it is neither true nor false")
	return errors.New(badValue.ReplaceAllString(text, "--$2=$1: "))
}

// badValue is how package flag begins to say that a flag does not take a value, which stands quoted behind it.
var badValue = regexp.MustCompile(`^invalid (?:boolean )?value "(.*)" for (?:flag )?-([a-z-]+): `)

// variable is the environment variable that stands in for a flag.
func variable(flag string) string {
	return "JUNCTOR_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// checked defines a flag whose text has to pass a check. What set makes of the text it keeps itself.
func checked(fs *flag.FlagSet, name, initial, about string, set func(string) error) {
	c := &check{set: set}
	_ = c.Set(initial) // our own, and good
	fs.Var(c, name, about)
}

// check is a flag.Value.
type check struct {
	text string
	set  func(string) error
}

// String answers what was set.
func (c *check) String() string { return c.text }

// Set takes a text that passes.
func (c *check) Set(text string) error {
	if err := c.set(text); err != nil {
		return err
	}
	c.text = text
	return nil
}

// noOperands refuses operands of a subcommand that has none.
func noOperands(subcommand string, operands []string) error {
	if len(operands) == 0 {
		return nil
	}
	text := fmt.Sprintf("%s: unexpected %q", subcommand, operands[0])
	if operands[0] == "true" || operands[0] == "false" {
		text += "; the value of such a flag stands behind =, as in --json=" + operands[0]
	}
	return usageError(text)
}
