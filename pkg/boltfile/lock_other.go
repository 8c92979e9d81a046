//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package boltfile

import "os"

// lock leaves locking to bbolt: a file that another process writes to may then be reported as damaged.
func lock(*os.File) error { return nil }
