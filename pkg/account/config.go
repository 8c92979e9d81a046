package account

import (
	"context"

	"junctor/pkg/document"
)

// The databases of the system that the package reads and writes.
const (
	accountsDB = "accounts"
	configDB   = "system_config"
	keysDB     = "system_auth"
	servicesDB = "services"
)

// Config reads the settings of the cluster, database system_config: a document an application, in it sections
// for nodes and zones and "default". Only "default" is read.
type Config struct{ documents Reader }

// NewConfig answers the settings in documents.
func NewConfig(documents Reader) Config { return Config{documents} }

// Text answers the text that a path of keys leads to in a document, "" where there is none.
func (c Config) Text(ctx context.Context, name string, path ...string) (string, error) {
	section, key, err := c.section(ctx, name, path)
	return section.String(key), err
}

// Int answers the integer that a path of keys leads to in a document; ok is false where there is none.
func (c Config) Int(ctx context.Context, name string, path ...string) (n int64, ok bool, err error) {
	section, key, err := c.section(ctx, name, path)
	n, ok = section.Int(key)
	return n, ok, err
}

// Off reports whether the switch that a path of keys leads to in a document is there and off.
func (c Config) Off(ctx context.Context, name string, path ...string) (bool, error) {
	section, key, err := c.section(ctx, name, path)
	return section[key] == false || section[key] == "false", err
}

// section answers the object that holds the last key of path, and that key.
func (c Config) section(ctx context.Context, name string, path []string) (document.Document, string, error) {
	doc, err := c.documents.Get(ctx, configDB, name)
	if Missing(err) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	last := len(path) - 1
	section, _ := doc["default"].(map[string]any)
	for _, key := range path[:last] {
		section, _ = section[key].(map[string]any)
	}
	return section, path[last], nil
}

// Master answers the id of the master account, "" where the cluster has none yet.
func (c Config) Master(ctx context.Context) (string, error) {
	return c.Text(ctx, "accounts", "master_account_id")
}

// ClusterID answers the id of the cluster, "" where it has none yet.
func (c Config) ClusterID(ctx context.Context) (string, error) {
	return c.Text(ctx, "cluster", "cluster_id")
}
