package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"net/url"

	"junctor/pkg/auth/kazoocluster"
	"junctor/pkg/kazoo"
)

// registration is a kazoocluster.Cluster as the operator sees it.
type registration struct {
	ID        string `json:"id"`
	URL       string `json:"url"`
	HasAPIKey bool   `json:"has_api_key"`
}

func (r registration) row() []string {
	row := []string{r.ID, r.URL}
	if r.HasAPIKey {
		row = append(row, "with an API key")
	}
	return row
}

func defineCluster(fs *flag.FlagSet) task {
	asJSON := fs.Bool("json", false, "print a line of JSON")
	return func(p *process, operands []string) (job, error) {
		switch verb := first(operands); {
		case verb == "add" && len(operands) == 3:
			if err := checkCluster(operands[1], operands[2]); err != nil {
				return job{}, err
			}
			return writing(func(ctx context.Context, w *workplace, p *process) error {
				return addCluster(ctx, w, p, operands[1], operands[2], *asJSON)
			}), nil
		case verb == "list" && len(operands) == 1:
			return reading(func(ctx context.Context, w *workplace, p *process) error {
				return listClusters(ctx, w, p, *asJSON)
			}), nil
		case verb == "remove" && len(operands) == 2:
			return writing(func(ctx context.Context, w *workplace, _ *process) error {
				return w.clusters.Remove(ctx, operands[1])
			}), nil
		}
		return job{}, usageError("cluster: it takes \"add ID URL\", \"list\" or \"remove ID\"")
	}
}

// checkCluster refuses what can't be the id and the URL of a cluster.
func checkCluster(id, apiURL string) error {
	if !kazoo.IsID(id) {
		return errors.New("a cluster id is 32 digits and letters from a to f")
	}
	_, err := kazoocluster.NormalizeURL(apiURL)
	return err
}

// addCluster registers a cluster. The own one has its documents here and is never asked.
func addCluster(ctx context.Context, w *workplace, p *process, id, apiURL string, asJSON bool) error {
	own, err := w.accounts.ClusterID(ctx)
	if err != nil {
		return err
	}
	if id == own {
		return fmt.Errorf("%s is the cluster that this store belongs to: its own tokens are good here already", id)
	}
	added, err := w.clusters.Add(ctx, id, apiURL, p.secret)
	if err != nil {
		return err
	}
	if unencrypted(added.URL) {
		_, _ = fmt.Fprintf(p.stderr,
			"junctor: warning: tokens go to %s unencrypted; use https:// where others can listen\n", added.URL)
	}
	r := registration(added)
	return p.print(asJSON, r, [][]string{r.row()})
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

func listClusters(ctx context.Context, w *workplace, p *process, asJSON bool) error {
	clusters, err := w.clusters.List(ctx)
	if err != nil && !neverInstalled(err) {
		return err
	}
	list, rows := make([]registration, len(clusters)), make([][]string, len(clusters))
	for i, c := range clusters {
		list[i] = registration(c)
		rows[i] = list[i].row()
	}
	return p.print(asJSON, list, rows)
}
