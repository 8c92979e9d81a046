package dedicatedip

import (
	"cmp"
	"context"

	"github.com/rs/zerolog"

	"junctor/pkg/history"
)

// loggedIPs bounds how many addresses a log line names.
const loggedIPs = 100

// logChange writes the one log line about a change of the pool: action, From and To of the event are those of all
// addresses. Who made it is in the context's logger.
func logChange(ctx context.Context, e history.Event, ids ...string) {
	if len(ids) == 0 {
		return
	}
	line := zerolog.Ctx(ctx).Info().Str("action", string(e.Action))
	if accountID := cmp.Or(e.To, e.From); accountID != "" {
		line.Str("account", accountID)
	}
	if e.Action == history.Moved {
		line.Str("from", e.From)
	}
	line.Int("count", len(ids)).Strs("ips", ids[:min(len(ids), loggedIPs)]).Msg("change")
}
