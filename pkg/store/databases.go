package store

import (
	"context"
	"net/url"
	"slices"
	"strings"
)

// Databases returns the names of all databases, sorted, but for CouchDB's own: those begin with "_".
func (s *Store) Databases(ctx context.Context) (names []string, err error) {
	err = s.call("databases", "", func() error {
		all, err := s.client.AllDBs(ctx)
		for _, name := range all {
			if name, ok := plainName(name); ok {
				names = append(names, name)
			}
		}
		return err
	})
	slices.Sort(names)
	return names, err
}

// plainName returns the name of a database that a server lists, unless it is one of CouchDB's own. PouchDB lists names
// escaped as in a path; no name has a "%".
func plainName(listed string) (name string, ok bool) {
	if plain, err := url.PathUnescape(listed); err == nil {
		listed = plain
	}
	return listed, listed != "" && !strings.HasPrefix(listed, "_")
}
