package dedicatedip

import (
	"context"

	"github.com/rs/zerolog"
)

// The actions of changes, in logs.
const (
	actionCreated  = "created"
	actionAssigned = "assigned"
	actionReleased = "released"
	actionDeleted  = "deleted"
)

// loggedIPs bounds how many addresses a log line names.
const loggedIPs = 100

// logChange writes the one log line about a change of the pool. Who made it is in the context's logger. accountID is the
// account that has the addresses now, or had them until now; it may be empty.
func logChange(ctx context.Context, action, accountID string, ids ...string) {
	if len(ids) == 0 {
		return
	}
	event := zerolog.Ctx(ctx).Info().Str("action", action)
	if accountID != "" {
		event.Str("account", accountID)
	}
	event.Int("count", len(ids)).Strs("ips", ids[:min(len(ids), loggedIPs)]).Msg("change")
}
