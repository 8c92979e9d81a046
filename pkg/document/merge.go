package document

import "maps"

// Merge returns base changed by patch, as Crossbar's PATCH does it: objects are merged key by key, null removes
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

// Patched returns d with a client's changes merged in. A client can't set private keys or the id.
func (d Document) Patched(changes Document) Document {
	return Merge(d, changes.settable())
}

// Replaced returns the client's document with the private keys of d: a POST replaces everything public, including
// unknown fields, and nothing else.
func (d Document) Replaced(by Document) Document {
	replaced := by.settable()
	for key, value := range d {
		if IsPrivate(key) {
			replaced[key] = value
		}
	}
	return replaced
}

// settable returns the part of a client's document that may be stored.
func (d Document) settable() Document {
	public := maps.Clone(d)
	maps.DeleteFunc(public, func(key string, _ any) bool { return IsPrivate(key) || key == "id" })
	if public == nil {
		return Document{}
	}
	return public
}
