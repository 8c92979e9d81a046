package document

import "time"

// gregorianEpoch is the Unix epoch in Gregorian seconds, which count from the year 0 and are what every time in
// Kazoo's documents is given in.
const gregorianEpoch = 62167219200

// Gregorian answers t in Gregorian seconds.
func Gregorian(t time.Time) int64 { return t.Unix() + gregorianEpoch }

// FromGregorian answers the time of so many Gregorian seconds.
func FromGregorian(seconds int64) time.Time { return time.Unix(seconds-gregorianEpoch, 0).UTC() }
