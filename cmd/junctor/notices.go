package main

import (
	"cmp"
	"fmt"

	"github.com/rs/zerolog"

	"junctor/pkg/notify"
	"junctor/pkg/store"
)

// openNotices opens the publisher of change notices in the state folder; home is an embedded store's folder, see
// openHome. It returns nil if no broker is configured.
func (c *serveConfig) openNotices(home string, s *store.Store, log zerolog.Logger) (*notify.Publisher, error) {
	if c.amqpURL == "" {
		return nil, nil
	}
	folder := cmp.Or(c.stateDir, home, c.userDir)
	if folder == "" {
		return nil, fmt.Errorf("the checkpoint of change notices: %w", errNoState)
	}
	return notify.Open(notify.Options{URL: c.amqpURL, Dir: folder, Node: nodeName(), Log: log}, s)
}
