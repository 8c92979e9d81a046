package account

import (
	"context"
	"errors"
	"fmt"

	"junctor/pkg/document"
	"junctor/pkg/kazoo"
)

// Node is what a process is called in the settings. Its zero value is a process that has none of its own.
type Node struct {
	Name string // as Kazoo's are called: what it is, "@", its host
	Zone string // which may have many nodes
}

// DefaultSection is where the settings are that hold for all nodes.
const DefaultSection = "default"

// Sections returns which sections of a document of settings count for a node, the first one most
// (kapps_config:get_value).
func (n Node) Sections() []string {
	sections := make([]string, 0, 3)
	for _, section := range []string{n.Name, n.Zone} {
		if section != "" {
			sections = append(sections, section)
		}
	}
	return append(sections, DefaultSection)
}

// Config reads the settings of the cluster, database system_config: a document an application, in it sections for
// nodes and zones and one for all of them. Each setting is looked up by itself: the first section that has it counts.
type Config struct {
	documents Reader
	node      Node
}

// NewConfig returns the settings in documents, as they are for a process that has none of its own.
func NewConfig(documents Reader) Config { return Config{documents: documents} }

// At returns the settings as they are for a node.
func (c Config) At(n Node) Config { return Config{documents: c.documents, node: n} }

// Text returns the text that a path of keys leads to in a document, "" where there is none.
func (c Config) Text(ctx context.Context, name string, path ...string) (string, error) {
	value, err := c.Value(ctx, name, path...)
	text, _ := value.(string)
	return text, err
}

// Int returns the integer that a path of keys leads to in a document, as Kazoo reads one (kapps_config:get_integer);
// ok is false where there is none.
func (c Config) Int(ctx context.Context, name string, path ...string) (n int64, ok bool, err error) {
	value, err := c.Value(ctx, name, path...)
	n, ok = document.Document{"n": value}.Int("n")
	return n, ok, err
}

// Off reports whether the switch that a path of keys leads to in a document is there and not on (kz_term:is_true).
func (c Config) Off(ctx context.Context, name string, path ...string) (bool, error) {
	value, err := c.Value(ctx, name, path...)
	return value != nil && value != true && value != "true", err
}

// Value returns what a path of keys leads to in the first section of a document that has it, nil where none has. A null
// is nothing, as in Kazoo.
func (c Config) Value(ctx context.Context, name string, path ...string) (any, error) {
	doc, err := c.documents.Get(ctx, kazoo.SystemConfig, name)
	if err != nil && !Missing(err) {
		return nil, err
	}
	for _, section := range c.node.Sections() {
		if value := follow(doc[section], path); value != nil {
			return value, nil
		}
	}
	return nil, nil
}

func follow(value any, path []string) any {
	for _, key := range path {
		object, _ := value.(map[string]any)
		value = object[key]
	}
	return value
}

// Master returns the id of the master account, "" where the cluster has none yet.
func (c Config) Master(ctx context.Context) (string, error) {
	return c.Text(ctx, "accounts", "master_account_id")
}

// ClusterID returns the id of the cluster, "" where it has none yet.
func (c Config) ClusterID(ctx context.Context) (string, error) {
	return c.Text(ctx, "cluster", "cluster_id")
}

// ZoneName returns under which name a zone goes among addresses (kz_ips:get_zone_name): Kazoo's operators may name the
// zones of their proxies otherwise than those of their nodes. The first section that has such names counts as a whole.
// A zone has its own name where the settings have no other, or can't be read.
func (c Config) ZoneName(ctx context.Context, zone string) string {
	value, _ := c.Value(ctx, "ips", "zone_name_map")
	names, _ := value.(map[string]any)
	if name, _ := names[zone].(string); name != "" {
		return name
	}
	return zone
}

// Cooling returns for how many seconds an address that an account gave back goes to no other account: cooling_s of the
// settings of ips, 0 where there is none.
func (c Config) Cooling(ctx context.Context) (seconds int64, err error) {
	seconds, _, err = c.Int(ctx, "ips", "cooling_s")
	return seconds, err
}

// MaxPerAccount returns how many addresses an account can have by its own requests: max_per_account of the settings of
// ips. ok is false if there is no limit, which a negative number stands for, too.
func (c Config) MaxPerAccount(ctx context.Context) (most int64, ok bool, err error) {
	most, ok, err = c.Int(ctx, "ips", "max_per_account")
	return most, ok && most >= 0, err
}

// MasterAPIKey returns the API key of the master account, as the settings of a node name it. It belongs in no log.
func MasterAPIKey(ctx context.Context, documents Reader, node Node) (string, error) {
	id, err := NewConfig(documents).At(node).Master(ctx)
	if err != nil {
		return "", err
	}
	if id == "" {
		return "", errors.New("system_config/accounts names no master_account_id")
	}
	doc, err := read(ctx, documents, id)
	if err != nil {
		return "", err
	}
	key := doc.String("pvt_api_key")
	if key == "" {
		return "", fmt.Errorf("the document of the master account %s has no pvt_api_key", id)
	}
	return key, nil
}
