package main

import (
	"context"

	"github.com/spf13/cobra"
)

func (c *cli) bootstrapCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bootstrap",
		Short: "Make a store usable",
		Long: `Creates what a store lacks: databases, settings, a signing key and the master
account. It may be repeated. In a Kazoo's CouchDB it changes nothing of Kazoo's.

Prints the id and the API key of the master account, and the cluster's id.`,
		Args: operands(0, 0),
	}
	return c.storeCommand(cmd, storeTask{
		creates: true,
		run: func(ctx context.Context, a *app, _ []string) error {
			b, err := a.bootstrap(ctx)
			if err != nil {
				return err
			}
			return c.print(b, [][]string{
				{"master account", b.AccountID}, {"its API key", b.APIKey}, {"cluster", b.ClusterID},
			})
		},
	})
}
