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

// secretFlags may have a password in their value. It can come from a file of its own, see secretVariable.
var secretFlags = map[string]bool{"store": true, "amqp-url": true, "billing-url": true, "password": true}

// variable returns the environment variable that stands for a flag.
func variable(flag string) string {
	return "JUNCTOR_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// withoutVariable marks the flags that a command has by now as those that no environment variable stands for: they say
// what one call is about. JUNCTOR_ZONE, which is the zone of a server, must not choose the addresses of a command.
func withoutVariable(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().VisitAll(func(f *pflag.Flag) { f.Annotations = map[string][]string{noVariable: {}} })
	return cmd
}

const noVariable = "junctor_no_variable"

func hasVariable(f *pflag.Flag) bool { return f.Annotations[noVariable] == nil }

// refuseEmpty refuses flags without a value that say what one call is about. An empty one is due to a variable that is not
// set, as in --account "$ACCOUNT": without it the command would be about all accounts, or the master account.
func refuseEmpty(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		isName := f.Name == "parent" || f.Name == "realm" || f.Name == "user"
		mayBeEmpty := f.Name == "notes" || f.Name == "search" || hasVariable(f) && !isName
		if err == nil && !mayBeEmpty && f.Value.Type() == "string" && f.Value.String() == "" {
			err = usageError("--" + f.Name + " must not be empty")
		}
	})
	return err
}

// nameVariables adds to the description of each flag of cmd the name of its variable.
func nameVariables(cmd *cobra.Command) {
	name := func(f *pflag.Flag) {
		if suffix := " [" + variable(f.Name) + "]"; hasVariable(f) && !strings.HasSuffix(f.Usage, suffix) {
			f.Usage += suffix
		}
	}
	cmd.PersistentFlags().VisitAll(name)
	cmd.Flags().VisitAll(name)
}

// completeFlags sets the flags that are not given.
func (c *cli) completeFlags(cmd *cobra.Command, _ []string) error {
	err := setFlags(cmd.Flags(), func(f *pflag.Flag) (source, value string, err error) {
		source = variable(f.Name)
		if !hasVariable(f) {
			return source, "", nil
		}
		if secretFlags[f.Name] {
			value, err = secretVariable(c.getenv, source)
			return source, value, err
		}
		return source, withoutNewline(c.getenv(source)), nil
	})
	if err != nil {
		return err
	}
	c.given = map[string]bool{}
	cmd.Flags().Visit(func(f *pflag.Flag) { c.given[f.Name] = true })
	config := cmd.Flags().Lookup(configFlag)
	if config == nil || config.Value.String() == "" {
		return nil
	}
	path := config.Value.String()
	settings, err := readConfig(path, cmd.Flags())
	if err != nil {
		return usageError("--config: " + err.Error())
	}
	return setFlags(cmd.Flags(), func(f *pflag.Flag) (source, value string, err error) {
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

// checkChoice returns an error unless value is one of several.
func checkChoice(value string, choices ...string) error {
	if slices.Contains(choices, value) {
		return nil
	}
	last := len(choices) - 1
	return fmt.Errorf("%q is neither %s nor %s", value, strings.Join(choices[:last], ", "), choices[last])
}
