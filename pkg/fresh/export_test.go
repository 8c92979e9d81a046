package fresh

import "time"

// The bounds, for tests.
const (
	MaxDatabases = maxDatabases
	MaxAbsent    = maxAbsent
	SlotBytes    = slotBytes
)

// Age has databases not used for so long.
func (d *Documents) Age(unused time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, db := range d.databases {
		db.used = db.used.Add(-unused)
	}
}
