package main

import (
	"context"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"junctor/pkg/backup"
	"junctor/pkg/store"
	"junctor/pkg/store/embedded"
)

func (c *cli) backupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup FILE|-",
		Short: "Back up an embedded store, while it is served",
		Long: `Writes a backup of an embedded store, while it is served and written to: the
store as it is when the command begins, and what else is in its folder. "-" is
the standard output.

The file appears when it is complete, and replaces one of that name. It holds
passwords and keys, and only its owner may read it. "junctor restore" makes a
store of it.`,
		Args: operands(1, 1),
	}
	return c.storeCommand(cmd, storeTask{
		check: func([]string) error { return c.checkFolderStore("\"junctor export\" writes all of it into a file") },
		out:   true,
		run: func(ctx context.Context, a *app, _ []string) error {
			err := backup.Write(ctx, c.stdout, a.store, backup.Options{
				Folder: a.home, Version: version(), Now: time.Now(),
			})
			zerolog.Ctx(ctx).Info().Err(err).Msg("backup")
			return err
		},
		asIs: true,
	})
}

// checkFolderStore refuses a store that is not in a folder. In a server it is the server's.
func (c *cli) checkFolderStore(remedy string) error {
	switch {
	case c.app != nil:
		return nil
	case store.IsCouchDB(c.store.dsn):
		return usageError("a CouchDB has its own tools for this, and " + remedy)
	case c.store.dsn == embedded.Memory:
		return usageError("a store in memory has no folder")
	}
	return nil
}
