package pod

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func aProc(pid, ppid int, inodes ...uint32) proc {
	p := proc{Process: Process{PID: pid, PPID: ppid, Command: "x"}, sockets: map[uint32]bool{}}
	for _, inode := range inodes {
		p.sockets[inode] = true
	}
	return p
}

func TestWorkers(t *testing.T) {
	sockets := []socket{
		{inode: 10, state: netlink.TCP_LISTEN, local: netip.MustParseAddrPort("0.0.0.0:80")},
		{inode: 11, state: netlink.TCP_LISTEN, local: netip.MustParseAddrPort("0.0.0.0:80")},
		{inode: 20, state: netlink.TCP_ESTABLISHED, remote: netip.MustParseAddrPort("127.9.0.2:80")},
		{inode: 0, state: netlink.TCP_ESTABLISHED, remote: netip.MustParseAddrPort("127.9.0.2:80")},
	}
	for name, test := range map[string]struct {
		all  []proc
		want []int
	}{
		"nginx: master, workers, cache manager": {[]proc{aProc(7, 0, 10), aProc(8, 7, 10), aProc(9, 7, 10), aProc(10, 7)}, []int{8, 9}},
		"nginx with reuseport":                  {[]proc{aProc(7, 0, 10, 11), aProc(8, 7, 10, 11), aProc(9, 7, 10, 11)}, []int{8, 9}},
		"nginx that became a daemon":            {[]proc{aProc(7, 1, 10), aProc(8, 7, 10)}, []int{8}},
		"behind a shell":                        {[]proc{aProc(6, 0), aProc(7, 6, 10), aProc(8, 7, 10)}, []int{8}},
		"one process":                           {[]proc{aProc(7, 0, 10)}, []int{7}},
		"an Apache child that retires":          {[]proc{aProc(7, 0, 10), aProc(8, 7, 10), aProc(9, 7, 20)}, []int{8, 9}},
		"a binary upgrade":                      {[]proc{aProc(7, 0, 10), aProc(8, 7, 10), aProc(17, 7, 10), aProc(18, 17, 10)}, []int{8, 18}},
		"no socket at all":                      {[]proc{aProc(7, 0)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []int
			for _, p := range attribute(test.all, sockets, testNodes) {
				if p.Worker {
					got = append(got, p.PID)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestOwnListenersMergesReusePort(t *testing.T) {
	sockets := []socket{
		{inode: 10, local: netip.MustParseAddrPort("0.0.0.0:80")},
		{inode: 11, local: netip.MustParseAddrPort("0.0.0.0:80")},
		{inode: 12, local: netip.MustParseAddrPort("[::]:8080")},
		{inode: 13, local: netip.MustParseAddrPort("127.0.0.11:43210")}, // Docker's: no process here holds it
	}
	all := []proc{aProc(8, 7, 10, 11, 12), aProc(7, 0, 10, 11, 12)}
	got := ownListeners(all, sockets)
	want := []Listener{
		{Addr: netip.MustParseAddr("0.0.0.0"), Port: 80, PID: 7, Command: "x"},
		{Addr: netip.MustParseAddr("::"), Port: 8080, PID: 7, Command: "x"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func diagMessage(state byte, local, remote string, inode uint32) []byte {
	b := make([]byte, sizeofDiagMessage)
	src, dst := netip.MustParseAddrPort(local), netip.MustParseAddrPort(remote)
	b[0], b[1] = unix.AF_INET, state
	if src.Addr().Is6() {
		b[0] = unix.AF_INET6
	}
	binary.BigEndian.PutUint16(b[4:], src.Port())
	binary.BigEndian.PutUint16(b[6:], dst.Port())
	copy(b[8:24], src.Addr().AsSlice())
	copy(b[24:40], dst.Addr().AsSlice())
	binary.NativeEndian.PutUint32(b[44:], 0x11223344)
	binary.NativeEndian.PutUint32(b[48:], 0x55667788)
	binary.NativeEndian.PutUint32(b[68:], inode)
	return b
}

func TestParseSocket(t *testing.T) {
	for _, test := range []struct{ local, remote, wantLocal, wantRemote string }{
		{"198.19.5.2:40000", "198.18.1.10:80", "198.19.5.2:40000", "198.18.1.10:80"},
		{"[::ffff:198.19.5.2]:40000", "[::ffff:198.18.1.10]:80", "198.19.5.2:40000", "198.18.1.10:80"},
		{"[fd00::1]:1", "[fd00::2]:2", "[fd00::1]:1", "[fd00::2]:2"},
	} {
		got, err := parseSocket(diagMessage(1, test.local, test.remote, 77))
		if err != nil {
			t.Fatal(err)
		}
		want := socket{
			local: netip.MustParseAddrPort(test.wantLocal), remote: netip.MustParseAddrPort(test.wantRemote),
			state: 1, inode: 77, cookie: 0x5566778811223344,
		}
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if _, err := parseSocket(make([]byte, sizeofDiagMessage-1)); err == nil {
		t.Error("a short message: want an error")
	}
}

// FuzzParseSocket: any bytes give a socket with valid addresses, or an error.
func FuzzParseSocket(f *testing.F) {
	f.Add(diagMessage(1, "198.19.5.2:40000", "198.18.1.10:80", 77))
	f.Add(diagMessage(10, "[::]:80", "[::]:0", 1))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseSocket(b)
		if (err == nil) != (s.local.IsValid() && s.remote.IsValid()) {
			t.Errorf("got %+v, %v", s, err)
		}
		if err == nil && (len(b) < sizeofDiagMessage || s.state != b[1] || s.local.Addr().Is4In6()) {
			t.Errorf("got %+v from %x", s, b)
		}
	})
}
