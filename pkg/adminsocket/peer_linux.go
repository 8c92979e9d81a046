package adminsocket

import (
	"net"
	"os/user"
	"strconv"
	"syscall"
)

// peerUser returns the name of the user at the other end of a Unix socket, or the number of one without a name. It is
// empty if the system does not report it.
func peerUser(conn net.Conn) string {
	unix, ok := conn.(*net.UnixConn)
	if !ok {
		return ""
	}
	raw, err := unix.SyscallConn()
	if err != nil {
		return ""
	}
	var peer *syscall.Ucred
	controlErr := raw.Control(func(fd uintptr) {
		peer, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if controlErr != nil || err != nil {
		return ""
	}
	id := strconv.FormatUint(uint64(peer.Uid), 10)
	if known, err := user.LookupId(id); err == nil {
		return known.Username
	}
	return id
}
