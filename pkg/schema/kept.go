package schema

import "time"

// kept remembers things by id until they are too much; then it begins anew.
type kept[T any] struct {
	things map[string]thing[T]
	length int
}

// thing is something that was made at some time, of texts of some length.
type thing[T any] struct {
	value  T
	length int
	made   time.Time
}

func (k *kept[T]) get(id string) (value T, made time.Time, ok bool) {
	found, ok := k.things[id]
	return found.value, found.made, ok
}

// put remembers a thing in place of the one of the same id. One that is too long by itself is not remembered.
func (k *kept[T]) put(id string, value T, length int, made time.Time) {
	k.length -= k.things[id].length
	delete(k.things, id)
	if length > maxKept {
		return
	}
	if k.things == nil || k.length+length > maxKept {
		k.things, k.length = map[string]thing[T]{}, 0
	}
	k.things[id] = thing[T]{value, length, made}
	k.length += length
}
