package adminsocket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

// After the greeting a connection carries frames: a byte for the kind, four for the length (big endian), the payload.

type kind byte

const (
	// From the sender of a command.
	kindRequest    kind = iota + 1 // the Request as JSON, once
	kindInput                      // the next part of the standard input; empty at its end
	kindInputError                 // why the standard input can't be read
	kindCancel                     // the command is cancelled

	// From the server.
	kindInputWanted // the next part of the standard input is wanted
	kindStdout
	kindStderr
	kindFile
	kindEnded // the exit code, one byte; the last frame
)

const (
	headerSize = 5
	maxPayload = 64 << 10 // of all frames but a request
)

// frameWriter writes frames, for several goroutines. Writes of more than maxPayload bytes become several frames.
type frameWriter struct {
	mu  sync.Mutex
	w   io.Writer
	buf []byte
}

func (f *frameWriter) write(k kind, payload []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		part := payload[:min(len(payload), maxPayload)]
		f.buf = append(f.buf[:0], byte(k))
		f.buf = binary.BigEndian.AppendUint32(f.buf, uint32(len(part)))
		f.buf = append(f.buf, part...)
		if _, err := f.w.Write(f.buf); err != nil {
			return err
		}
		if payload = payload[len(part):]; len(payload) == 0 {
			return nil
		}
	}
}

// writeRequest writes a request, which is one frame of up to MaxRequest bytes.
func writeRequest(w io.Writer, text []byte) error {
	if len(text) > MaxRequest {
		return fmt.Errorf("the arguments and the input are longer than %d bytes", MaxRequest)
	}
	frame := binary.BigEndian.AppendUint32([]byte{byte(kindRequest)}, uint32(len(text)))
	_, err := w.Write(append(frame, text...))
	return err
}

var errFrame = errors.New("the other side does not keep to the protocol")

// readFrame reads a frame of at most limit bytes of payload.
func readFrame(r io.Reader, limit uint32) (k kind, payload []byte, err error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, nil, err
	}
	size := binary.BigEndian.Uint32(header[1:])
	if size > limit {
		return 0, nil, errFrame
	}
	payload = make([]byte, size)
	_, err = io.ReadFull(r, payload)
	return kind(header[0]), payload, err
}
