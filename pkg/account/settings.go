package account

import (
	"context"
	"encoding/json"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
)

// ownSettings are the settings that only junctor reads: by document and key, the least number that each can be.
var ownSettings = map[[2]string]int64{
	{"ips", "cooling_s"}:       0,
	{"ips", "max_per_account"}: -1,
}

// SetDefault sets a setting for all nodes (Kazoo: kapps_config:set_default/3). A number of ours that is not whole, or too
// small, is fault.Invalid. Where a Kazoo lives, settings that it reads are ErrManagedByKazoo: it has them in its caches.
func (f *Provisioner) SetDefault(ctx context.Context, name, key string, value any) error {
	if least, own := ownSettings[[2]string{name, key}]; own {
		number, _ := value.(json.Number)
		if n, err := number.Int64(); err != nil || n < least {
			return fault.Finding(key, "minimum", "must be a whole number, at least the target",
				map[string]any{"target": least, "value": value})
		}
	} else if managed, err := f.ManagedByKazoo(ctx); err != nil || managed {
		if err == nil {
			err = ErrManagedByKazoo
		}
		return err
	}
	_, err := f.store.Update(ctx, kazoo.SystemConfig, name, func(doc document.Document) error {
		section, _ := doc[DefaultSection].(map[string]any)
		if section == nil {
			section = map[string]any{}
		}
		if doc.Rev() == "" {
			f.stamp(doc, kazoo.SystemConfig, kazoo.SystemConfig)
			doc[kazoo.FieldType] = "config"
		}
		section[key], doc[kazoo.FieldModified] = value, document.Number(kazoo.Gregorian(f.now()))
		doc[DefaultSection] = section
		return nil
	})
	return err
}
