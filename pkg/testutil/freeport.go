package testutil

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// FreePort returns a port that is free on all addresses for TCP and UDP, for a program that can't be given port 0. The
// port is below those that Linux gives out by itself (32768 and up), so that no other socket takes it before the program
// does.
func FreePort(addresses ...string) (int, error) {
	const lowest, highest, attempts = 10_000, 32_767, 100
	var err error
	for range attempts {
		port := lowest + rand.IntN(highest-lowest+1)
		err = nil
		for _, address := range addresses {
			err = errors.Join(err, tryPort(net.JoinHostPort(address, strconv.Itoa(port))))
		}
		if err == nil {
			return port, nil
		}
	}
	return 0, err
}

func tryPort(address string) error {
	tcp, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", address)
	if err != nil {
		return err
	}
	return udp.Close()
}
