// Package inventory lists the pool of dedicated IPs for operators: searches over all addresses, counts by zone and
// host, and the accounts with the number of addresses of each.
//
// It reads the pool from memory as package dedicatedip has it, and from the views of the store while that is not current.
// It changes nothing, and knows neither HTTP nor who may ask.
package inventory

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"hash/fnv"
	"strings"

	"junctor/pkg/accountlist"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/startkey"
	"junctor/pkg/store"
)

// Store is what an Inventory needs of a store.
type Store interface {
	store.Viewer
	GetMany(ctx context.Context, db string, ids []string) (map[string]document.Document, error)
}

// Inventory reads the pool. It is safe for concurrent use.
type Inventory struct {
	pool     *dedicatedip.Pool
	accounts *accountlist.List
	store    Store
}

// New returns the inventory of a pool and of the accounts that hold its addresses, both of which are in store.
func New(pool *dedicatedip.Pool, accounts *accountlist.List, s Store) *Inventory {
	return &Inventory{pool: pool, accounts: accounts, store: s}
}

// The sizes of pages.
const (
	DefaultPageSize = 100
	MaxPageSize     = 1000
)

// PageSize returns how many rows a page has at most, if that is given; 0 is DefaultPageSize. What is negative, or above
// MaxPageSize, is a fault.Invalid.
func PageSize(given int) (int, error) {
	switch {
	case given == 0:
		return DefaultPageSize, nil
	case given < 0:
		return 0, fault.Finding("page_size", "minimum", "Value must be at least 1",
			map[string]any{"target": 1, "value": given})
	case given > MaxPageSize:
		return 0, fault.Finding("page_size", "maximum", "Value must be at most 1000",
			map[string]any{"target": MaxPageSize, "value": given})
	}
	return given, nil
}

// maxText bounds what is searched for, in bytes.
const maxText = 256

// searched returns a search text without white space around it, or fault.Invalid if it is too long.
func searched(text string) (string, error) {
	text = strings.TrimSpace(text)
	if len(text) > maxText {
		return "", fault.Finding("search", "maxLength", "String must not have more than 256 bytes",
			map[string]any{"target": maxText})
	}
	return text, nil
}

// position is where a page begins.
type position struct {
	After []string `json:"after"` // what the page before ended with
	Of    string   `json:"of"`    // the listing
}

// listingOf returns a text that differs from those of listings with other filters.
func listingOf(filters ...string) string {
	text, _ := json.Marshal(filters) // strings can be encoded
	hash := fnv.New64a()
	_, _ = hash.Write(text) // never fails
	return hex.EncodeToString(hash.Sum(nil))
}

// after returns what the page before ended with, by the start key of a listing that has so many parts. It returns nil
// without one.
func after(key, listing string, parts int) ([]string, error) {
	if key == "" {
		return nil, nil
	}
	var at position
	err := startkey.Decode(key, &at)
	if err == nil && (at.Of != listing || len(at.After) != parts) {
		err = startkey.Invalid(key)
	}
	return at.After, err
}
