package main

import (
	"cmp"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"
)

// helpWidth is the longest line of help.
const helpWidth = 80

// printHelp prints the help of a command.
func printHelp(cmd *cobra.Command, _ []string) {
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	w := cmd.OutOrStdout()
	usage := cmd.UseLine()
	if cmd.HasAvailableSubCommands() {
		usage = cmd.CommandPath() + " COMMAND"
	}
	_, _ = fmt.Fprintf(w, "Usage: %s\n\n%s\n", usage, cmp.Or(cmd.Long, cmd.Short+"."))
	if cmd.HasAvailableSubCommands() {
		_, _ = fmt.Fprintln(w, "\nCommands:")
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() || sub.Name() == "help" {
				_, _ = fmt.Fprintf(table, "  %s\t%s\n", sub.Name(), sub.Short)
			}
		}
		_ = table.Flush()
	}
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.AddFlagSet(cmd.LocalFlags())
	flags.AddFlagSet(cmd.InheritedFlags())
	_, _ = fmt.Fprintf(w, "\nFlags:\n%s", flags.FlagUsagesWrapped(helpWidth))
	if cmd.HasAvailableSubCommands() {
		_, _ = fmt.Fprintf(w, "\n\"%s COMMAND --help\" describes a command.\n", cmd.CommandPath())
	}
}

// helpOf prints the help of the command that args name.
func helpOf(cmd *cobra.Command, args []string) error {
	found, rest, err := cmd.Root().Find(args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return unknownCommand(found, rest[0])
	}
	return found.Help()
}

// completionHelp returns the help of the command that prints the completion script for a shell. It replaces cobra's,
// whose lines are too long.
func completionHelp(shell *cobra.Command) string {
	load := fmt.Sprintf("source <(%s)", shell.CommandPath())
	switch shell.Name() {
	case "fish":
		load = shell.CommandPath() + " | source"
	case "powershell":
		load = shell.CommandPath() + " | Out-String | Invoke-Expression"
	}
	return fmt.Sprintf(`Prints a script that completes commands and flags in %s. To load it:

  %s`, shell.Name(), load)
}

// manCommand writes manual pages, for packages.
func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write a manual page for each command to a folder",
		Args:   operands(1, 1),
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			header := &doc.GenManHeader{Section: "1", Source: "junctor " + version(), Manual: "junctor"}
			return doc.GenManTree(cmd.Root(), header, args[0])
		},
	}
}
