// Package cooling is the rule that an address which an account gave back is assigned to no other account for some time.
//
// It knows times only: package history finds when an address was given back, and by which account, and package
// dedicatedip applies the rule.
package cooling

import "math"

// Rule is the rule at a moment. The zero value disables cooling.
type Rule struct {
	Seconds int64 // how long an address cools; 0 or less disables the rule
	Now     int64 // Gregorian seconds
}

// Since returns a time in Gregorian seconds. Addresses that were given back after it are cooling.
func (r Rule) Since() int64 {
	if r.Seconds <= 0 {
		return math.MaxInt64
	}
	return r.Now - r.Seconds
}

// Until returns until when an address cools that was given back at a time, both in Gregorian seconds. It is 0 if the
// address does not cool any more.
func (r Rule) Until(released int64) int64 {
	if released <= r.Since() {
		return 0
	}
	return released + r.Seconds
}
