package pod

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
)

// LibcResolver is the resolver that the C library in the pod asks.
var LibcResolver = netip.MustParseAddrPort("127.0.0.1:53")

// resolvConf is the usual file: it makes the C library ask fakedns at 127.0.0.1. There is
// no search line and ndots is 0, so that a name is asked for as it is written; timeout
// and attempts stay the library's own (5 s, twice), as in production.
var resolvConf = "nameserver " + LibcResolver.Addr().String() + "\noptions ndots:0\n"

// writeResolvConf rewrites the file in place: it is a bind mount that the
// joined containers share, so it cannot be renamed over.
func writeResolvConf(path, content string) (undo func() error, err error) {
	before, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("pod: read resolv.conf: %w", err)
	}
	if err := overwrite(path, []byte(content)); err != nil {
		return nil, err
	}
	return func() error { return overwrite(path, before) }, nil
}

func overwrite(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return fmt.Errorf("pod: rewrite resolv.conf: %w", err)
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("pod: rewrite resolv.conf: %w", err)
	}
	return nil
}
