package main

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"
)

// A flag that is not given gets its value from the environment, else from the file that --config names.

// configFlag is the flag of the commands that read a configuration file.
const configFlag = "config"

// The marks of flags, which they get where they are defined.
const (
	noVariable = "junctor_no_variable" // no environment variable stands for it
	notEmpty   = "junctor_not_empty"   // an empty value is refused
	oneOf      = "junctor_one_of"      // has the values that there are
	isSecret   = "junctor_secret"      // there may be a password in its value, see secretVariable
	isLocal    = "junctor_local"       // it means nothing to a server that does the task
)

// mark gives marks to a flag.
func mark(flags *pflag.FlagSet, name string, marks ...string) {
	for _, m := range marks {
		_ = flags.SetAnnotation(name, m, []string{}) // fails for a flag that is not defined
	}
}

func isMarked(f *pflag.Flag, mark string) bool { return f.Annotations[mark] != nil }

// choiceVar defines a flag that has one of a few values.
func choiceVar(flags *pflag.FlagSet, p *string, name, value, usage string, choices ...string) {
	flags.StringVar(p, name, value, usage)
	_ = flags.SetAnnotation(name, oneOf, choices)
}

// nameVar defines a flag that says what one call is about. An empty value is due to a variable that is not set, as in
// --account "$ACCOUNT": without it the command would be about all accounts, or the master account.
func nameVar(flags *pflag.FlagSet, p *string, name, usage string) {
	flags.StringVar(p, name, "", usage)
	mark(flags, name, notEmpty)
}

// withoutVariable marks the flags that a command has by now as those that no environment variable stands for: they say
// what one call is about. JUNCTOR_ZONE, which is the zone of a server, must not choose the addresses of a command.
func withoutVariable(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().VisitAll(func(f *pflag.Flag) { mark(cmd.Flags(), f.Name, noVariable) })
	return cmd
}

// variable returns the environment variable that stands for a flag.
func variable(flag string) string {
	return "JUNCTOR_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// checkMarks refuses values that the marks of flags exclude.
func checkMarks(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		if err != nil {
			return
		}
		if isMarked(f, notEmpty) && f.Value.String() == "" {
			err = usageError("--" + f.Name + " must not be empty")
		} else if wrong := checkChoice(f, f.Value.String()); wrong != nil {
			err = usageError("--" + f.Name + ": " + wrong.Error())
		}
	})
	return err
}

// checkChoice refuses what is none of the values of a flag that has a few.
func checkChoice(f *pflag.Flag, value string) error {
	choices := f.Annotations[oneOf]
	last := len(choices) - 1
	if last < 0 || slices.Contains(choices, value) {
		return nil
	}
	return fmt.Errorf("%q is neither %s nor %s", value, strings.Join(choices[:last], ", "), choices[last])
}

// nameVariables adds to the description of each flag of cmd the name of its variable.
func nameVariables(cmd *cobra.Command) {
	name := func(f *pflag.Flag) {
		if suffix := " [" + variable(f.Name) + "]"; !isMarked(f, noVariable) && !strings.HasSuffix(f.Usage, suffix) {
			f.Usage += suffix
		}
	}
	cmd.PersistentFlags().VisitAll(name)
	cmd.Flags().VisitAll(name)
}

// completeFlags sets the flags that are not given, and checks the values of all.
func (c *cli) completeFlags(cmd *cobra.Command, _ []string) error {
	flags := cmd.Flags()
	err := setFlags(flags, func(f *pflag.Flag) (source, value string, err error) {
		source = variable(f.Name)
		switch {
		case isMarked(f, noVariable):
		case isMarked(f, isSecret):
			value, err = secretVariable(c.getenv, source)
		default:
			value = withoutNewline(c.getenv(source))
		}
		return source, value, err
	})
	if err != nil {
		return err
	}
	c.given = map[string]bool{}
	flags.Visit(func(f *pflag.Flag) { c.given[f.Name] = true })
	if config := flags.Lookup(configFlag); config != nil && config.Value.String() != "" {
		if err := readFlags(config.Value.String(), flags); err != nil {
			return err
		}
	}
	return checkMarks(flags)
}

// readFlags sets the flags that are not given, from a configuration file.
func readFlags(path string, flags *pflag.FlagSet) error {
	settings, err := readConfig(path, flags)
	if err != nil {
		return usageError("--config: " + err.Error())
	}
	return setFlags(flags, func(f *pflag.Flag) (source, value string, err error) {
		return path + ": " + f.Name, settings[f.Name], nil
	})
}

// setFlags sets each flag that has not been set to what get returns, unless that is empty. source is for errors.
func setFlags(flags *pflag.FlagSet, get func(*pflag.Flag) (source, value string, err error)) (err error) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed || err != nil || f.Name == "help" {
			return
		}
		source, value, cause := get(f)
		if cause != nil {
			err = usageError(cause.Error())
		} else if value != "" {
			if cause := flags.Set(f.Name, value); cause != nil {
				err = usageError(source + ": " + cause.Error())
			}
		}
	})
	return err
}

// yamlLine matches the line number in an error of the YAML parser, which is too low by one for some errors. There is none
// in errors of the first line.
var yamlLine = regexp.MustCompile(`\bline \d+`)

// readConfig reads a YAML file that has a value for each of some flags.
func readConfig(path string, flags *pflag.FlagSet) (settings map[string]string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var nodes map[string]yaml.Node
	if err := yaml.Unmarshal(text, &nodes); err != nil {
		near := cmp.Or(yamlLine.FindString(err.Error()), "line 1") // err itself may repeat a password
		return nil, fmt.Errorf("%s is not a YAML file of flags and their values: see near %s", path, near)
	}
	settings = map[string]string{}
	for name, node := range nodes {
		switch {
		case flags.Lookup(name) == nil || name == configFlag || name == "help":
			return nil, fmt.Errorf("%s: there is no setting %q", path, name)
		case node.Kind == yaml.SequenceNode && !slices.ContainsFunc(node.Content, notScalar):
			var items []string
			for _, item := range node.Content {
				items = append(items, item.Value)
			}
			settings[name] = strings.Join(items, ",")
		case notScalar(&node):
			return nil, fmt.Errorf("%s: %s is neither a value nor a list of values", path, name)
		default:
			settings[name] = node.Value
		}
	}
	return settings, nil
}

func notScalar(node *yaml.Node) bool { return node.Kind != yaml.ScalarNode }

// flagError makes an error of the flags on the command line one of usage.
func flagError(cmd *cobra.Command, err error) error {
	return usageError(fmt.Sprintf("%s; see \"%s --help\"", err, cmd.CommandPath()))
}
