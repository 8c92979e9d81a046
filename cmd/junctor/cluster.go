package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"

	"github.com/spf13/cobra"

	"junctor/pkg/auth/trust"
	"junctor/pkg/kazoo"
)

func (c *cli) clusterCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "cluster",
		Short: "Register other Kazoo clusters, whose tokens are then accepted",
		Long: `Registers other Kazoo clusters. A token of a registered cluster is verified by
that cluster's API, and grants access to that cluster's routing document.`,
	}, c.clusterAddCommand(), c.clusterListCommand(), c.clusterRemoveCommand())
}

func (c *cli) clusterAddCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "add ID URL",
		Short: "Register a cluster by its id and the URL of its API",
		Long: `Registers a cluster by its id and the URL of its API.

An API key of the cluster is stored sealed, in the field that the documentation
of such clusters has for it. junctor does not use it: leave it out.`,
		Args: operands(2, 2),
	}
	return c.storeCommand(cmd, storeTask{
		input: c.defineAPIKey(cmd),
		check: func(args []string) error { return checkCluster(args[0], args[1]) },
		run: func(ctx context.Context, a *app, args []string) error {
			return c.addCluster(ctx, a, args[0], args[1])
		},
	})
}

// checkCluster refuses what can't be the id and the URL of a cluster.
func checkCluster(id, apiURL string) error {
	if !kazoo.IsID(id) {
		return errors.New("a cluster id is 32 digits and letters from a to f")
	}
	_, err := trust.NormalizeURL(apiURL)
	return err
}

// addCluster registers a cluster other than the store's own, whose tokens are verified here.
func (c *cli) addCluster(ctx context.Context, a *app, id, apiURL string) error {
	own, err := a.accounts.ClusterID(ctx)
	if err != nil {
		return err
	}
	if id == own {
		return fmt.Errorf("%s is the cluster that this store belongs to: its own tokens are good here already", id)
	}
	added, err := a.clusters.Add(ctx, id, apiURL, c.input)
	if err != nil {
		return err
	}
	if unencrypted(added.URL) {
		_, _ = fmt.Fprintf(c.stderr,
			"junctor: warning: tokens go to %s unencrypted; use https:// where others can listen\n", added.URL)
	}
	return c.print(added, [][]string{clusterColumns, clusterRow(added)})
}

// unencrypted reports whether what is sent to a URL can be read on a network.
func unencrypted(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" {
		return false
	}
	address, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() != "localhost" && (err != nil || !address.IsLoopback())
}

func (c *cli) clusterListCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List the registered clusters", Args: operands(0, 0)}
	return c.storeCommand(cmd, storeTask{
		asIs: true,
		run: func(ctx context.Context, a *app, _ []string) error {
			clusters, err := a.clusters.List(ctx)
			if err != nil && !neverInstalled(err) {
				return err
			}
			rows := [][]string{clusterColumns}
			for _, cluster := range clusters {
				rows = append(rows, clusterRow(cluster))
			}
			return c.print(append([]trust.Cluster{}, clusters...), rows)
		},
	})
}

func (c *cli) clusterRemoveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "remove ID",
		Short: "Remove a cluster: its tokens are then refused",
		Args:  operands(1, 1),
	}
	return c.storeCommand(cmd, storeTask{run: func(ctx context.Context, a *app, args []string) error {
		if err := a.clusters.Remove(ctx, args[0]); err != nil {
			return err
		}
		return c.printRemoved(args[0])
	}})
}

// clusterColumns is the first row of a table of clusters.
var clusterColumns = []string{"CLUSTER", "URL", "API KEY"}

func clusterRow(cluster trust.Cluster) []string {
	key := "no"
	if cluster.HasAPIKey {
		key = "yes"
	}
	return []string{cluster.ID, cluster.URL, key}
}
