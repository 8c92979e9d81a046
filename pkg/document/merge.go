package document

import "maps"

// Merge answers base changed by patch, as Crossbar's PATCH does it: objects are merged key by key, null removes
// the key, and everything else replaces what was there, lists and empty objects included. Neither argument is
// changed; the result shares with them what it did not have to rebuild.
func Merge(base, patch map[string]any) map[string]any {
	merged := make(map[string]any, len(base)+len(patch))
	maps.Copy(merged, base)
	for key, change := range patch {
		if change == nil {
			delete(merged, key)
			continue
		}
		merged[key] = mergeValue(merged[key], change)
	}
	return merged
}

func mergeValue(old, change any) any {
	changes, ok := change.(map[string]any)
	if !ok || len(changes) == 0 {
		return change
	}
	// Where no object was, one of only removals is empty: a null never gets stored by way of a removal.
	object, _ := old.(map[string]any)
	return Merge(object, changes)
}

// Patched answers d with a client's changes merged in. The private keys and the id are not the client's to set.
func (d Document) Patched(changes Document) Document {
	return Merge(d, changes.settable())
}

// Replaced answers the client's document with the private keys of d: a POST replaces all that is public, unknown
// fields included, and nothing else.
func (d Document) Replaced(by Document) Document {
	replaced := by.settable()
	for key, value := range d {
		if IsPrivate(key) {
			replaced[key] = value
		}
	}
	return replaced
}

// settable answers what of a client's document may be stored.
func (d Document) settable() Document {
	public := maps.Clone(d)
	maps.DeleteFunc(public, func(key string, _ any) bool { return IsPrivate(key) || key == "id" })
	if public == nil {
		return Document{}
	}
	return public
}
