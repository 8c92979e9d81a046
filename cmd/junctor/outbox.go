package main

import (
	"cmp"
	"fmt"

	"github.com/rs/zerolog"

	"junctor/pkg/notice"
)

// openOutbox opens the file of notices for the broker, in the folder of state: home is an embedded store's, see
// openHome. Where there is no broker it answers nil.
func (c *serveConfig) openOutbox(home string, log zerolog.Logger) (*notice.Outbox, error) {
	if c.amqpURL == "" {
		return nil, nil
	}
	folder := cmp.Or(c.stateDir, home, c.userDir)
	if folder == "" {
		return nil, fmt.Errorf("the file of waiting notices: %w", errNoState)
	}
	return notice.Open(notice.Options{URL: c.amqpURL, Dir: folder, Node: nodeName(), Log: log})
}
