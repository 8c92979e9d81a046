package api

import "junctor/pkg/crossbar"

// Health is the state of a server and of what it depends on, for operators. Numbers of what was done are since its start.
type Health struct {
	Store StoreHealth `json:"store"`
	Feed  FeedHealth  `json:"feed"`
	// FullPass is the last one that was completed, by any server on the store; nil if there was none, or while the store
	// does not respond.
	FullPass *PassHealth `json:"full_pass,omitempty"`
	// CopiesRepaired has how many of the accounts' copies were not what the pool says, by what was done to them.
	CopiesRepaired map[string]uint64 `json:"copies_repaired"`
	// Settings are what operators have set for the pool; nil while they cannot be read.
	Settings *PoolSettings `json:"settings,omitempty"`
	// Notices are the change notices, nil without a broker.
	Notices *NoticesHealth `json:"notices,omitempty"`
	// Billing has by "hook" and "kazoo", where they are configured, the accounts that wait for a call.
	Billing map[string]QueueHealth `json:"billing"`
	Version string                 `json:"version"`
}

// StoreHealth says whether a write would succeed.
type StoreHealth struct {
	Kind   string `json:"kind"` // "couchdb" or "embedded"
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"` // why Status is not "ok", as of /readyz
}

// FeedHealth is how current the addresses in memory are.
type FeedHealth struct {
	Loaded    bool    `json:"loaded"`
	Age       float64 `json:"age_s"` // how far they may be behind the store, in seconds; 0 before they are loaded
	Addresses int     `json:"addresses"`
	Bypassed  uint64  `json:"reads_from_store"` // since memory was not current
}

// PassHealth is a full pass over the accounts' copies.
type PassHealth struct {
	Began int64 `json:"began"` // Gregorian seconds
	Age   int64 `json:"age_s"` // seconds since then
}

// PoolSettings are those of "ips" in the settings of the system.
type PoolSettings struct {
	Cooling int64 `json:"cooling_s"`
	// MaxPerAccount is how many addresses an account can have by its own requests, nil without a limit.
	MaxPerAccount *int64 `json:"max_per_account,omitempty"`
}

// NoticesHealth is the state of the change notices.
type NoticesHealth struct {
	Connected bool    `json:"connected"`
	Waiting   int     `json:"waiting"`
	Oldest    float64 `json:"oldest_s"` // how long the next one has waited, in seconds
	Dropped   uint64  `json:"dropped"`
}

// QueueHealth is the state of a queue of calls.
type QueueHealth struct {
	Waiting int    `json:"waiting"`
	Dropped uint64 `json:"dropped"`
}

// showHealth handles GET /ips/health.
func (s *Server) showHealth(r *crossbar.Request) (crossbar.Reply, error) {
	return crossbar.Reply{Data: s.Health(r.Context())}, nil
}
