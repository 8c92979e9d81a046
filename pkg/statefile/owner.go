package statefile

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// check returns an error if the file belongs to another user than this process, or has permissions in forbidden, which
// the command fix takes away.
func check(path string, info os.FileInfo, forbidden os.FileMode, fix string) error {
	if owner, self := int(info.Sys().(*syscall.Stat_t).Uid), os.Geteuid(); owner != self {
		return fmt.Errorf("%s belongs to user %s, and junctor runs as %s: run it as %s, or use a folder of its own",
			path, userName(owner), userName(self), userName(owner))
	}
	if mode := info.Mode().Perm(); mode&forbidden != 0 {
		if info.Mode()&os.ModeSticky != 0 {
			return fmt.Errorf("%s is for all users: use a folder of its own", path)
		}
		return fmt.Errorf("%s has mode %#o, which gives other users access to secrets: run \"%s %s\"", path, mode, fix, path)
	}
	return nil
}

func userName(id int) string {
	text := strconv.Itoa(id)
	if u, err := user.LookupId(text); err == nil {
		return u.Username
	}
	return text
}
