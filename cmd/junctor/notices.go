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
func (f *serveFlags) openNotices(home string, s *store.Store, log zerolog.Logger) (*notify.Publisher, error) {
	if f.amqpURL == "" {
		return nil, nil
	}
	folder := cmp.Or(f.stateDir, home, f.userDir)
	if folder == "" {
		return nil, fmt.Errorf("the checkpoint of change notices: %w", errNoState)
	}
	return notify.Open(notify.Options{URL: f.amqpURL, Dir: folder, Node: nodeName(), Log: log}, s)
}
