//go:build linux && (amd64 || arm64)

package wire

import (
	"io"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// pipeSize is the room of a pipe. Linux counts it in pages of 4 KiB, of which
// an unprivileged user has 16384 for large pipes: 512 of these. Who wants more
// gets none.
const pipeSize = 128 << 10

// Pipe moves bytes from one connection to another inside the kernel. It is one
// goroutine's.
type Pipe struct {
	r, w    int
	holds   int // bytes
	room    int // how many Fill may take
	err     error
	cleanup runtime.Cleanup

	// Kept, so that a call allocates nothing.
	take, give func(fd uintptr) bool
}

// pipes are empty ones. One that the pool lets go of is closed by its cleanup.
var pipes sync.Pool

// GetPipe returns an empty pipe, or nil where the system has none.
func GetPipe() *Pipe {
	if p, ok := pipes.Get().(*Pipe); ok {
		return p
	}
	var fds [2]int
	if unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC) != nil {
		return nil
	}
	if _, err := unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, pipeSize); err != nil {
		closeBoth(fds)
		return nil
	}
	p := &Pipe{r: fds[0], w: fds[1]}
	p.take, p.give = p.tryFill, p.tryDrain
	p.cleanup = runtime.AddCleanup(p, closeBoth, fds)
	return p
}

func closeBoth(fds [2]int) {
	_ = unix.Close(fds[0])
	_ = unix.Close(fds[1])
}

// Put gives the pipe back. What it still holds is lost.
func (p *Pipe) Put() {
	if p.holds == 0 {
		pipes.Put(p)
		return
	}
	p.cleanup.Stop()
	closeBoth([2]int{p.r, p.w})
}

// Fill waits for bytes from src and takes at most limit of them into the pipe,
// which must be empty. It returns how many, at least one without an error; the
// end is io.EOF. It can be called again after a timeout.
func (p *Pipe) Fill(src *Conn, limit int64) (int, error) {
	p.room, p.err = int(min(limit, pipeSize)), nil
	if err := src.raw.Read(p.take); err != nil {
		return 0, err
	}
	if p.err != nil && p.err != io.EOF { //nolint:errorlint // never wrapped
		return 0, src.failed("splice", p.err)
	}
	return p.holds, p.err
}

func (p *Pipe) tryFill(fd uintptr) bool {
	n, err := splice(int(fd), p.w, p.room)
	switch {
	case err == syscall.EAGAIN: //nolint:errorlint // a bare errno; an empty pipe has room
		return false
	case err != nil:
		p.err = err
	case n == 0:
		p.err = io.EOF
	}
	p.holds = n
	return true
}

// Drain writes what the pipe holds to dst. After an error it returns how many
// bytes were written, and can be called again for the rest after a timeout.
func (p *Pipe) Drain(dst *Conn) (int, error) {
	before := p.holds
	p.err = nil
	err := dst.raw.Write(p.give)
	if err == nil && p.err != nil {
		err = dst.failed("splice", p.err)
	}
	return before - p.holds, err
}

func (p *Pipe) tryDrain(fd uintptr) bool {
	for p.holds > 0 {
		n, err := splice(p.r, int(fd), p.holds)
		if err == syscall.EAGAIN { //nolint:errorlint // a bare errno; the pipe is not empty
			return false
		}
		if err != nil {
			p.err = err
			return true
		}
		p.holds -= n
	}
	return true
}

func splice(from, to, limit int) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_SPLICE, uintptr(from), 0, uintptr(to), 0, uintptr(limit), unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}
