package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"junctor/pkg/progress"
	"junctor/pkg/transfer"
)

func (c *cli) exportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export FILE|-",
		Short: "Write all databases of a store to a file",
		Long: `Writes all databases of a store to a file, with a line of JSON for each
document: the way between an embedded store and a CouchDB. "-" is the standard
output. "junctor import" writes such a file to a store.

The file appears when it is complete, and replaces one of that name. It holds
passwords and keys, and only its owner may read it.

Stop what writes to the store first: each document is exported as it is when it
is read. Databases that were written to meanwhile are named.`,
		Args: operands(1, 1),
	}
	return c.storeCommand(cmd, storeTask{
		out: true,
		run: func(ctx context.Context, a *app, _ []string) error {
			shown := progress.New(c.stderr, c.terminal.Interactive)
			done, err := transfer.Export(ctx, c.stdout, a.store, transfer.ExportOptions{
				Version: version(), Now: time.Now(), Progress: func(p transfer.Progress) {
					shown.Show(int64(p.Databases-1), int64(p.Total), progressText(p))
				},
			})
			shown.End()
			zerolog.Ctx(ctx).Info().Err(err).Int("documents", done.Documents).Msg("export")
			if err != nil {
				return err
			}
			c.say("exported %d databases, %d documents and %d attachments", done.Databases, done.Documents, done.Attachments)
			if done.Conflicts > 0 {
				c.say("%d documents have losing revisions of a conflict, which are not in the file", done.Conflicts)
			}
			if len(done.Written) > 0 {
				c.say("what was written after it was read is not in the file; written to meanwhile: %s",
					some(done.Written))
			}
			return nil
		},
		asIs:  true,
		local: true,
	})
}

func progressText(p transfer.Progress) string {
	return fmt.Sprintf("%d documents, %d attachments, %d MB, %s", p.Documents, p.Attachments, p.Bytes/1e6, p.Database)
}

// some lists the first of many names.
func some(names []string) string {
	const most = 10
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
