package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// offerCompletions says for a command and those below it how a shell completes operands and the values of flags: with names
// of files only if it is a file or folder that is wanted. It is called when a shell asks, and not for each command: cobra
// registers the flags for the life of the process, which may be a server's.
func offerCompletions(cmd *cobra.Command) {
	if cmd.ValidArgsFunction == nil && !strings.Contains(cmd.Use, "FILE") && !strings.Contains(cmd.Use, "DIR") {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		name, usage := pflag.UnquoteUsage(f)
		f.Usage = usage // a shell shows it as it is
		values := f.Annotations[oneOf]
		if values != nil || !slices.Contains([]string{"FILE", "FOLDER", "STORE"}, name) {
			_ = cmd.RegisterFlagCompletionFunc(f.Name, // fails for a flag that another command has registered
				cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
		}
	})
	for _, sub := range cmd.Commands() {
		offerCompletions(sub)
	}
}
