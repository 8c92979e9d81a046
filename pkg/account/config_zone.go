package account

import (
	"context"
	"sync"
	"time"

	"junctor/pkg/document"
)

// ZoneNames knows under which name a zone goes among addresses (kz_ips:get_zone_name): Kazoo's operators may name the
// zones of their proxies otherwise than those of their nodes. It is safe for concurrent use.
type ZoneNames struct {
	config Config
	now    func() time.Time

	mu    sync.Mutex
	names document.Document // by the zone's own name
	asked time.Time
}

// NewZoneNames answers the names in a cluster's settings.
func NewZoneNames(c Config, now func() time.Time) *ZoneNames { return &ZoneNames{config: c, now: now} }

// zonePause is how long what was read counts, so that a change shows soon and costs requests nothing.
const zonePause = time.Second

// Of answers the name of a zone: its own where the settings have no other, or can't be read for the first time.
func (z *ZoneNames) Of(ctx context.Context, zone string) string {
	if zone == "" {
		return ""
	}
	if z.due() {
		z.read(ctx)
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if name := z.names.String(zone); name != "" {
		return name
	}
	return zone
}

// due reports whether it is the caller's turn to read. Those who come meanwhile make do with what there is: nobody
// waits for a store that is slow to answer somebody else.
func (z *ZoneNames) due() bool {
	z.mu.Lock()
	defer z.mu.Unlock()
	now := z.now()
	if !z.asked.IsZero() && now.Sub(z.asked) < zonePause {
		return false
	}
	z.asked = now
	return true
}

// read reads the names. While the store fails, the last ones stay.
func (z *ZoneNames) read(ctx context.Context) {
	value, err := z.config.value(ctx, "ips", []string{"zone_name_map"})
	if err != nil {
		return
	}
	names, _ := value.(map[string]any)
	z.mu.Lock()
	defer z.mu.Unlock()
	z.names = names
}
